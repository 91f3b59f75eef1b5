// Random programs of files under many seeds: the contract of Disk holds in each.
#include "tubing/sim/scenarios/files.h"

#include <doctest/doctest.h>

namespace tubing::sim {
namespace {

#ifdef TUBING_LONG_PROGRAMS
constexpr std::uint64_t kSeeds = 2'000;
#else
constexpr std::uint64_t kSeeds = 200;
#endif

/// Nothing may silently never happen.
void check_all_happened(const FilesCounts& counts) {
  CHECK(counts.acknowledged > 100 * kSeeds);
  CHECK(counts.refused > kSeeds);
  CHECK(counts.poisoned > kSeeds / 10);
  CHECK(counts.stops > kSeeds / 10);
  CHECK(counts.crashes > kSeeds / 4);
  CHECK(counts.power_losses > kSeeds);
  CHECK(counts.wipes > kSeeds / 50);
  CHECK(counts.sectors_checked > 100 * kSeeds);
  for (std::size_t i = 0; i < kDiskFaults; ++i) {
    CAPTURE(fault_name(static_cast<DiskFault>(i)));
    CHECK(counts.disk.faults[i] > kSeeds / 50);
  }
}

void check_programs() {
  FilesCounts counts;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const std::string fault = run_files(seed, counts);
    if (fault.empty()) continue;
    FAIL_CHECK("seed " << seed << " of files: " << fault);
    break;
  }
  check_all_happened(counts);
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
  FilesCounts counts;
  std::string first;
  std::string again;
  std::string other;
  CHECK(run_files(7, counts, &first).empty());
  CHECK(run_files(7, counts, &again).empty());
  CHECK(run_files(8, counts, &other).empty());
  CHECK(first == again);
  CHECK(first != other);
}
#endif

}  // namespace tubing::sim
