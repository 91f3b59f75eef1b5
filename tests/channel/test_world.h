// World: a Scheduler on a TestReactor, and for_seeds, which runs a test in many interleavings.
#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <ostream>
#include <utility>

#include "tests/channel/test_reactor.h"
#include "tubing/channel/nursery.h"
#include "tubing/channel/scheduler.h"
#include "tubing/channel/select.h"
#include "tubing/channel/timers.h"

namespace tubing {

inline std::ostream& operator<<(std::ostream& out, Code code) { return out << code_name(code); }

}  // namespace tubing

namespace tubing::test {

struct World {
  explicit World(std::uint64_t of_seed = 1, SchedulerOptions options = {})
      : seed(of_seed), scheduler(reactor, Prng(of_seed), options) {}

  /// Runs one nursery with this body to its end.
  template <class Body>
  Result<> nursery(Body body, Deadline deadline = {}) {
    return scheduler.run(tubing::nursery(std::move(body), deadline));
  }
  Duration elapsed() { return scheduler.now() - begin; }

  std::uint64_t seed;
  TestReactor reactor;
  Scheduler scheduler;
  Time begin = reactor.now();
};

/// Runs `test` in the order first in first out, then in `count` orders drawn from seeds 1, 2, …
/// A failed check prints the seed; seed 0 is the first one.
template <class F>
void for_seeds(std::uint64_t count, F&& test) {
  for (std::uint64_t seed = 0; seed <= count; ++seed) {
    CAPTURE(seed);
    SchedulerOptions options;
    if (seed > 0) options.order = Order::seeded;
    World world(seed, options);
    test(world);
  }
}

/// Sends `from`, …, `to` - 1 and keeps the channel open.
inline Task<> send_range(Sender<int> tx, int from, int to) {
  for (int i = from; i < to; ++i) co_await ok(tx.send(i));
  co_return {};
}

}  // namespace tubing::test
