// How fast does the simulator run? Messages and events a second, the hash always on.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

#include "report.h"
#include "tubing/channel/nursery.h"
#include "tubing/channel/timers.h"
#include "tubing/sim/world.h"

namespace {

using namespace tubing;
using sim::Process;
using sim::World;

constexpr std::uint64_t kSeed = 1;

/// The processor's time that `work` takes, in seconds.
template <class F>
double seconds_of(F work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Seven processes with eight tasks each that sleep drawn times.
double sleeps_per_s() {
  constexpr int kHosts = 7;
  constexpr int kTasks = 8;
  constexpr int kSleeps = 20'000;
  World world(kSeed);
  for (int host = 0; host < kHosts; ++host) {
    world.add_host({.name = fmt::format("host-{}", host)})
        .spawn("sleepers", [](Process& self) -> Task<> {
          co_return co_await nursery([&self](Nursery& n) -> Task<> {
            for (int task = 0; task < kTasks; ++task) {
              n.spawn("sleeper", [&self]() -> Task<> {
                for (int i = 0; i < kSleeps; ++i) {
                  const std::uint64_t drawn = self.workload().below(1'000'000);
                  co_await ok(sleep(Duration(static_cast<std::int64_t>(drawn))));
                }
                co_return {};
              });
            }
            co_return {};
          });
        });
  }
  const double seconds = seconds_of([&] {
    if (!world.run_until_idle()) std::abort();
  });
  return kHosts * kTasks * kSleeps / seconds;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("Simulated worlds: one core, the hash on", argc, argv);
  report.row("sleeps_per_s", "1/s", "", sleeps_per_s);
  return report.finish();
}
