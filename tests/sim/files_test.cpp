// Random programs of files under many seeds: the contract of Disk holds in each.
#include "tubing/sim/scenarios/files.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

namespace tubing::sim {
namespace {

#ifdef TUBING_LONG_PROGRAMS
constexpr std::uint64_t kSeeds = 2'000;
#else
constexpr std::uint64_t kSeeds = 200;
#endif

/// Nothing may silently never happen.
void check_all_happened(const FilesCounts& counts, std::map<std::string, std::uint64_t> faults) {
  CHECK(counts.acknowledged > 100 * kSeeds);
  CHECK(counts.refused > kSeeds);
  CHECK(counts.poisoned > kSeeds / 10);
  CHECK(counts.stops > kSeeds / 2);
  CHECK(counts.looks > 3 * kSeeds);
  CHECK(counts.sectors_checked > 100 * kSeeds);
  CHECK(faults["process_crash"] > kSeeds / 4);
  CHECK(faults["power_loss"] > kSeeds);
  for (const std::string& name : files_faults({})) {
    CAPTURE(name);
    CHECK(faults[name] > kSeeds / 50);
  }
}

void check_programs() {
  FilesCounts counts;
  std::map<std::string, std::uint64_t> faults;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Outcome outcome = run_files(seed, {}, {}, counts);
    for (const Tally& tally : outcome.faults) faults[tally.name] += tally.count;
    if (outcome.violation.empty()) continue;
    FAIL_CHECK("seed " << seed << " of files: " << outcome.violation);
    break;
  }
  check_all_happened(counts, std::move(faults));
}

}  // namespace

#ifdef TUBING_LONG_PROGRAMS
TEST_CASE("two thousand programs of files find what the contract of Disk lets remain") {
  check_programs();
}
#else
TEST_CASE("random programs of files find what the contract of Disk lets remain") {
  check_programs();
}

TEST_CASE("a program of files gives the same hash each time and another for another seed") {
  const std::string first = run_files(7, {}, {}).hash;
  CHECK(run_files(7, {}, {}).hash == first);
  CHECK(run_files(8, {}, {}).hash != first);
}

TEST_CASE("programs of files without faults end by themselves and lose nothing") {
  FilesCounts counts;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Outcome outcome = run_files(seed, {.faults = false}, {}, counts);
    CHECK(outcome.violation == "");
    CHECK(outcome.schedule == "");
  }
  CHECK(counts.poisoned == 0);
  CHECK(counts.lives == counts.stops);
}

TEST_CASE("a run of files does something once all is healed, whatever was before") {
  for (const char* schedule :
       {"0s power n0 for 2s", "0s disk n0 hung 1000000ppm\n0s power n0 for 1990ms\n2s heal"}) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
      CAPTURE(schedule);
      CAPTURE(seed);
      const Outcome outcome = run_files(seed, {.schedule = schedule}, {});
      CHECK(outcome.violation == "");
      CHECK(outcome.operations > 5);
    }
  }
}

TEST_CASE("a schedule of files says when the power goes and what the disk does") {
  FilesCounts counts;
  const Outcome outcome = run_files(1,
                                    {.schedule = "100ms disk n0 sync_error 100000ppm\n"
                                                 "150ms power n0 for 10ms\n200ms wipe n0 for 1ms\n"
                                                 "1s crash n0 for 1ms"},
                                    {}, counts);
  CHECK(outcome.violation == "");
  CHECK(outcome.schedule.ends_with("\n1s heal\n"));
  std::map<std::string, std::uint64_t> faults;
  for (const Tally& tally : outcome.faults) faults[tally.name] = tally.count;
  CHECK(faults["power_loss"] == 2);
  CHECK(faults["wiped"] == 1);
  CHECK(faults["process_crash"] == 1);
  CHECK(faults["sync_error"] > 0);
  CHECK(faults["write_error"] == 0);
}
#endif

}  // namespace tubing::sim
