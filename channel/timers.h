// Timers: sleeping, absolute deadlines, and what a task may ask of its Scheduler.
#pragma once

#include "tubing/channel/nursery.h"

namespace tubing {

/// `co_await sleep(10ms)` waits that long. Errors: cancelled.
Task<void> sleep(Duration span);

/// `Deadline d = co_await deadline(1s);` an absolute deadline, one second from here.
inline auto deadline(Duration span) {
  return StrandFact{[span](detail::Strand& strand) {
    return Deadline(within(span).from(strand.scheduler.now()));
  }};
}

namespace detail {

/// Goes to the end of the ready queue.
class [[nodiscard]] YieldAwaiter : public FrameAwaiter {
 public:
  bool await_ready() const { return false; }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> frame) {
    strand_ = frame.promise().strand;
    strand_->make_ready(frame);
  }
  Result<> await_resume() const {
    if (strand_->cancelled()) return Error(strand_->cancel_code, "yield");
    return {};
  }

 private:
  Strand* strand_ = nullptr;
};

}  // namespace detail

/// `co_await yield()` lets every ready strand go first. Errors: cancelled.
inline detail::YieldAwaiter yield() { return {}; }

}  // namespace tubing
