#include "tubing/channel/timers.h"

namespace tubing {
namespace {

using detail::Outcome;
using detail::Waiter;

constexpr detail::WaiterKind kSleep{
    .operation = "sleep",
    .error = [](Waiter& w) { return Error(w.strand->cancel_code, "sleep"); },
    .on_cancel = nullptr};

/// A wait for a point in time and nothing else.
struct SleepOp : Waiter {
  explicit SleepOp(Duration span) : Waiter(kSleep), deadline(within(span)) {}
  bool ready() const { return false; }
  void enlist() {}
  Result<> finish() {
    if (outcome == Outcome::deadline) return {};
    return kind->error(*this);
  }
  Deadline deadline;
};

/// Goes to the end of the ready queue.
class YieldAwaiter : public detail::FrameAwaiter {
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
  detail::Strand* strand_ = nullptr;
};

}  // namespace

Task<void> sleep(Duration span) { co_return co_await SleepOp(span); }

Task<void> yield() { co_return co_await YieldAwaiter(); }

}  // namespace tubing
