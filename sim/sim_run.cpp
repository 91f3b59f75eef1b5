#include "tubing/sim/sim_run.h"

#include <fmt/format.h>

#include "tubing/channel/nursery.h"

namespace tubing::sim {
namespace {

// A new purpose goes behind the others: each takes the next draw.
Prng next_stream(Prng& root) { return Prng(root.next()); }

}  // namespace

SimRun::Streams::Streams(std::uint64_t seed) : order(seed), network(0), entropy(0), workload(0) {
  Prng root(seed);
  order = next_stream(root);
  network = next_stream(root);
  entropy = next_stream(root);
  workload = next_stream(root);
}

SimRun::SimRun(std::uint64_t seed, SimOptions options) : SimRun(Streams(seed), options) {}

SimRun::SimRun(const Streams& streams, SimOptions options)
    : time_max_(options.time_max),
      reactor_(options.epoch),
      scheduler_(reactor_, streams.order, SchedulerOptions{.order = Order::seeded}),
      wire_(reactor_, streams.network, hash_),
      entropy_(streams.entropy),
      workload_(streams.workload) {
  wire_.set_conditions(options.conditions);
  scheduler_.observe(&hash_);
}

Result<> SimRun::run(Task<void> task) {
  Result<> stopped;
  Result<> result = scheduler_.run(nursery([&](Nursery& n) -> Task<> {
    reactor_.limit(Time(time_max_), [&] {
      stopped = Error(Code::deadline_exceeded, "run",
                      fmt::format("virtual time reached its limit of {} ms\n{}",
                                  time_max_.count() / 1'000'000, scheduler_.dump()));
      n.cancel();
    });
    co_return co_await std::move(task);
  }));
  reactor_.limit(Time::max(), nullptr);
  if (!stopped) return stopped;
  return result;
}

}  // namespace tubing::sim
