// The hashes of one program under many seeds, compared with those in hashes.txt. Every preset must
// give the same. Where the program, the scheduler or the wire changed on purpose, write them anew:
//     TUBING_WRITE_HASHES=1 build/release/bin/sim_test -tc="the hashes of fifty seeds*"
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/sim_program.h"

using namespace tubing::sim;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kSeeds = 50;
constexpr const char* kHashesFile = TUBING_SOURCE_DIR "/tests/sim/hashes.txt";

std::string hash_of_program(std::uint64_t seed) {
  SimRun sim(seed, {.conditions = {.latency_min = 10us,
                                   .latency_max = 500us,
                                   .chunk_bytes_min = 1,
                                   .chunk_bytes_max = 20,
                                   .bytes_per_second = 1'000'000}});
  const tubing::Result<> run = sim.run(run_sim_program(sim));
  CHECK_MESSAGE(run, "seed " << seed << ": " << (run ? "" : run.error().text()));
  return sim.hash();
}

}  // namespace

TEST_CASE("the hashes of fifty seeds are those that were written down") {
  std::vector<std::string> lines;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed)
    lines.push_back(fmt::format("{} {}", seed, hash_of_program(seed)));
  CHECK(std::set(lines.begin(), lines.end()).size() == kSeeds);

  if (std::getenv("TUBING_WRITE_HASHES") != nullptr) {
    std::ofstream file(kHashesFile);
    for (const std::string& line : lines) file << line << '\n';
    return;
  }
  std::ifstream file(kHashesFile);
  for (const std::string& line : lines) {
    std::string expected;
    std::getline(file, expected);
    CHECK(line == expected);
  }
}

TEST_CASE("a program runs twice under one seed with one hash") {
  for (std::uint64_t seed = 100; seed < 105; ++seed) {
    CAPTURE(seed);
    CHECK(hash_of_program(seed) == hash_of_program(seed));
  }
}
