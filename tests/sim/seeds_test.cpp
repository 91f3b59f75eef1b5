// The seeds of tests/seeds.txt, each of which once found a bug.
#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "tubing/sim/scenarios/scenario.h"

using namespace tubing::sim;

TEST_CASE("no seed that once found a bug finds one") {
  std::ifstream file(TUBING_SOURCE_DIR "/tests/seeds.txt");
  int ran = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("#")) continue;
    CAPTURE(line);
    std::istringstream words(line);
    std::string name;
    std::uint64_t seed = 0;
    words >> name >> seed;
    REQUIRE(words);
    const Scenario* scenario = find_scenario(name);
    REQUIRE(scenario != nullptr);
    CHECK(scenario->run(seed, {}, {}).violation == "");
    ++ran;
  }
  CHECK(ran >= 4);
}
