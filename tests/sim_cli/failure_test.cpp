#include <doctest/doctest.h>

#include "tubing/sim/campaign.h"

using tubing::sim::CampaignOptions;
using tubing::sim::failure_class;
using tubing::sim::Outcome;
using tubing::sim::Scenario;
using tubing::sim::ScenarioOptions;
using tubing::sim::ScenarioSinks;
using tubing::sim::SeedOutcome;

namespace {

Outcome run_planned(std::uint64_t seed, const ScenarioOptions&, const ScenarioSinks& sinks) {
  if (sinks.planned) (*sinks.planned)({.schedule = "of " + std::to_string(seed), .story = "told"});
  TUBING_ASSERT(seed != 3 && "three", seed);
  return {.violation = seed == 2 ? "pair 4 of 20 is late" : "", .begun = 1, .known = 1};
}
constexpr Scenario kPlanned{.name = "planned",
                            .summary = "",
                            .options = "",
                            .run = run_planned,
                            .check = nullptr,
                            .faults = nullptr};

}  // namespace

TEST_CASE("a failure's class keeps its words and none of its numbers") {
  CHECK(failure_class("pair 4 of 20 is late\nwaiting: 3") == "pair N of N is late");
  CHECK(failure_class("pair 51 of 2 is late") == failure_class("pair 4 of 20 is late"));
  CHECK(failure_class("n1/grid did not end when it crashed; it still had\nn1") == "task forgotten");
  CHECK(failure_class("its process was ended by signal 6 (Aborted)\na.cpp:12: assertion failed: "
                      "n > 0; with 3 4") == "assertion 'n > 0'");
}

TEST_CASE("what was planned for a seed outlives a process that dies in it") {
  for (const bool check : {false, true}) {
    std::vector<Outcome> outcomes;
    const CampaignOptions options{.seeds = {{1, 3}}, .jobs = 2, .check = check};
    REQUIRE(run_campaign(kPlanned, options, [&](const SeedOutcome& seed) {
      outcomes.push_back(seed.outcome);
      return true;
    }));
    REQUIRE(outcomes.size() == 3);
    CHECK(outcomes[0].failure.empty());
    CHECK(outcomes[1].failure == "pair N of N is late");
    CHECK(outcomes[2].failure == "assertion 'seed != 3 && \"three\"'");
    CHECK(outcomes[2].schedule == "of 3");
    CHECK(outcomes[2].story == "told");
  }
}
