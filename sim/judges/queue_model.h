// QueueModel: a queue for each key; what was enqueued first is dequeued first.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tubing/channel/fields.h"
#include "tubing/sim/judges/model.h"
#include "tubing/sim/judges/operation_reader.h"

namespace tubing::sim {

/// Operations: enqueue (value, anything but null), dequeue (result value, null where the queue is
/// empty). Each may have a `key`; a queue begins empty.
///
/// Where no value is enqueued twice and no client calls in the instant in which it was answered,
/// any number of clients is judged in little more than linear time. Where clients do call so, the
/// order of the values is mostly guessed right; else, as with values that come again, it may be
/// `undecided` with many clients on one key.
class QueueModel {
 public:
  /// A number for each value that was met.
  using Number = std::uint32_t;
  struct State {
    std::vector<Number> values;  ///< The oldest first.
    std::uint32_t place = 0;     ///< Of the value that came last; 0 where there is no order.
    static constexpr auto fields = tubing::fields("values", &State::values, "place", &State::place);
  };
  struct Step {
    std::optional<Number> enqueued;
    std::optional<Number> dequeued;  ///< kNothing where the queue was empty.
    static constexpr auto fields =
        tubing::fields("enqueued", &Step::enqueued, "dequeued", &Step::dequeued);
  };

  std::string_view name() const { return "queue"; }
  Result<std::string> part(const Operation& operation) const { return part_by_key(operation); }
  State begin() const { return {}; }
  bool changes_nothing(const Step& step) const { return step.dequeued == kNothing; }
  std::string told(const State& state) const;
  Result<Step> read(const Operation& operation);
  bool apply(State& state, const Step& step) const;

  /// When values came out tells in which order they went in.
  void survey_part(const std::vector<TimedStep<Step>>& steps);
  bool leads_nowhere(const State& before, const Step& step, const State& after) const;
  bool is_detour(const State& before, const Step& step, const State& after) const;

 private:
  /// What is known of a value in a part.
  struct Known {
    std::size_t enqueued = 0;  ///< So often.
    bool idle = false;         ///< Enqueued once, with an unknown end, and dequeued by no answer.
    /// When it may have been dequeued.
    std::int64_t from = Operation::kNever;
    std::int64_t to = Operation::kNever;
    std::size_t taken_out = 0;  ///< By answers, so often.
    /// In the order in which values went in, from 1 on; rising.
    std::vector<std::uint32_t> places = {};
  };

  void survey_values(const std::vector<TimedStep<Step>>& steps);
  void survey_order(const std::vector<TimedStep<Step>>& steps);
  const Known& known(Number value) const;
  bool is_out_of_order(const State& before, const Step& step, const State& after) const;

  static constexpr Number kNothing = 0;

  std::vector<std::string> texts_{"null"};
  std::map<std::string, Number> numbers_{{"null", kNothing}};
  std::vector<Known> known_;      ///< Of each value; nothing of those that are not in the part.
  std::vector<Number> surveyed_;  ///< Those that are.
  std::int64_t unknown_from_ = Operation::kNever;  ///< Dequeues of unknown end: the first call.
  bool has_order_ = false;
  bool order_is_certain_ = false;
  std::uint32_t leaving_ = 0;  ///< Values up to this place came out; those behind it stay.
};
static_assert(Model<QueueModel>);

}  // namespace tubing::sim
