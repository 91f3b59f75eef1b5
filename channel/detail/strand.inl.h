// How a strand waits and is woken: on the way of every value, so inlined. The end of scheduler.h.
#pragma once

#include "tubing/channel/scheduler.h"

namespace tubing::detail {

inline std::coroutine_handle<> Strand::park(Waiter& waiter, std::coroutine_handle<> frame,
                                            const Deadline& until) {
  TUBING_ASSERT(!parked, name);
  parked = &waiter;
  next = frame;
  parked_since = scheduler.turn_time_;
  operation = waiter.kind->operation;
  if (!until.never()) [[unlikely]]
    return park_until(waiter, until);
  return scheduler.next_frame();
}

inline void Strand::wake(Waiter& waiter, Outcome outcome) {
  TUBING_ASSERT(parked == &waiter, name);
  parked = nullptr;
  waiter.unlink();
  waiter.outcome = outcome;
  if (waiter.armed() || outcome != Outcome::done) [[unlikely]]
    return wake_unusual(waiter);
  scheduler.push(*this);
}

inline void Strand::make_ready(std::coroutine_handle<> frame) {
  next = frame;
  scheduler.push(*this);
}

}  // namespace tubing::detail
