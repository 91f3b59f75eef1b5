// TimerHeap: what is due when. Timers are intrusive; arming one allocates nothing but heap slots.
#pragma once

#include <cstddef>
#include <vector>

#include "tubing/channel/base/time.h"

namespace tubing::detail {

/// One point in time at which `fire` is called, on the Scheduler's thread, unless disarmed before.
/// Owns: nothing; its holder disarms it before it dies.
struct Timer {
  static constexpr std::size_t kIdle = ~std::size_t{0};

  Timer() : slot(kIdle) {}
  bool armed() const { return slot != kIdle; }

  std::size_t slot;        ///< Its place in the heap, or kIdle.
  Time due;                ///< Valid while armed.
  std::uint64_t sequence;  ///< Orders timers that are due together: first armed, first fired.
  void (*fire)(Timer&);    ///< Called once, after it was taken from the heap.

 protected:
  /// Idle once its holder has set `slot`.
  struct Later {};
  explicit Timer(Later) {}
};

/// A binary heap ordered by (due, sequence).
class TimerHeap {
 public:
  bool empty() const { return heap_.empty(); }
  /// Requires: !empty().
  Time next_due() const { return heap_.front()->due; }
  /// Requires: `timer` is idle, its `fire` is set.
  void arm(Timer& timer, Time due);
  /// Does nothing to an idle timer.
  void disarm(Timer& timer);
  /// Fires all that is due at `now`, but none that is armed by a firing.
  void fire_due(Time now);

 private:
  bool earlier(const Timer& a, const Timer& b) const {
    return a.due != b.due ? a.due < b.due : a.sequence < b.sequence;
  }
  void place(std::size_t slot, Timer& timer) {
    heap_[slot] = &timer;
    timer.slot = slot;
  }
  void sift_up(std::size_t slot);
  void sift_down(std::size_t slot);

  std::vector<Timer*> heap_;
  std::uint64_t sequence_ = 0;
};

}  // namespace tubing::detail
