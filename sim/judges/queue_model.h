// QueueModel: a queue for each key; what was enqueued first is dequeued first.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tubing/channel/fields.h"
#include "tubing/sim/judges/model.h"
#include "tubing/sim/judges/operation_reader.h"

namespace tubing::sim {

/// Operations: enqueue (value, anything but null), dequeue (result value, null where the queue is
/// empty). Each may have a `key`; a queue begins empty.
class QueueModel {
 public:
  using State = std::vector<std::string>;  ///< The oldest first, as JSON.
  struct Step {
    std::optional<std::string> enqueued;
    std::optional<std::string> dequeued;  ///< "null" where the queue was empty.
    static constexpr auto fields =
        tubing::fields("enqueued", &Step::enqueued, "dequeued", &Step::dequeued);
  };

  std::string_view name() const { return "queue"; }
  Result<std::string> part(const Operation& operation) const { return part_by_key(operation); }
  State begin() const { return {}; }
  bool changes_nothing(const Step& step) const { return step.dequeued == kNothing; }
  std::string told(const State& state) const;

  Result<Step> read(const Operation& operation) const {
    OperationReader in(operation);
    Step step;
    if (in.is("enqueue")) step.enqueued = in.value("value");
    if (in.is("dequeue")) step.dequeued = in.result("value");
    if (step.enqueued == kNothing) in.refuse("\"value\" is null, which says that a queue is empty");
    return in.finish(std::move(step));
  }

  bool apply(State& state, const Step& step) const {
    if (step.enqueued) {
      state.push_back(*step.enqueued);
      return true;
    }
    if (state.empty()) return !step.dequeued || *step.dequeued == kNothing;
    if (step.dequeued && *step.dequeued != state.front()) return false;
    state.erase(state.begin());
    return true;
  }

  /// When values that were enqueued once came out tells in which order they went in.
  void survey_part(const std::vector<TimedStep<Step>>& steps);
  bool leads_nowhere(const State& before, const State& after) const;

 private:
  /// When a value may have been dequeued.
  struct Span {
    std::int64_t from = Operation::kNever;
    std::int64_t to = Operation::kNever;
  };

  Span span_of(const std::string& value) const;

  static constexpr std::string_view kNothing = "null";

  std::map<std::string, Span> dequeued_;
  std::set<std::string> idle_;  ///< Enqueued once, with an unknown end, and dequeued by no answer.
  std::int64_t unknown_from_ = Operation::kNever;  ///< Dequeues of unknown end: the first call.
};
static_assert(Model<QueueModel>);

}  // namespace tubing::sim
