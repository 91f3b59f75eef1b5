// Failing seeds, cut down: with a scenario whose failures are known, and the register's mistakes.
#include "tubing/sim/shrinker.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "tubing/sim/detail/line_reduction.h"

using namespace tubing;
using namespace tubing::sim;

namespace {

bool has_line(std::string_view text, std::string_view line) {
  for (const std::string& each : sim::detail::lines_of(text))
    if (each == line) return true;
  return false;
}

// Fails where "1s crash n0" and "c2 +0s read b" are there, in one class; alone without a "heal" in
// another.
Outcome run_picky(std::uint64_t seed, const ScenarioOptions& options, const ScenarioSinks& sinks) {
  Outcome outcome{.hash = "h", .begun = 1, .known = 1};
  outcome.schedule = options.schedule.value_or(
      "1s crash n0\n2s crash n0,n1\n3s crash n0\n4s crash n0\n5s crash n0\n6s heal\n");
  outcome.workload = options.workload.value_or(
      "c1 +0s read a\nc1 +0s read a\nc2 +0s read a\nc2 +0s read b\nc2 +0s read a\n");
  if (sinks.planned) (*sinks.planned)(outcome);
  const bool crash = has_line(outcome.schedule, "1s crash n0");
  const bool read = has_line(outcome.workload, "c2 +0s read b");
  TUBING_ASSERT(!(seed == 3 && crash && read) && "both", seed);
  if (!outcome.schedule.contains("heal")) outcome.violation = "never healed";
  if (crash && read) outcome.violation = fmt::format("both of seed {}", seed);
  if (seed == 1) outcome.violation.clear();
  if (seed == 4 && (options.schedule || options.workload)) outcome.violation.clear();
  return outcome;
}
constexpr Scenario kPicky{.name = "picky",
                          .summary = "",
                          .options = "schedule workload",
                          .run = run_picky,
                          .check = [](const ScenarioOptions&) -> Result<> { return {}; },
                          .faults = nullptr};

// Takes three operations, with the draws of seed 9 one.
Outcome run_lucky(std::uint64_t seed, const ScenarioOptions& options, const ScenarioSinks&) {
  Outcome outcome{.hash = "h", .begun = 1, .known = 1};
  outcome.workload = options.workload.value_or("c1 +0s read a\nc1 +0s read a\nc1 +0s read a\n");
  const std::size_t operations = sim::detail::lines_of(outcome.workload).size();
  if (operations >= (seed == 9 ? 1 : 3)) outcome.violation = "enough";
  return outcome;
}
constexpr Scenario kLucky{.name = "lucky",
                          .summary = "",
                          .options = "workload",
                          .run = run_lucky,
                          .check = [](const ScenarioOptions&) -> Result<> { return {}; },
                          .faults = nullptr};

}  // namespace

TEST_CASE("lines are left out until none can be, wherever those lie that matter") {
  sim::detail::Lines all;
  for (int i = 0; i < 64; ++i) all.push_back(std::to_string(i));
  for (const sim::detail::Lines& needed : {sim::detail::Lines{},
                                           {"0"},
                                           {"63"},
                                           {"5", "6"},
                                           {"0", "31", "32", "63"},
                                           {"1", "40", "41"}}) {
    std::size_t tried = 0;
    const auto trial = [&](const std::vector<sim::detail::Lines>& candidates) {
      for (std::size_t i = 0; i < candidates.size(); ++i, ++tried)
        if (std::ranges::all_of(needed, [&](const std::string& line) {
              return std::ranges::find(candidates[i], line) != candidates[i].end();
            }))
          return std::optional(i);
      return std::optional<std::size_t>();
    };
    CHECK(sim::detail::minimize(all, trial) == needed);
    CHECK(tried < 200);
    CHECK(sim::detail::minimize(needed, trial) == needed);
  }
}

