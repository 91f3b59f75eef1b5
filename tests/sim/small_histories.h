// Every small history there is: all that few clients can ask, overlap in, and be told.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tubing/sim/judges/history.h"

namespace tubing::sim {

/// What a client may ask, and all that it may be told.
struct Question {
  std::string op;
  std::vector<NamedValue> arguments = {};
  std::vector<std::vector<NamedValue>> answers = {{}};
  /// Whether it is worth an unknown end: a reader that nobody heard of says nothing.
  bool may_be_unknown = true;
};

/// Shows `visit` every history of exactly `operations`: all interleavings of calls and ends, each
/// at a time of its own; each end an answer, or unknown. Clients are numbered by their first calls.
class SmallHistories {
 public:
  using Visit = std::function<void(const History&)>;

  SmallHistories(std::vector<Question> questions, std::size_t clients, Visit visit)
      : questions_(std::move(questions)), waiting_(clients), visit_(std::move(visit)) {}

  void show(std::size_t operations) {
    operations_ = operations;
    go_on(0);
  }

 private:
  struct Waiting {
    bool waits = false;
    std::size_t operation = 0;
    std::size_t question = 0;
  };

  void go_on(std::int64_t now) {
    bool all_idle = true;
    for (std::size_t client = 0; client < waiting_.size(); ++client) {
      if (!waiting_[client].waits) continue;
      all_idle = false;
      end(client, now);
    }
    if (history_.size() == operations_) {
      if (all_idle) visit_(history_);
      return;
    }
    for (std::size_t client = 0; client < std::min(known_ + 1, waiting_.size()); ++client)
      if (!waiting_[client].waits) call(client, now);
  }

  void call(std::size_t client, std::int64_t now) {
    const std::size_t known = known_;
    known_ = std::max(known_, client + 1);
    for (std::size_t i = 0; i < questions_.size(); ++i) {
      waiting_[client] = {.waits = true, .operation = history_.size(), .question = i};
      history_.push_back({.client = client,
                          .op = questions_[i].op,
                          .values = questions_[i].arguments,
                          .called = now});
      go_on(now + 1);
      history_.pop_back();
    }
    waiting_[client] = {};
    known_ = known;
  }

  void end(std::size_t client, std::int64_t now) {
    const Waiting was = waiting_[client];
    const Question& question = questions_[was.question];
    waiting_[client] = {};
    // Nobody sees when a client gives up: only what it calls next can tell, so one moment does.
    if (question.may_be_unknown && was.operation + 1 == history_.size()) go_on(now + 1);
    for (const std::vector<NamedValue>& answer : question.answers) {
      Operation& ended = history_[was.operation];
      ended.values.insert(ended.values.end(), answer.begin(), answer.end());
      ended.returned = now;
      ended.ending = Ending::ok;
      go_on(now + 1);
      Operation& again = history_[was.operation];
      again.values.resize(question.arguments.size());
      again.returned = Operation::kNever;
      again.ending = Ending::unknown;
    }
    waiting_[client] = was;
  }

  const std::vector<Question> questions_;
  std::vector<Waiting> waiting_;
  const Visit visit_;
  std::size_t operations_ = 0;
  std::size_t known_ = 0;  ///< Clients that called before.
  History history_;
};

}  // namespace tubing::sim
