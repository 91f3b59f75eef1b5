#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/tube/process.h"
#include "tubing/sim/campaign.h"

using tubing::cli::Finished;
using tubing::sim::CampaignOptions;
using tubing::sim::Outcome;
using tubing::sim::Scenario;
using tubing::sim::ScenarioOptions;
using tubing::sim::ScenarioSinks;
using tubing::sim::SeedOutcome;

namespace {

Finished tubesim(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), TUBESIM_PROGRAM);
  return tubing::cli::run_process(arguments, {});
}

std::string content_of(const std::string& path) {
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

// A scenario of which some seeds go wrong.
Outcome run_troubled(std::uint64_t seed, const ScenarioOptions&, const ScenarioSinks&) {
  TUBING_ASSERT(seed != 13 && "thirteen");
  return {.violation = seed == 7 ? "seven" : "",
          .hash = "h" + std::to_string(seed),
          .operations = seed,
          .begun = seed,
          .known = seed / 2,
          .faults = {{.name = "cut", .count = seed == 3 ? 1U : 0U}}};
}
std::vector<std::string> troubled_faults(const ScenarioOptions&) { return {"cut", "drop"}; }
constexpr Scenario kTroubled{.name = "troubled",
                             .summary = "",
                             .options = "",
                             .run = run_troubled,
                             .check = nullptr,
                             .faults = troubled_faults};

}  // namespace

TEST_CASE("a campaign tells of every seed in order, and one whose process dies is a violation") {
  std::vector<std::uint64_t> seeds;
  std::string died;
  const auto report = run_campaign(kTroubled, {.seeds = {{1, 20}, {30, 30}}, .jobs = 3},
                                   [&](const SeedOutcome& seed) {
                                     seeds.push_back(seed.seed);
                                     if (seed.seed == 13) died = seed.outcome.violation;
                                   });
  REQUIRE(report);
  REQUIRE(seeds.size() == 21);
  CHECK(std::is_sorted(seeds.begin(), seeds.end()));
  CHECK(died.contains("signal 6"));
  CHECK(died.contains("thirteen"));
  CHECK(report->violations_total == 2);
  REQUIRE(report->violations.size() == 2);
  CHECK(report->violations[0].outcome.violation == "seven");
  CHECK(report->operations == 210 - 13 + 30);
  CHECK(report->operations_median == 10);
  CHECK(report->operations_p5 == 1);
  CHECK_FALSE(report->passed());
}

TEST_CASE("a campaign fails where a fault never took effect or a seed did nothing") {
  const auto gates = [](CampaignOptions options) {
    const auto report = run_campaign(kTroubled, options, [](const SeedOutcome&) {});
    REQUIRE(report);
    CHECK(report->violations_total == 0);
    CHECK(report->passed() == report->closed_gates.empty());
    return report->closed_gates;
  };
  CHECK(gates({.seeds = {{2, 5}}}).empty());
  CHECK(gates({.seeds = {{2, 5}}, .fault_gate_seeds = 4}) ==
        std::vector<std::string>{"the fault 'drop' never took effect"});
  CHECK(gates({.seeds = {{4, 6}}, .fault_gate_seeds = 3}).size() == 2);
  CHECK(gates({.seeds = {{0, 2}}}) == std::vector<std::string>{"seed 0 did no operation at all"});
  CHECK(gates({.seeds = {{1, 1}}}) ==
        std::vector<std::string>{"no operation had an outcome that was known"});
}

TEST_CASE("a seed that is asked for twice is run twice and told of in its places") {
  std::vector<std::uint64_t> seeds;
  const auto report = run_campaign(kTroubled, {.seeds = {{1, 3}, {2, 4}, {2, 2}}, .jobs = 4},
                                   [&](const SeedOutcome& seed) { seeds.push_back(seed.seed); });
  REQUIRE(report);
  CHECK(seeds == std::vector<std::uint64_t>{1, 2, 3, 2, 3, 4, 2});
}

TEST_CASE("tubesim takes an empty schedule for one without faults") {
  const std::string path = TUBING_BINARY_DIR "/empty_schedule.txt";
  std::ofstream(path).close();
  const std::string empty = tubesim({"run", "grid", "--seed", "3", "--schedule", path}).out;
  CHECK(empty != tubesim({"run", "grid", "--seed", "3"}).out);
  CHECK(empty.contains("known=100.00%"));
  std::filesystem::remove(path);
  CHECK(tubesim({"run", "grid", "--seed", "3", "--schedule", "/tmp"}).status == 2);
}

TEST_CASE("tubesim lists its scenarios") {
  const Finished list = tubesim({"list"});
  CHECK(list.status == 0);
  for (const char* name : {"echo", "files", "grid"}) CHECK(list.out.contains(name));
}

TEST_CASE("tubesim prints a line with the hash of each seed, the same each time") {
  const Finished one = tubesim({"run", "grid", "--seeds", "5..8", "--jobs", "2"});
  CHECK(one.status == 0);
  CHECK(one.out.contains("grid seed=5 hash="));
  CHECK(one.out.contains("grid seed=8 hash="));
  CHECK(one.out.contains("4 seeds, 0 with a violation"));
  CHECK(one.out.contains("operations: "));
  const Finished again = tubesim({"run", "grid", "--seeds", "5..8", "--jobs", "1", "--check"});
  CHECK(again.out == one.out);
}

TEST_CASE("tubesim keeps a schedule, and runs it again to the same hash") {
  const std::string path = TUBING_BINARY_DIR "/kept_schedule.txt";
  const Finished drawn = tubesim({"run", "grid", "--seed", "6", "--keep-schedule", path});
  CHECK(drawn.status == 0);
  CHECK(content_of(path).contains(" heal"));
  const Finished given = tubesim({"run", "grid", "--seed", "6", "--schedule", path});
  const Finished again = tubesim({"run", "grid", "--seed", "6", "--schedule", path});
  CHECK(given.status == 0);
  CHECK(given.out == again.out);
  std::filesystem::remove(path);
}

TEST_CASE("tubesim writes a trace whose last hash is that of the run") {
  const std::string path = TUBING_BINARY_DIR "/run_trace.txt";
  const Finished run = tubesim({"run", "files", "--seed", "3", "--trace", path});
  CHECK(run.status == 0);
  const std::string trace = content_of(path);
  REQUIRE(trace.size() > 34);
  const std::string hash = trace.substr(trace.size() - 34, 32);
  CHECK(run.out.contains("hash=" + hash));
  std::filesystem::remove(path);
}

TEST_CASE("tubesim refuses what it cannot do with advice and status 2") {
  struct Row {
    std::vector<std::string> arguments;
    std::string advice;
  };
  const Row rows[] = {
      {{"run", "nothing", "--seed", "1"}, "there is no scenario 'nothing'; tubesim list shows"},
      {{"run", "grid", "--seed", "x"}, "'x' names no seeds; write 5, or 1..1000"},
      {{"run", "grid", "--seeds", "9..1"}, "'9..1' is empty; write the smaller seed first"},
      {{"run", "files", "--seed", "1", "--hosts", "3"}, "files does not know hosts"},
      {{"run", "grid", "--seeds", "1..2", "--trace", "t"}, "use --seed N --trace FILE"},
      {{"run", "grid", "--seed", "1", "--schedule", "/no/file"}, "/no/file cannot be read"},
      {{"run", "grid", "--seed", "1", "--mode", "odd"}, "--mode"},
      {{"run", "grid"}, "--seed"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.advice);
    const Finished refused = tubesim(row.arguments);
    CHECK(refused.status == 2);
    CHECK_MESSAGE(refused.err.contains(row.advice), refused.err);
  }
}