TEST_CASE("simpler lines have fewer hosts, whole rates, shorter spans and rounder times") {
  const auto has = [](const sim::detail::Lines& lines, std::string_view line) {
    return std::ranges::find(lines, line) != lines.end();
  };
  const sim::detail::Lines faults =
      sim::detail::simpler_faults("1234567us drop a,b,c -> d 250ppm for 1234ms");
  CHECK(has(faults, "1234567us drop b -> d 250ppm for 1234ms"));
  CHECK(has(faults, "1234567us drop a,c -> d 250ppm for 1234ms"));
  CHECK(has(faults, "1234567us drop a,b,c -> d 1000000ppm for 1234ms"));
  CHECK(has(faults, "1234567us drop a,b,c -> d 250ppm for 10ms"));
  CHECK(has(faults, "1234567us drop a,b,c -> d 250ppm for 1200ms"));
  CHECK(has(faults, "1s drop a,b,c -> d 250ppm for 1234ms"));
  CHECK(has(faults, "1235ms drop a,b,c -> d 250ppm for 1234ms"));
  CHECK(sim::detail::simpler_faults("1s heal").empty());
  CHECK(sim::detail::simpler_operations("c1 +1500us read a") ==
        sim::detail::Lines{"c1 +0s read a", "c1 +2ms read a"});
  CHECK(sim::detail::simpler_operations("c1 2600ms read a") == sim::detail::Lines{"c1 3s read a"});
  CHECK(sim::detail::simpler_operations("c1 2s read a").empty());
}

TEST_CASE("simplifying comes to an end, and goes on with the line that it leads to") {
  const auto any = [](const std::vector<sim::detail::Lines>&) {
    return std::optional<std::size_t>(0);
  };
  CHECK(sim::detail::simplify({"1234567891ns crash n0,n1,n2 for 98765us", "c"}, any,
                              sim::detail::simpler_faults) ==
        sim::detail::Lines{"1s crash n0 for 1ms", "c"});
  const auto none = [](const std::vector<sim::detail::Lines>&) {
    return std::optional<std::size_t>();
  };
  CHECK(sim::detail::simplify({"1234ms heal"}, none, sim::detail::simpler_faults) ==
        sim::detail::Lines{"1234ms heal"});
}

TEST_CASE("a seed is cut down to what its failure needs, by an assertion too, with any jobs") {
  for (const std::uint64_t seed : {2, 3}) {
    CAPTURE(seed);
    std::vector<std::uint64_t> runs;
    for (const std::uint32_t jobs : {1U, 3U}) {
      const Result<Shrunk> shrunk = shrink(kPicky, seed, {.jobs = jobs});
      REQUIRE_MESSAGE(shrunk, shrunk.error().text());
      CHECK(*shrunk->scenario.schedule == "1s crash n0\n");
      CHECK(*shrunk->scenario.workload == "c2 +0s read b\n");
      CHECK(
          shrunk->failure ==
          (seed == 2 ? "both of seed N" : "assertion '!(seed == 3 && crash && read) && \"both\"'"));
      CHECK(shrunk->outcome.failure == shrunk->failure);
      CHECK(shrunk->before.faults == 6);
      CHECK(shrunk->before.operations == 5);
      CHECK(shrunk->after.faults == 1);
      CHECK(shrunk->after.operations == 1);
      CHECK(shrunk->complete);
      runs.push_back(shrunk->after.runs);
    }
    CHECK(runs[0] == runs[1]);
    CHECK(runs[0] < 40 + 2 * kShrinkSeeds);
  }
}

TEST_CASE("a failure that hangs on few draws is cut down with those of another seed") {
  const Result<Shrunk> shrunk = shrink(kLucky, 20, {});
  REQUIRE_MESSAGE(shrunk, shrunk.error().text());
  CHECK(shrunk->seed == 20);
  CHECK(shrunk->repeat_seed == 9);
  CHECK(shrunk->after.operations == 1);
  CHECK(shrunk->complete);
  const Result<Shrunk> alone = shrink(kLucky, 20, {.other_seeds = 0});
  REQUIRE_MESSAGE(alone, alone.error().text());
  CHECK(alone->repeat_seed == 20);
  CHECK(alone->after.operations == 3);
}

TEST_CASE("shrinking ends with its runs, and says that it did") {
  const Result<Shrunk> shrunk = shrink(kPicky, 2, {.runs_max = 4});
  REQUIRE(shrunk);
  CHECK_FALSE(shrunk->complete);
  CHECK(shrunk->after.runs == 4);
  CHECK(shrunk->outcome.failure == "both of seed N");
}

TEST_CASE("what cannot be shrunk is refused with the reason") {
  const auto complaint = [](const Scenario& scenario, std::uint64_t seed) {
    const Result<Shrunk> shrunk = shrink(scenario, seed, {});
    return std::string(shrunk ? "none" : shrunk.error().detail());
  };
  CHECK(complaint(kPicky, 1).contains("seed 1 does not fail"));
  CHECK(complaint(kPicky, 4).contains("does not fail in the same way with the schedule"));
  Scenario rigid = kPicky;
  rigid.options = "hosts";
  CHECK(complaint(rigid, 2).contains("neither a schedule nor a workload"));
}
