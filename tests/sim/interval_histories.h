// Every history of so many operations that a judge can tell from another.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "tests/sim/small_histories.h"
#include "tubing/sim/judges/history.h"

namespace tubing::sim {

/// Shows `visit` the histories of exactly `operations`, by any number of clients, up to two
/// symmetries: which client asked what, since each operation has a client of its own; and which
/// exact times it took, since a judge may go by nothing but which operation returned before which
/// other was called. Such relations are the interval orders: 1, 2, 5, 15, 53 of 1 to 5 operations.
///
/// Each has one shape in which no step of the times could be left out: operation i lasts from step
/// first[i] to step last[i], and at each step something is called and something returns. Operations
/// of one span are alike, so that of their answers only the multiset counts. What did not return
/// precedes nothing, as what returns in the last step does: there alone an end may be unknown.
///
/// From one history to the next the layout changes: all of a step in one instant, or each call and
/// return at a time of its own; lines and times of a step forwards, or backwards.
class IntervalHistories {
 public:
  using Visit = std::function<void(const History&)>;

  IntervalHistories(const std::vector<Question>& questions, Visit visit)
      : visit_(std::move(visit)) {
    for (const Question& question : questions) {
      Operation asked{.op = question.op, .values = question.arguments};
      if (question.may_be_unknown) unknown_.push_back(asked);
      for (const std::vector<NamedValue>& answer : question.answers) {
        Operation told = asked;
        told.values.insert(told.values.end(), answer.begin(), answer.end());
        told.ending = Ending::ok;
        known_.push_back(std::move(told));
      }
    }
  }

  void show(std::size_t operations) {
    history_.resize(operations);
    for (steps_ = 1; steps_ <= operations; ++steps_) add_span(1, 1, operations);
  }
  /// Interval orders that were shown.
  std::size_t orders() const { return orders_; }

 private:
  struct Span {
    std::int64_t first;
    std::int64_t last;
    friend bool operator==(const Span&, const Span&) = default;
  };

  /// Spans in their order, from this one on.
  void add_span(std::size_t first, std::size_t last, std::size_t left) {
    if (left == 0) {
      if (!is_tight()) return;
      ++orders_;
      return add_label(0, 0);
    }
    for (; first <= steps_; last = ++first)
      for (; last <= steps_; ++last) {
        spans_.push_back({static_cast<std::int64_t>(first), static_cast<std::int64_t>(last)});
        add_span(first, last, left - 1);
        spans_.pop_back();
      }
  }

  bool is_tight() const {
    for (std::int64_t step = 1; step <= static_cast<std::int64_t>(steps_); ++step)
      if (std::ranges::find(spans_, step, &Span::first) == spans_.end() ||
          std::ranges::find(spans_, step, &Span::last) == spans_.end())
        return false;
    return true;
  }

  /// Answers of one span in their order, from this one on.
  void add_label(std::size_t place, std::size_t from) {
    if (place == spans_.size()) return visit_(laid_out());
    const bool may_be_open = spans_[place].last == static_cast<std::int64_t>(steps_);
    const std::size_t labels = known_.size() + (may_be_open ? unknown_.size() : 0);
    for (std::size_t label = from; label < labels; ++label) {
      Operation& operation = history_[place];
      operation = label < known_.size() ? known_[label] : unknown_[label - known_.size()];
      operation.client = place;
      const bool same = place + 1 < spans_.size() && spans_[place + 1] == spans_[place];
      add_label(place + 1, same ? label : 0);
    }
  }

  const History& laid_out() {
    const bool one_instant = (shown_ & 1) != 0;
    const bool backwards = (shown_ & 2) != 0;
    ++shown_;
    const auto count = static_cast<std::int64_t>(spans_.size());
    for (std::int64_t place = 0; place < count; ++place) {
      const auto [first, last] = spans_[static_cast<std::size_t>(place)];
      Operation& operation = history_[static_cast<std::size_t>(place)];
      const std::int64_t turn = backwards ? count - place : place;
      operation.called = one_instant ? first : 2 * count * first + turn;
      if (operation.ending == Ending::unknown) continue;
      operation.returned = one_instant ? last : 2 * count * last + count + 1 + turn;
    }
    if (!backwards) return history_;
    reversed_.assign(history_.rbegin(), history_.rend());
    return reversed_;
  }

  const Visit visit_;
  std::vector<Operation> known_;  ///< A question and what it was told; and without an end.
  std::vector<Operation> unknown_;
  std::size_t steps_ = 0;
  std::vector<Span> spans_;
  History history_;
  History reversed_;
  std::size_t orders_ = 0;
  std::uint64_t shown_ = 0;
};

}  // namespace tubing::sim
