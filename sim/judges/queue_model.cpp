#include "tubing/sim/judges/queue_model.h"

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <utility>

#include "tubing/sim/detail/queue_order.h"

namespace tubing::sim {
namespace {

/// Of a long queue a story tells the front.
constexpr std::size_t kValuesToldMax = 10;

}  // namespace

Result<QueueModel::Step> QueueModel::read(const Operation& operation) {
  OperationReader in(operation);
  Step step;
  const auto number = [&](std::string text) {
    const auto next = static_cast<Number>(texts_.size());
    const auto [found, is_new] = numbers_.try_emplace(text, next);
    if (is_new) texts_.push_back(std::move(text));
    return found->second;
  };
  if (in.is("enqueue")) step.enqueued = number(in.value("value"));
  if (in.is("dequeue"))
    if (std::optional<std::string> value = in.result("value")) step.dequeued = number(*value);
  if (step.enqueued == kNothing) in.refuse("\"value\" is null, which says that a queue is empty");
  return in.finish(step);
}

bool QueueModel::apply(State& state, const Step& step) const {
  if (step.enqueued) {
    state.values.push_back(*step.enqueued);
    if (!has_order_) return true;
    const auto& places = known(*step.enqueued).places;
    const bool fits = std::ranges::binary_search(places, state.place + 1);
    state.place = fits ? state.place + 1 : places.empty() ? 0 : places.front();
    return true;
  }
  if (state.values.empty()) return !step.dequeued || *step.dequeued == kNothing;
  if (step.dequeued && *step.dequeued != state.values.front()) return false;
  state.values.erase(state.values.begin());
  return true;
}

void QueueModel::survey_part(const std::vector<TimedStep<Step>>& steps) {
  for (const Number value : surveyed_) known_[value] = {};
  known_.resize(texts_.size());
  surveyed_.clear();
  unknown_from_ = Operation::kNever;
  survey_values(steps);
  const auto again = [&](Number value) { return known_[value].enqueued > 1; };
  const auto too_often = [&](Number value) {
    return value != kNothing && known_[value].taken_out > known_[value].enqueued;
  };
  const auto touches = [](const TimedStep<Step>& step) { return step.touches; };
  // Where there is no order at all, no order is missed.
  order_is_certain_ =
      std::ranges::any_of(surveyed_, too_often) ||
      (std::ranges::none_of(surveyed_, again) && std::ranges::none_of(steps, touches));
  has_order_ = true;
  survey_order(steps);
}

void QueueModel::survey_values(const std::vector<TimedStep<Step>>& steps) {
  for (const TimedStep<Step>& timed : steps) {
    const Step& step = timed.step;
    if (const auto number = step.enqueued ? step.enqueued : step.dequeued)
      surveyed_.push_back(*number);
    if (step.enqueued) {
      Known& value = known_[*step.enqueued];
      value.idle = ++value.enqueued == 1 && !timed.is_known();
    } else if (!step.dequeued) {
      unknown_from_ = std::min(unknown_from_, timed.called);
    } else if (*step.dequeued != kNothing) {
      Known& value = known_[*step.dequeued];
      ++value.taken_out;
      value.from = std::min(value.from, timed.called);
      value.to = timed.returned;
    }
  }
  for (const Number number : surveyed_) {
    Known& value = known_[number];
    // One of unknown end that no answer knows of helps no order.
    value.idle = value.idle && value.taken_out == 0;
    // Of a value that is there twice nobody knows which one came out.
    if (value.taken_out > 0 && value.enqueued == 1) continue;
    value.from = std::min(value.from, unknown_from_);
    value.to = Operation::kNever;
  }
}

/// Of a value that went in more than once, what was called first is taken to have come out first.
void QueueModel::survey_order(const std::vector<TimedStep<Step>>& steps) {
  std::vector<std::size_t> by_call(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) by_call[i] = i;
  std::ranges::sort(by_call, {}, [&](std::size_t i) { return std::pair(steps[i].called, i); });
  detail::QueueTimes times;
  std::vector<Number> values;
  std::unordered_map<Number, std::deque<std::size_t>> inside;
  for (const std::size_t i : by_call) {
    const auto& [step, called, returned, touches] = steps[i];
    if (!step.enqueued || known(*step.enqueued).idle) continue;
    inside[*step.enqueued].push_back(values.size());
    values.push_back(*step.enqueued);
    times.values.push_back({.in = {called, returned, touches}});
  }
  for (const std::size_t i : by_call) {
    const auto& [step, called, returned, touches] = steps[i];
    const detail::QueueSpan span{called, returned, touches};
    if (step.enqueued) continue;
    if (!step.dequeued) {
      times.lost_dequeues.push_back(span);
    } else if (*step.dequeued == kNothing) {
      times.found_it_empty.push_back(span);
    } else if (auto& waiting = inside[*step.dequeued]; !waiting.empty()) {
      times.values[waiting.front()].out = span;
      waiting.pop_front();
    }
  }
  const detail::QueueOrder order = detail::queue_order(times);
  leaving_ = static_cast<std::uint32_t>(order.leaving);
  for (std::uint32_t i = 0; i < order.order.size(); ++i)
    known_[values[order.order[i]]].places.push_back(i + 1);
}

const QueueModel::Known& QueueModel::known(Number value) const {
  static constexpr Known kUnsurveyed;
  return value < known_.size() ? known_[value] : kUnsurveyed;
}

bool QueueModel::leads_nowhere(const State& before, const Step& step, const State& after) const {
  if (order_is_certain_) return is_out_of_order(before, step, after);
  if (!step.enqueued) return false;
  const Known& enqueued = known(*step.enqueued);
  return enqueued.idle || std::ranges::any_of(before.values, [&](Number other) {
           return enqueued.to < known(other).from;
         });
}

bool QueueModel::is_detour(const State& before, const Step& step, const State& after) const {
  return has_order_ && is_out_of_order(before, step, after);
}

bool QueueModel::is_out_of_order(const State& before, const Step& step, const State& after) const {
  if (step.enqueued) return after.place != before.place + 1;
  if (step.dequeued || before.values.empty()) return false;
  const Known& oldest = known(before.values.front());
  const std::uint32_t front = before.place - static_cast<std::uint32_t>(before.values.size()) + 1;
  return (oldest.enqueued == 1 && oldest.taken_out > 0) || front > leaving_;
}

std::string QueueModel::told(const State& state) const {
  const auto& values = state.values;
  if (values.empty()) return "empty";
  std::string text = "[";
  for (std::size_t i = 0; i < values.size() && i < kValuesToldMax; ++i)
    text += (i == 0 ? "" : ",") + texts_[values[i]];
  if (values.size() > kValuesToldMax) text += ",… of " + std::to_string(values.size()) + " values";
  return text + "]";
}

}  // namespace tubing::sim
