// UvReactor: the real world under a Scheduler. One libuv loop, its timer and its wake-up.
#pragma once

#include <memory>

#include "tubing/channel/base/bytes.h"
#include "tubing/channel/reactor.h"

struct uv_loop_s;

namespace tubing::channel {

class WorkerPool;

/// A Reactor on libuv. Sockets, pipes and files put their handles on `loop()`; one `park` is one
/// turn of that loop and costs one epoll_wait.
///
/// Making the first one ignores SIGPIPE for the whole process, unless the program handles it
/// already: libuv writes with write(2), and a peer that went away is an Error, not a death.
///
/// Requires: every handle on the loop is closed, or closing, when the reactor is destroyed;
/// otherwise it names the handles left open and aborts.
/// Threads: all but `wake` and the Mailbox belong to the one thread that parks.
class UvReactor final : public Reactor {
 public:
  explicit UvReactor(WorkerLimits worker_limits = {});
  ~UvReactor() override;
  UvReactor(const UvReactor&) = delete;
  UvReactor& operator=(const UvReactor&) = delete;

  Time now() override;
  WallTime wall_now() override;

  /// Units: libuv waits in milliseconds, so a wait ends up to 2 ms after `until`, never before it
  /// unless something happened.
  void park(Time until) override;
  bool has_sources() const override;
  void wake() override;
  /// Errors: invalid_argument where no program may handle the signal.
  Result<std::unique_ptr<Subscription>> watch_signal(int number,
                                                     std::function<void(int)> on_signal) override;

  Result<> start(Work& work) override;
  bool withdraw(Work& work) override;

  /// Where handles are made. A callback of a timer or idle handle calls `interrupt`.
  uv_loop_s& loop();
  /// The reactor on whose loop a handle lives. Requires: the loop is a UvReactor's.
  static UvReactor& of(const uv_loop_s* loop);
  /// Makes the `park` that runs now return without waiting: libuv computes how long to wait only
  /// after its timers ran, and would sleep on what they made ready.
  void interrupt();

  /// The one read buffer of this loop, lent to one read at a time. Requires: it is not lent.
  MutableBytes lend_buffer();
  /// Requires: it is lent.
  void return_buffer();

 private:
  struct Handles;

  void arm(Time until);
  void disarm();

  std::unique_ptr<Handles> handles_;
  std::unique_ptr<std::byte[]> buffer_;
  const WorkerLimits worker_limits_;
  std::unique_ptr<WorkerPool> workers_;  ///< Made at the first function that blocks.
  Time armed_ = Time::max();             ///< When the timer fires; max while it is stopped.
  bool parked_ = false;
  bool lent_ = false;
};

}  // namespace tubing::channel
