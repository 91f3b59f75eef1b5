// Strand: one line of execution, as a goroutine is one; made by a nursery's spawn.
#pragma once

#include <coroutine>
#include <string>

#include "tubing/channel/base/result.h"
#include "tubing/channel/detail/frame_pool.h"
#include "tubing/channel/detail/waiter.h"

namespace tubing {
class Scheduler;
}

namespace tubing::detail {

/// Who is told when a strand ends: a nursery, or the Scheduler for the root.
class StrandOwner {
 public:
  virtual void on_strand_end(Strand& strand, Result<> result) = 0;

 protected:
  ~StrandOwner() = default;
};

/// A named chain of frames of which one runs or waits.
///
/// States: ready (in the Scheduler's queue), running, parked (`parked` is set), finished.
/// Invariant: at most one parked waiter. Cancelling is sticky.
class Strand : public Pooled {
 public:
  Strand(Scheduler& on, StrandOwner& by, std::string called)
      : scheduler(on), owner(by), name(std::move(called)) {}
  Strand(const Strand&) = delete;
  Strand& operator=(const Strand&) = delete;

  /// Begins to wait. Returns the frame that goes on instead.
  /// Requires: running, nothing parked, the waiter's nodes are linked.
  inline std::coroutine_handle<> park(Waiter& waiter, std::coroutine_handle<> frame,
                                      const Deadline& until);
  /// Ends the wait: unlinks, disarms, and queues the strand. Requires: `waiter` is parked here.
  inline void wake(Waiter& waiter, Outcome outcome);
  /// Queues the strand to go on at `frame`.
  inline void make_ready(std::coroutine_handle<> frame);
  /// Marks the strand; ends its wait. The first code stays.
  void cancel(Code code);
  bool cancelled() const { return cancel_code != Code::ok; }

  // What every wait touches lies together.
  Scheduler& scheduler;
  std::coroutine_handle<> next;  ///< Where to go on; valid while ready or parked.
  Waiter* parked = nullptr;
  Code cancel_code = Code::ok;
  bool finished = false;
  Time parked_since;                ///< The time of the turn in which the wait began.
  const char* operation = "start";  ///< What it last waited in.
  StrandOwner& owner;
  PromiseBase* root = nullptr;     ///< The outermost frame; owned by the strand's owner.
  std::uint64_t id = 0;            ///< In the order of spawning.
  Strand* prev_sibling = nullptr;  ///< The owner's list of living strands.
  Strand* next_sibling = nullptr;
  Strand* prev_living = nullptr;  ///< The Scheduler's list of living strands, for `dump()`.
  Strand* next_living = nullptr;
  std::string name;

 private:
  // What few waits have: a deadline, an end without the operation.
  std::coroutine_handle<> park_until(Waiter& waiter, const Deadline& until);
  void wake_unusual(Waiter& waiter);
};

}  // namespace tubing::detail
