#include "tubing/sim/detail/queue_order.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

namespace tubing::sim::detail {
namespace {

/// Numbers of which all before a place go down together, and the least behind a place is asked for.
class Reserves {
 public:
  explicit Reserves(const std::vector<std::int64_t>& numbers)
      : leaves_(std::bit_ceil(std::max<std::size_t>(numbers.size(), 1))),
        least_(2 * leaves_, INT64_MAX / 2),
        added_(2 * leaves_, 0) {
    std::ranges::copy(numbers, least_.begin() + static_cast<std::ptrdiff_t>(leaves_));
    for (std::size_t node = leaves_; node-- > 1;) join(node);
  }

  /// One less, of all before `end`.
  void take_before(std::size_t end) {
    // The nodes that hang left of the way from the root to `end`.
    std::size_t node = leaves_ + end;
    if (end >= leaves_) return take(1);
    for (; node > 1; node /= 2) {
      if (node % 2 == 1) take(node - 1);
      join(node / 2);
    }
  }
  std::int64_t least_from(std::size_t begin) const {
    std::size_t node = leaves_ + begin;
    std::int64_t least = least_[node];
    for (; node > 1; node /= 2) {
      if (node % 2 == 0) least = std::min(least, least_[node + 1]);
      least += added_[node / 2];
    }
    return least;
  }

 private:
  void take(std::size_t node) {
    --least_[node];
    --added_[node];
  }
  void join(std::size_t node) {
    least_[node] = std::min(least_[2 * node], least_[2 * node + 1]) + added_[node];
  }

  const std::size_t leaves_;
  std::vector<std::int64_t> least_;  ///< Of what lies below a node, but for what was added above.
  std::vector<std::int64_t> added_;
};

/// Times by their places among all that there are. Two for each: what touches comes in the second.
class OrderFinder {
 public:
  explicit OrderFinder(const QueueTimes& times) : times_(times) {
    for (const auto& [in, out] : times.values) {
      add(in);
      add(out);
    }
    for (const QueueSpan& span : times.lost_dequeues) add(span);
    for (const QueueSpan& span : times.found_it_empty) add(span);
    std::ranges::sort(known_);
    const auto repeated = std::ranges::unique(known_);
    known_.erase(repeated.begin(), repeated.end());
    never_ = 2 * known_.size();
  }

  QueueOrder find() {
    find_later_ones();
    find_empty_moments();
    std::vector<std::tuple<std::size_t, std::size_t, std::size_t>> by_deadline;
    for (std::size_t i = 0; i < times_.values.size(); ++i) {
      const auto& [in, out] = times_.values[i];
      const std::size_t empty = empty_moment_from(returned(in) + 1);
      by_deadline.emplace_back(std::min(own_deadline(i), empty), returned(in), i);
    }
    std::ranges::sort(by_deadline);
    QueueOrder found;
    for (const auto& [deadline, in, value] : by_deadline) {
      found.order.push_back(value);
      if (deadline != never_) ++found.leaving;
    }
    return found;
  }

 private:
  void add(const QueueSpan& span) {
    for (const std::int64_t time : {span.called, span.returned})
      if (time != Operation::kNever) known_.push_back(time);
  }
  std::size_t place(std::int64_t time) const {
    if (time == Operation::kNever) return never_;
    return 2 * static_cast<std::size_t>(std::ranges::lower_bound(known_, time) - known_.begin());
  }
  std::size_t called(const QueueSpan& span) const {
    return std::min(place(span.called) + (span.touches ? 1 : 0), never_);
  }
  std::size_t returned(const QueueSpan& span) const { return place(span.returned); }

  /// By which it must have come out, but for what found the queue empty.
  std::size_t own_deadline(std::size_t value) const {
    const auto& [in, out] = times_.values[value];
    return std::min(returned(out), later_out_[returned(in)]);
  }

  /// Of all values that went in wholly behind a time, when the first must have come out.
  void find_later_ones() {
    later_out_.assign(never_ + 1, never_);
    for (const auto& [in, out] : times_.values) {
      const std::size_t time = called(in);
      if (time > 0) later_out_[time - 1] = std::min(later_out_[time - 1], returned(out));
    }
    for (std::size_t time = never_; time-- > 0;)
      later_out_[time] = std::min(later_out_[time], later_out_[time + 1]);
  }

  /// Of each time, whether the queue can be empty then.
  std::vector<bool> may_be_empty() const {
    std::vector<std::int64_t> held(never_ + 1, 0);   // Changes of how many are in it for certain.
    std::vector<std::int64_t> spare(never_ + 1, 0);  // And of dequeues for what is due.
    std::vector<std::pair<std::size_t, std::size_t>> stuck;  // Without a dequeue of their own.
    for (const QueueSpan& lost : times_.lost_dequeues) ++spare[called(lost)];
    for (std::size_t i = 0; i < times_.values.size(); ++i) {
      const auto& [in, out] = times_.values[i];
      if (out.called == Operation::kNever) {
        --spare[own_deadline(i)];
        stuck.emplace_back(returned(in), own_deadline(i));
      } else if (returned(in) + 1 < called(out)) {
        ++held[returned(in) + 1];
        --held[called(out)];
      }
    }
    std::ranges::sort(stuck);
    for (std::size_t time = 1; time <= never_; ++time) spare[time] += spare[time - 1];
    // What is never due asks for nothing.
    spare[never_] = std::max<std::int64_t>(spare[never_], 0) + std::ssize(times_.values);
    Reserves reserves(spare);
    std::vector<bool> empty(never_ + 1, false);
    std::int64_t holds = 0;
    auto next = stuck.begin();
    for (std::size_t time = 0; time < never_; ++time) {
      holds += held[time];
      for (; next != stuck.end() && next->first < time; ++next) reserves.take_before(next->second);
      empty[time] = holds == 0 && reserves.least_from(time) >= 0;
    }
    return empty;
  }

  void find_empty_moments() {
    empty_moments_.assign(never_ + 2, never_);
    if (!times_.found_it_empty.empty()) {
      const std::vector<bool> empty = may_be_empty();
      std::vector<std::size_t> next(never_ + 2, never_);
      for (std::size_t time = never_; time-- > 0;) next[time] = empty[time] ? time : next[time + 1];
      for (const QueueSpan& span : times_.found_it_empty) {
        const std::size_t moment = next[called(span)];
        if (moment <= returned(span)) empty_moments_[moment] = moment;
      }
    }
    for (std::size_t time = never_; time-- > 0;)
      empty_moments_[time] = std::min(empty_moments_[time], empty_moments_[time + 1]);
  }
  std::size_t empty_moment_from(std::size_t time) const {
    return empty_moments_[std::min(time, never_)];
  }

  const QueueTimes& times_;
  std::vector<std::int64_t> known_;
  std::size_t never_ = 0;
  std::vector<std::size_t> later_out_;
  std::vector<std::size_t> empty_moments_;  ///< Of each time, the first that is not before it.
};

}  // namespace

QueueOrder queue_order(const QueueTimes& times) { return OrderFinder(times).find(); }

}  // namespace tubing::sim::detail
