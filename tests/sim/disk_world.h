// DiskWorld: one simulated disk under a Scheduler of its own.
#pragma once

#include <doctest/doctest.h>

#include <memory>

#include "tests/channel/disk_cases.h"
#include "tubing/channel/go.h"
#include "tubing/sim/disk.h"

namespace tubing::sim {

/// Each operation takes up to a millisecond.
inline constexpr DiskConditions kPlainDisk{.latency_min = std::chrono::microseconds(10),
                                           .latency_max = std::chrono::milliseconds(1)};

class DiskWorld final : public test::DiskHouse {
 public:
  explicit DiskWorld(std::uint64_t seed = 1, DiskConditions conditions = kPlainDisk)
      : scheduler(reactor, Prng(seed), {.order = Order::seeded}),
        medium([this] { return reactor.now(); }, Prng(seed), hash) {
    medium.set_conditions(conditions);
    scheduler.observe(&hash);
  }
  using DiskHouse::open;
  std::unique_ptr<channel::Disk> open(channel::DiskLimits limits) override {
    return std::make_unique<Disk>(reactor, medium, limits);
  }

  RunHash hash;
  VirtualReactor reactor;
  Scheduler scheduler;
  DiskMedium medium;
};

/// Runs one process on the disk of a world, to its end.
template <class Body>
void run_process(DiskWorld& world, Body body) {
  const Result<> ran = world.scheduler.run(nursery([&](Nursery&) -> Task<> {
    Disk disk(world.reactor, world.medium);
    co_return co_await body(disk);
  }));
  CHECK_MESSAGE(ran, (ran ? std::string() : ran.error().text()));
}

}  // namespace tubing::sim
