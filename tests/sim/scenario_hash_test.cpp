// What two hundred seeds of each scenario came to, compared with scenario_hashes.txt: every preset
// must give the same. Where a scenario, or what runs in it, changed on purpose, write them anew:
//     TUBING_WRITE_HASHES=1 build/release/bin/scenario_hash_test
// A line that differs is narrowed down by `tubesim run SCENARIO --seeds A..B` in both builds.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "tubing/sim/running_hash.h"
#include "tubing/sim/scenarios/scenario.h"
#include "tubing/sim/trace.h"

using namespace tubing::sim;
using tubing::Duration;
using tubing::Time;

namespace {

constexpr std::uint64_t kSeeds = 200;
constexpr std::uint64_t kSeedsEachLine = 20;
constexpr const char* kHashesFile = TUBING_SOURCE_DIR "/tests/sim/scenario_hashes.txt";

/// The hashes of `kSeedsEachLine` seeds in one.
std::string hash_of_group(const Scenario& scenario, const ScenarioOptions& options,
                          std::uint64_t first) {
  RunningHash all;
  for (std::uint64_t seed = first; seed < first + kSeedsEachLine; ++seed) {
    const Outcome outcome = scenario.run(seed, options, {});
    CHECK_MESSAGE(outcome.violation.empty(),
                  scenario.name << " --seed " << seed << ": " << outcome.violation);
    all.add(std::string_view(outcome.hash));
  }
  return all.text();
}

/// All that happened until the first event at 40 ms or later.
struct Beginning final : TraceSink {
  void on_event(const TraceEvent& event) override {
    over = over || event.at >= Time(std::chrono::milliseconds(40));
    if (over) return;
    ++events;
    hash = event.hash.text();
  }
  bool over = false;
  std::uint64_t events = 0;
  std::string hash;
};

void add_lines(const Scenario& scenario, const ScenarioOptions& options,
               std::vector<std::string>& lines) {
  const char* mode = options.byte_mode ? "byte" : "message";
  for (std::uint64_t first = 1; first <= kSeeds; first += kSeedsEachLine)
    lines.push_back(fmt::format("{} {} {}..{} {}", scenario.name, mode, first,
                                first + kSeedsEachLine - 1,
                                hash_of_group(scenario, options, first)));
}

}  // namespace

TEST_CASE("the hashes of two hundred seeds of each scenario are those that were written down") {
  std::vector<std::string> lines;
  for (const Scenario& scenario : scenarios()) {
    add_lines(scenario, {}, lines);
    if (scenario.knows("mode")) add_lines(scenario, {.byte_mode = true}, lines);
  }
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

TEST_CASE("a scenario that is given the schedule that it drew does exactly the same") {
  for (const Scenario& scenario : scenarios())
    for (const bool byte_mode : {false, true}) {
      if (byte_mode && !scenario.knows("mode")) continue;
      for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        CAPTURE(scenario.name);
        CAPTURE(seed);
        const Outcome drawn = scenario.run(seed, {.byte_mode = byte_mode}, {});
        CHECK(drawn.schedule.ends_with("heal\n") != drawn.schedule.ends_with("heal late\n"));
        const Outcome given =
            scenario.run(seed, {.byte_mode = byte_mode, .schedule = drawn.schedule}, {});
        CHECK(given.hash == drawn.hash);
        CHECK(given.schedule == drawn.schedule);
        CHECK(given.operations == drawn.operations);
        CHECK(scenario.check({.schedule = drawn.schedule}));
      }
    }
}

TEST_CASE("a scenario without faults does exactly what it does under an empty schedule") {
  for (const Scenario& scenario : scenarios())
    for (const bool byte_mode : {false, true}) {
      if (byte_mode && !scenario.knows("mode")) continue;
      for (std::uint64_t seed = 1; seed <= 10; ++seed) {
        CAPTURE(scenario.name);
        CAPTURE(seed);
        const Outcome calm = scenario.run(seed, {.byte_mode = byte_mode, .faults = false}, {});
        CHECK(calm.violation == "");
        const Outcome given = scenario.run(seed, {.byte_mode = byte_mode, .schedule = ""}, {});
        CHECK(given.hash == calm.hash);
        CHECK(given.operations == calm.operations);
      }
    }
}

TEST_CASE("a fault changes nothing of a run before it strikes") {
  const auto begin = [](const Scenario& scenario, bool byte_mode, std::string schedule) {
    Beginning beginning;
    scenario.run(7, {.byte_mode = byte_mode, .schedule = std::move(schedule)},
                 {.trace = &beginning});
    return beginning;
  };
  for (const Scenario& scenario : scenarios())
    for (const bool byte_mode : {false, true}) {
      if (byte_mode && !scenario.knows("mode")) continue;
      CAPTURE(scenario.name);
      const Beginning calm = begin(scenario, byte_mode, "2s heal");
      CHECK(calm.events > 10);
      for (const char* schedule :
           {"40ms crash n0 for 1ms\n2s heal", "40ms wipe n0 for 5ms\n2s heal"}) {
        const Beginning struck = begin(scenario, byte_mode, schedule);
        CHECK(struck.events == calm.events);
        CHECK(struck.hash == calm.hash);
      }
    }
}

TEST_CASE("a scenario that works on until all is healed names the end that it can bear") {
  struct Row {
    std::string_view name;
    std::uint32_t hosts;
    std::string_view limit;
  };
  const Row rows[] = {{"echo", 0, "by 3600s"}, {"echo", 2, "by 3600s"}, {"echo", 64, "by 225s"},
                      {"files", 0, "by 120s"}, {"grid", 0, "by 3600s"}, {"grid", 2, "by 3600s"},
                      {"grid", 60, "by 300s"}};
  for (const auto& [name, hosts, limit] : rows) {
    CAPTURE(name);
    CAPTURE(hosts);
    const Scenario& scenario = *find_scenario(name);
    const ScenarioOptions options{.hosts = hosts, .schedule = "8640000s heal"};
    const tubing::Result<> checked = scenario.check(options);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().text().contains(limit));
    const Outcome outcome = scenario.run(1, options, {});
    CHECK(outcome.violation.contains(limit));
    CHECK(outcome.failure == kRefused);
    CHECK(outcome.simulated == Duration::zero());
  }
}

TEST_CASE("a scenario whose schedule lost its last line is healed all the same") {
  for (const Scenario& scenario : scenarios())
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      CAPTURE(scenario.name);
      CAPTURE(seed);
      std::string schedule = scenario.run(seed, {}, {}).schedule;
      schedule.resize(schedule.rfind('\n', schedule.size() - 2) + 1);
      schedule += "1ms crash n0\n";  // Without an end.
      const Outcome outcome = scenario.run(seed, {.schedule = schedule}, {});
      CHECK(outcome.violation == "");
      CHECK(outcome.schedule.ends_with(" heal\n"));
    }
}

TEST_CASE("a scenario without faults has no schedule and a given one is refused with its line") {
  for (const Scenario& scenario : scenarios()) {
    CAPTURE(scenario.name);
    const Outcome outcome = scenario.run(1, {.faults = false}, {});
    CHECK(outcome.violation == "");
    CHECK(outcome.schedule == "");
    CHECK(outcome.faults.size() <= 2);  // Pauses of a process, and room that ran out.
    const tubing::Result<> checked = scenario.check({.schedule = "1s heal\n1s melt n0"});
    REQUIRE_FALSE(checked);
    CHECK(checked.error().text().contains("line 2: there is no fault 'melt'"));
    CHECK_FALSE(scenario.check({.schedule = "1s crash n64"}));
  }
}
