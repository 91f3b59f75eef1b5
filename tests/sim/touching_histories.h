// Every small history by a clock that is too coarse to tell what came first.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "tests/sim/client_order.h"
#include "tests/sim/small_histories.h"
#include "tubing/sim/judges/history.h"

namespace tubing::sim {

/// Shows `visit` the histories of exactly so many operations in which each was called and returned
/// in one of a few instants, by one of a few clients that may have asked for them one by one; lines
/// forwards and backwards in turn.
class TouchingHistories {
 public:
  using Visit = std::function<void(const History&)>;
  struct Size {
    std::size_t clients;
    std::int64_t instants;
  };

  TouchingHistories(const std::vector<Question>& questions, Size size, Visit visit)
      : visit_(std::move(visit)) {
    for (std::size_t client = 0; client < size.clients; ++client)
      for (std::int64_t called = 0; called < size.instants; ++called)
        for (const Question& question : questions) add(question, client, called, size.instants);
  }

  void show(std::size_t operations) { go_on(operations, 0); }

 private:
  void add(const Question& question, std::size_t client, std::int64_t called, std::int64_t to) {
    Operation asked{
        .client = client, .op = question.op, .values = question.arguments, .called = called};
    if (question.may_be_unknown) all_.push_back(asked);
    asked.ending = Ending::ok;
    for (const std::vector<NamedValue>& answer : question.answers) {
      asked.values = question.arguments;
      asked.values.insert(asked.values.end(), answer.begin(), answer.end());
      for (asked.returned = called; asked.returned < to; ++asked.returned) all_.push_back(asked);
    }
  }

  void go_on(std::size_t left, std::size_t from) {
    if (left == 0) {
      if (++shown_ % 2 == 0) return visit_(history_);
      return visit_(History(history_.rbegin(), history_.rend()));
    }
    for (std::size_t i = from; i < all_.size(); ++i) {
      const bool fits = std::ranges::all_of(history_, [&](const Operation& other) {
        return other.client != all_[i].client || may_be_asked_first(other, all_[i]) ||
               may_be_asked_first(all_[i], other);
      });
      if (!fits) continue;
      history_.push_back(all_[i]);
      go_on(left - 1, i);
      history_.pop_back();
    }
  }

  const Visit visit_;
  std::vector<Operation> all_;  ///< That any client may ask for, and be told.
  History history_;
  std::uint64_t shown_ = 0;
};

}  // namespace tubing::sim
