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

}  // namespace

Task<void> sleep(Duration span) { co_return co_await SleepOp(span); }

}  // namespace tubing
