// Reactor: the seam under the Scheduler. It tells the time, waits for the world, and can be woken.
#pragma once

#include <functional>
#include <memory>

#include "tubing/channel/base/result.h"
#include "tubing/channel/base/time.h"
#include "tubing/channel/mailbox.h"

namespace tubing::channel {

/// How many functions that block run at a time, and how many more wait for a thread.
struct WorkerLimits {
  std::uint32_t threads_max = 4;
  std::uint32_t queue_max = 1024;
};

/// A function that blocks.
class Work {
 public:
  /// On a thread of its own.
  virtual void run() noexcept = 0;
  /// It has run. On the Scheduler's thread, from `Reactor::park`.
  virtual void on_done() = 0;

 protected:
  ~Work() = default;
};

/// What differs between production (UvReactor: a libuv loop) and simulation (VirtualReactor).
/// One Scheduler sits on one Reactor; sockets and files register their callbacks with the real one.
///
/// Threads: everything but `wake` and `mailbox().post` belongs to the thread that runs the
/// Scheduler.
class Reactor {
 public:
  /// Dropping it ends the subscription; no callback comes afterwards.
  class Subscription {
   public:
    virtual ~Subscription() = default;
    /// From now on it is no source: it is heard as long as something else keeps the program awake.
    virtual void unref() {}
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
  /// The subscription is a source until unref(): like Go, a program that waits for a signal is not
  /// asleep. (In virtual time signals come from the test alone, and a subscription is none.)
  virtual Result<std::unique_ptr<Subscription>> watch_signal(
      int number, std::function<void(int)> on_signal) = 0;

  /// Runs `work` on a thread of its own; a source until it is done.
  /// Errors: resource_exhausted where too many wait for a thread; `on_done` does not come.
  virtual Result<> start(Work& work) = 0;
  /// Takes back what has not begun. Returns: whether it did; otherwise `on_done` comes.
  virtual bool withdraw(Work& work) = 0;

  /// For those who are called by other threads. An implementation delivers at the end of each park,
  /// counts `is_expecting` as a source, and closes it first of all when it ends.
  Mailbox& mailbox() { return mailbox_; }
  const Mailbox& mailbox() const { return mailbox_; }

 private:
  Mailbox mailbox_{*this};
};

}  // namespace tubing::channel
