// Timers: sleeping, absolute deadlines, and what a task may ask of its Scheduler.
#pragma once

#include <concepts>

#include "tubing/channel/nursery.h"

namespace tubing {

/// `co_await sleep(10ms)` waits that long. Errors: cancelled.
Task<void> sleep(Duration span);
/// A bare number is refused: it would be POSIX's sleep, which stops the whole thread. Say 10ms.
template <std::integral Number>
Task<void> sleep(Number) = delete;

/// `Deadline d = co_await deadline(1s);` an absolute deadline, one second from here.
inline auto deadline(Duration span) {
  return StrandFact{[span](detail::Strand& strand) {
    return Deadline(within(span).from(strand.scheduler.now()));
  }};
}

/// `co_await yield()` lets every ready strand go first. Errors: cancelled.
Task<void> yield();

}  // namespace tubing
