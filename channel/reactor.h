// Reactor: the seam under the Scheduler. It tells the time, waits for the world, and can be woken.
#pragma once

#include <functional>
#include <memory>

#include "tubing/channel/base/result.h"
#include "tubing/channel/base/time.h"

namespace tubing::channel {

/// What differs between production (UvReactor: a libuv loop) and simulation (VirtualReactor).
/// One Scheduler sits on one Reactor; sockets and files register their callbacks with the real one.
///
/// Threads: everything but `wake` belongs to the thread that runs the Scheduler.
class Reactor {
 public:
  /// Dropping it ends the subscription; no callback comes afterwards.
  class Subscription {
   public:
    virtual ~Subscription() = default;
  };

  virtual ~Reactor() = default;

  /// The monotonic clock, read afresh at each call.
  virtual Time now() = 0;
  virtual WallTime wall_now() = 0;

  /// Waits until `until`, a callback ran, or `wake`; runs the callbacks of what happened meanwhile.
  /// `Time::min()` polls without waiting; `Time::max()` waits without end. May return early.
  virtual void park(Time until) = 0;

  /// Whether a callback may still come: an open socket, a signal subscription, a delivery in
  /// flight. Without one, and without a timer, a Scheduler whose strands all wait is asleep.
  virtual bool has_sources() const = 0;

  /// Makes a `park` that runs, or the next one, return soon.
  /// Threads: any; also from a signal handler.
  virtual void wake() = 0;

  /// Calls `on_signal(number)` on the Scheduler's thread each time the process gets the signal.
  /// The subscription is a source: like Go, a program that waits for a signal is not asleep. (In
  /// virtual time signals come from the test alone, and a subscription is none.)
  virtual Result<std::unique_ptr<Subscription>> watch_signal(
      int number, std::function<void(int)> on_signal) = 0;
};

}  // namespace tubing::channel
