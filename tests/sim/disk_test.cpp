#include "tubing/sim/disk.h"

#include <doctest/doctest.h>

#include "tests/channel/disk_text.h"
#include "tests/sim/disk_world.h"

namespace tubing::sim {
namespace {

void run_cases(const std::vector<test::DiskCase>& cases) {
  for (const test::DiskCase& disk_case : cases) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      CAPTURE(disk_case.fact);
      CAPTURE(seed);
      DiskWorld world(seed);
      const Result<> ran = world.scheduler.run(disk_case.run(world));
      CHECK_MESSAGE(ran, (ran ? std::string() : ran.error().text()));
    }
  }
}

}  // namespace

TEST_CASE("a simulated disk keeps what the Disk contract says of files") {
  run_cases(test::disk_cases());
}

TEST_CASE("a simulated disk keeps what the Disk contract says of waits") {
  run_cases(test::disk_wait_cases());
}

}  // namespace tubing::sim
