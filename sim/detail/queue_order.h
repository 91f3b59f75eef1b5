// QueueOrder: in which order values may have gone through a queue that took each of them once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tubing/sim/judges/history.h"

namespace tubing::sim::detail {

/// When an operation was called and returned; `touches`: right behind another of its client, in
/// the instant in which that one returned.
struct QueueSpan {
  std::int64_t called = Operation::kNever;
  std::int64_t returned = Operation::kNever;
  bool touches = false;
};

/// What is known of a queue: of each value, which is enqueued once, when it went in and came out.
struct QueueTimes {
  struct Through {
    QueueSpan in;
    QueueSpan out = {};  ///< Never, where no answer tells.
  };
  std::vector<Through> values;           ///< Without those that need not have gone in.
  std::vector<QueueSpan> lost_dequeues;  ///< Of unknown end.
  std::vector<QueueSpan> found_it_empty;
};

struct QueueOrder {
  std::vector<std::size_t> order;  ///< Of all values, by their places in `values`.
  std::size_t leaving = 0;         ///< So many of the first came out; the others stay.
};

/// An order such that, if the history has a legal one at all, it has one in which the values go in
/// and come out like this: as long as none of the spans touch. Where they do it is a good guess.
///
/// Each value has a deadline, by which it must have come out: the return of its own dequeue, or of
/// that of a value that went in wholly later, or a moment behind its enqueue's return at which
/// somebody found the queue empty. By deadline, and then by the enqueue's return, is the order.
/// Why: let each operation take effect as soon as it was called, and all before it in the order
/// did. An enqueue that came too late for its return would have to wait for a value that was called
/// later and has the earlier deadline; but that one's deadline is its own too. A dequeue that came
/// too late would have to wait for one whose deadline is due though it was called later: of two
/// values that went in one behind the other and came out the other way round, or one that was in
/// the queue all the while when it was found empty, and then there is no order at all.
///
/// Dequeues of unknown end take what has a deadline and no dequeue of its own; the one called first
/// takes what is due first. The queue was found empty as early as it can be: when no value was in
/// it for certain, and as many dequeues of unknown end were called, then and at each time later, as
/// values are due. One such moment does not stand in another's way.
///
/// Units: O(n log n).
/// Source: Henzinger, Sezgin and Vafeiadis, "Aspect-oriented linearizability proofs" (2013), and
/// Bouajjani, Emmi, Enea and Hamza, "On reducing linearizability to state reachability" (2015),
/// show that pairs of different values tell what is wrong with a queue.
QueueOrder queue_order(const QueueTimes& times);

}  // namespace tubing::sim::detail
