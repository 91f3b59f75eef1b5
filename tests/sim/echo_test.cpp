// The scenario `echo`, under many seeds: the rules of channels hold in each, and each repeats.
#include "tubing/sim/scenarios/echo.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

namespace tubing::sim {
namespace {

#ifdef TUBING_LONG_PROGRAMS
constexpr std::uint64_t kSeeds = 2'000;
constexpr std::uint64_t kRepeated = kSeeds;
#else
constexpr std::uint64_t kSeeds = 200;
constexpr std::uint64_t kRepeated = 20;
#endif

struct Campaign {
  EchoCounts counts;
  std::map<std::string, std::uint64_t> faults;
};

Campaign run_seeds() {
  Campaign all;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Outcome outcome = run_echo(seed, {}, {}, all.counts);
    CHECK_MESSAGE(outcome.violation.empty(), "seed " << seed << " of echo: " << outcome.violation);
    if (!outcome.violation.empty()) break;
    for (const Tally& tally : outcome.faults) all.faults[tally.name] += tally.count;
    if (seed > kRepeated) continue;
    CHECK_MESSAGE(run_echo(seed, {}, {}).hash == outcome.hash,
                  "seed " << seed << " of echo does not repeat");
  }
  return all;
}

/// No operation may silently never happen.
void check_all_happened() {
  const auto [counts, faults] = run_seeds();
  CHECK(counts.opened > 10 * kSeeds);
  CHECK(counts.unopened > kSeeds / 10);
  CHECK(counts.probed >= 2 * kSeeds);
  CHECK(counts.sent > 100 * kSeeds);
  CHECK(counts.received > 100 * kSeeds);
  CHECK(counts.closed > kSeeds);
  CHECK(counts.stopped > kSeeds);
  CHECK(counts.reset > kSeeds);
  CHECK(counts.lost > kSeeds);
  CHECK(counts.cancelled > kSeeds);
  CHECK(counts.timed_out > kSeeds);
  CHECK(counts.flushed > kSeeds);
  CHECK(counts.selected > kSeeds);
  CHECK(counts.passed > kSeeds);
  for (const std::string& name : echo_faults({})) {
    CAPTURE(name);
    const auto found = faults.find(name);
    REQUIRE(found != faults.end());
    CHECK(found->second > kSeeds / 10);
  }
}

}  // namespace

#ifdef TUBING_LONG_PROGRAMS
TEST_CASE("two thousand worlds of talks keep every rule of channels and repeat bit for bit") {
  check_all_happened();
}
#else
TEST_CASE("worlds of talks in byte mode keep every rule of channels and repeat bit for bit") {
  check_all_happened();
}

TEST_CASE("talks between two hosts without faults lose nothing") {
  EchoCounts counts;
  for (std::uint64_t seed = 1; seed <= 10; ++seed)
    CHECK(run_echo(seed, {.hosts = 2, .faults = false}, {}, counts).violation == "");
  CHECK(counts.lost == 0);
  CHECK(counts.unopened == 0);
  CHECK(counts.probed == 20);
}

TEST_CASE("faults that are given strike an echo instead of drawn ones") {
  EchoCounts counts;
  const Outcome outcome =
      run_echo(1, {.hosts = 6, .schedule = "1s cut n0 -> n1\n1s cut n1 -> n0\n2s crash n5 for 1s"},
               {}, counts);
  CHECK(outcome.violation == "");
  CHECK(outcome.schedule.ends_with("6s heal\n"));  // What lasts for ever is healed.
  CHECK(outcome.story.contains("After 1s, nothing passes from n0 to n1."));
  const auto struck = [&](std::string_view name) {
    return std::ranges::find(outcome.faults, name, &Tally::name) != outcome.faults.end();
  };
  CHECK(struck("cut"));
  CHECK(struck("process_crash"));
  CHECK_FALSE(struck("power_loss"));
  CHECK(counts.lost > 0);
  CHECK(counts.probed == 30);
}

TEST_CASE("a schedule that names a host which a seed does not have is refused by an echo") {
  CHECK_FALSE(check_echo({.schedule = "1s crash n4 for 1s"}));
  int refused = 0;
  int done = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const Outcome outcome = run_echo(seed, {.schedule = "1s crash n3 for 1s"}, {});
    if (outcome.violation.empty()) {
      ++done;
      continue;
    }
    CHECK(outcome.violation.contains("line 1: no host is called 'n3'; there are n0, n1"));
    CHECK(outcome.failure == kRefused);
    ++refused;
  }
  CHECK(refused > 0);
  CHECK(done > 0);
}

TEST_CASE("an echo waits for the end of a schedule that goes on for long") {
  EchoCounts counts;
  const Outcome outcome = run_echo(
      1, {.hosts = 2, .schedule = "1s cut n0 -> n1 for 9s\n900s pause n1 for 10s"}, {}, counts);
  CHECK(outcome.violation == "");
  CHECK(outcome.simulated > std::chrono::seconds(910));
  CHECK(counts.probed == 2);
}

TEST_CASE("a schedule that cannot be read is the violation of a run") {
  for (const Scenario& scenario : scenarios())
    CHECK(scenario.run(1, {.schedule = "1s melt"}, {}).violation.contains("no fault 'melt'"));
}
#endif

}  // namespace tubing::sim
