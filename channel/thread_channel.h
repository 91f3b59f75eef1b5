// ThreadChannel<T>: the one bridge for ordinary threads, and between loops.
#pragma once

#include "tubing/channel/detail/thread_ends.h"

namespace tubing {

/// A channel whose two sides may be on different threads. On the side of a thread a call blocks; on
/// the side of a loop it gives an ordinary Sender or Receiver, an arm of select and a member of a
/// FanIn as any other. A copyable handle: all copies are the same channel.
///
///     ThreadChannel<Frame> frames{64};
///     std::thread camera([frames] {
///       while (frames.send(grab())) {
///       }
///     });
///     Receiver<Frame> rx = frames.rx(scheduler);  // on the loop: while (auto f = co_await
///     rx.recv())
///
/// Any number of threads and loops may send, and either any number of threads or one loop receives.
/// At most `capacity` values wait, wherever they are. A loop is woken once, when the first value
/// comes; what came meanwhile is taken over at once.
///
/// When a receiving loop ends, or its last Receiver is dropped, senders get `closed`. When every
/// copy of the handle and every Sender is gone before somebody closed it, the receiving loop gets
/// `cancelled`, behind what was sent.
///
/// Requires: not empty, for every operation.
/// Threads: any, also for destruction; `tx` and `rx` that of their Scheduler. Calls that block are
/// not for a loop's thread, on which nothing would then go on.
template <class T>
class ThreadChannel {
 public:
  /// An empty handle.
  ThreadChannel() = default;
  /// Requires: capacity > 0; a thread's values need somewhere to wait.
  explicit ThreadChannel(std::size_t capacity)
      : handle_(std::make_shared<detail::ThreadHandle<T>>(capacity)) {}

  /// Blocks until there is room. `within(1s)` counts from here.
  /// Errors: closed, or the code that somebody closed it with; deadline_exceeded. The value is then
  /// untouched.
  Result<> send(const T& value, Deadline deadline = {}) const
    requires std::copy_constructible<T>
  {
    return core().send(value, deadline);
  }
  Result<> send(T&& value, Deadline deadline = {}) const {
    return core().send(std::move(value), deadline);
  }
  /// Sends if there is room. Returns: false where there is none, with the value untouched. Errors:
  /// as send, without the waiting one. Threads: a loop's too.
  Result<bool> try_send(T&& value) const { return core().try_send(std::move(value)); }
  /// Blocks until there is a value.
  /// Requires: no loop receives.
  /// Errors: closed, or the code that somebody closed it with, once all has been received;
  /// deadline_exceeded.
  Result<T> recv(Deadline deadline = {}) const { return core().recv(deadline); }

  /// Nothing more will be sent; what was sent can still be received. Idempotent.
  void close() const { core().close(Error(Code::closed, "channel")); }
  /// The same with another reason. The first one stays.
  void close(Error why) const { core().close(std::move(why)); }

  /// The sending end for tasks of this loop.
  Sender<T> tx(Scheduler& scheduler) const {
    TUBING_ASSERT(handle_ && "an operation on an empty ThreadChannel");
    return detail::ThreadWriter<T>::make(handle_, scheduler);
  }
  /// The receiving end for tasks of this loop. While it lives and the channel is open the loop does
  /// not count as asleep: a thread may send.
  /// Requires: called once; no thread receives.
  Receiver<T> rx(Scheduler& scheduler) const {
    TUBING_ASSERT(handle_ && "an operation on an empty ThreadChannel");
    return detail::ThreadReader<T>::make(handle_->core, scheduler);
  }

  explicit operator bool() const { return handle_ != nullptr; }
  std::size_t capacity() const { return core().capacity(); }

 private:
  detail::ThreadCore<T>& core() const {
    TUBING_ASSERT(handle_ && "an operation on an empty ThreadChannel");
    return *handle_->core;
  }

  // Shared: copies of the handle and the Senders of loops; the core never refers to it.
  std::shared_ptr<detail::ThreadHandle<T>> handle_;
};

}  // namespace tubing
