// Each mistake of the register, caught and cut down to a story; at night for twenty seeds of each.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "tubing/sim/campaign.h"
#include "tubing/sim/shrinker.h"

using namespace tubing;
using namespace tubing::sim;

namespace {

#ifdef TUBING_LONG_PROGRAMS
constexpr std::size_t kSeedsEach = 20;
constexpr std::uint64_t kSeedsMax = 2'000;
#else
constexpr std::size_t kSeedsEach = 1;  // One that becomes small, of what two hundred find.
constexpr std::uint64_t kSeedsMax = 200;
#endif
constexpr std::size_t kFaultsMax = 6;
constexpr std::size_t kOperationsMax = 8;

std::size_t median(std::vector<std::size_t> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

}  // namespace

TEST_CASE("each mistake of the register is cut down to a few faults and operations") {
  const Scenario& scenario = *find_scenario("register");
  fmt::print("{:<18} {:>10} {:>6} {:>7} {:>10} {:>6}\n", "mistake", "first seed", "seeds", "faults",
             "operations", "runs");
  std::size_t pinned = 0;
  for (const char* wrong :
       {"no_sync", "no_tie_break", "no_write_back", "one_replica_reads", "small_quorum"}) {
    CAPTURE(wrong);
    std::vector<std::size_t> faults;
    std::vector<std::size_t> operations;
    std::vector<std::size_t> runs;
    std::uint64_t first = 0;
    for (std::uint64_t seed = 1; seed <= kSeedsMax && faults.size() < kSeedsEach; ++seed) {
      if (scenario.run(seed, {.wrong = wrong}, {}).violation.empty()) continue;
      if (first == 0) first = seed;
      const auto shrunk = shrink(scenario, seed, {.scenario = {.wrong = wrong}, .jobs = 2});
      REQUIRE_MESSAGE(shrunk, "seed " << seed << ": " << shrunk.error().text());
      CHECK(shrunk->outcome.failure == "linearizability");
      CHECK(shrunk->outcome.story.contains("replicas"));
      if (kSeedsEach == 1 && shrunk->after.operations > kOperationsMax) continue;
      pinned += shrunk->scenario.workload->contains('+') ? 0 : 1;
      faults.push_back(shrunk->after.faults);
      operations.push_back(shrunk->after.operations);
      runs.push_back(shrunk->after.runs);
    }
    REQUIRE(faults.size() == kSeedsEach);
    fmt::print("{:<18} {:>10} {:>6} {:>7} {:>10} {:>6}\n", wrong, first, faults.size(),
               median(faults), median(operations), median(runs));
    CHECK(first <= 200);
    CHECK(median(faults) <= kFaultsMax);
    CHECK(median(operations) <= kOperationsMax);
  }
  // Most runs fail as they did when each operation begins at the time at which it began.
  CHECK(pinned >= 3 * kSeedsEach);
}
