// Random programs of channel operations, under many seeds: the rules of channels hold in each.
#include "tests/sim/channel_program.h"

#include <doctest/doctest.h>

namespace tubing::sim {
namespace {

#ifdef TUBING_LONG_PROGRAMS
constexpr std::uint64_t kSeeds = 10'000;
#else
constexpr std::uint64_t kSeeds = 200;
#endif

ProgramCounts run_seeds(Place place, const std::string& name) {
  ProgramCounts counts;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const std::string fault = run_channel_program(place, seed, counts);
    if (!fault.empty()) {
      FAIL_CHECK("seed " << seed << " of a program " << name << ": " << fault);
      break;
    }
  }
  return counts;
}

/// No operation may silently never happen.
void check_all_happened(const ProgramCounts& counts) {
  CHECK(counts.sent > kSeeds);
  CHECK(counts.received > kSeeds);
  CHECK(counts.closed > kSeeds / 10);
  CHECK(counts.stopped > kSeeds / 10);
  CHECK(counts.reset > kSeeds / 10);
  CHECK(counts.cancelled > kSeeds / 10);
  CHECK(counts.timed_out > kSeeds / 10);
  CHECK(counts.flushed > kSeeds / 10);
  CHECK(counts.selected > kSeeds / 10);
  CHECK(counts.passed > kSeeds / 10);
}

void check_one_process() { check_all_happened(run_seeds(Place::one_process, "in one process")); }

void check_two_nodes() {
  const ProgramCounts counts = run_seeds(Place::two_nodes, "between two nodes");
  check_all_happened(counts);
  CHECK(counts.lost > kSeeds / 10);
  CHECK(counts.credit_checked > kSeeds / 10);
}

}  // namespace

#ifdef TUBING_LONG_PROGRAMS
TEST_CASE("ten thousand programs in one process keep every rule of channels") {
  check_one_process();
}
TEST_CASE("ten thousand programs between two nodes keep every rule of channels") {
  check_two_nodes();
}
#else
TEST_CASE("random programs in one process keep every rule of channels") { check_one_process(); }
TEST_CASE("random programs between two nodes keep every rule of channels") { check_two_nodes(); }
#endif

}  // namespace tubing::sim
