// run_blocking(f): a function that blocks, on a thread of its own, awaited as anything else.
#pragma once

#include "tubing/channel/detail/blocking_op.h"

namespace tubing {

/// `auto rows = co_await run_blocking([&] { return database.query(text); });` runs the function on
/// a worker thread while other strands go on, and yields its Result. What it returns may be a
/// value, a Result or nothing; it may take a `std::stop_token`.
///
/// The wait ends when the function has returned, always: nothing runs on behind it, so that the
/// function may refer to what the awaiting task holds, as long as no other task touches it
/// meanwhile. `channel::WorkerLimits` bounds how many run and how many wait.
///
/// Errors: what it returns; an exception becomes `internal` with its text; resource_exhausted
/// where too many wait for a thread.
/// Threads: awaited on the Scheduler's; the function runs on another. In virtual time it runs on
/// the Scheduler's own thread, as an event of its own that takes no time.
/// Cancel: a function that has not begun never does, and the wait ends with `cancelled`. One that
/// runs is asked to stop by its stop_token, and yields what it returns.
template <class F>
  requires(std::invocable<F&> || std::invocable<F&, std::stop_token>)
detail::BlockingOp<F> run_blocking(F function) {
  return detail::BlockingOp<F>(std::move(function));
}

}  // namespace tubing
