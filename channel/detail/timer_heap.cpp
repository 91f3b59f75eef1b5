#include "tubing/channel/detail/timer_heap.h"

#include "tubing/channel/base/assert.h"

namespace tubing::detail {

void TimerHeap::arm(Timer& timer, Time due) {
  TUBING_ASSERT(!timer.armed());
  timer.due = due;
  timer.sequence = sequence_++;
  heap_.push_back(&timer);
  timer.slot = heap_.size() - 1;
  sift_up(timer.slot);
}

void TimerHeap::disarm(Timer& timer) {
  if (!timer.armed()) return;
  const std::size_t slot = timer.slot;
  TUBING_ASSERT(slot < heap_.size() && heap_[slot] == &timer);
  timer.slot = Timer::kIdle;
  Timer& last = *heap_.back();
  heap_.pop_back();
  if (&last == &timer) return;
  place(slot, last);
  sift_up(slot);
  sift_down(last.slot);
}

void TimerHeap::fire_due(Time now) {
  const std::uint64_t before = sequence_;
  while (!heap_.empty() && heap_.front()->due <= now && heap_.front()->sequence < before) {
    Timer& timer = *heap_.front();
    disarm(timer);
    timer.fire(timer);
  }
}

void TimerHeap::sift_up(std::size_t slot) {
  Timer& timer = *heap_[slot];
  while (slot > 0) {
    const std::size_t parent = (slot - 1) / 2;
    if (!earlier(timer, *heap_[parent])) break;
    place(slot, *heap_[parent]);
    slot = parent;
  }
  place(slot, timer);
}

void TimerHeap::sift_down(std::size_t slot) {
  Timer& timer = *heap_[slot];
  for (;;) {
    std::size_t child = 2 * slot + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && earlier(*heap_[child + 1], *heap_[child])) ++child;
    if (!earlier(*heap_[child], timer)) break;
    place(slot, *heap_[child]);
    slot = child;
  }
  place(slot, timer);
}

}  // namespace tubing::detail
