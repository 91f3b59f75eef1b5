// SimRun: one simulated run of one program under one seed.
#pragma once

#include <string>

#include "tubing/channel/scheduler.h"
#include "tubing/channel/task.h"
#include "tubing/sim/running_hash.h"
#include "tubing/sim/seeded_entropy.h"
#include "tubing/sim/virtual_reactor.h"
#include "tubing/sim/wire.h"

namespace tubing::sim {

struct SimOptions {
  WireConditions conditions = {};
  /// Virtual time after which the run is stopped.
  Duration time_max = std::chrono::hours(1);
  WallTime epoch = VirtualReactor::kEpoch;
};

/// A reactor, a scheduler in seeded order, a wire and entropy, all from one seed. Each purpose has
/// a generator of its own, so that drawing more for one moves no other.
///
///     SimRun sim(seed);
///     Result<> r = sim.run(my_main(sim.wire(), sim.entropy()));
///     CHECK(sim.hash() == "…");
class SimRun {
 public:
  explicit SimRun(std::uint64_t seed, SimOptions options = {});

  /// Runs `task` and all that it spawns.
  /// Errors: what the task returns; as Scheduler::run; deadline_exceeded where virtual time reached
  /// its limit, with the list of who waited: all of them are then cancelled and have ended.
  Result<> run(Task<void> task);

  VirtualReactor& reactor() { return reactor_; }
  Scheduler& scheduler() { return scheduler_; }
  Wire& wire() { return wire_; }
  SeededEntropy& entropy() { return entropy_; }
  /// For what the program under test does: whom it calls, how long it thinks.
  Prng& workload() { return workload_; }
  RunHash& run_hash() { return hash_; }
  /// 32 hexadecimal digits over all that happened.
  std::string hash() const { return hash_.text(); }

 private:
  struct Streams {
    explicit Streams(std::uint64_t seed);
    Prng order;
    Prng network;
    Prng entropy;
    Prng workload;
  };
  SimRun(const Streams& streams, SimOptions options);

  Duration time_max_;
  VirtualReactor reactor_;
  RunHash hash_;
  Scheduler scheduler_;
  Wire wire_;
  SeededEntropy entropy_;
  Prng workload_;
};

}  // namespace tubing::sim
