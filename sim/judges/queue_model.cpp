#include "tubing/sim/judges/queue_model.h"

#include <algorithm>

namespace tubing::sim {
namespace {

/// Of a long queue a story tells the front.
constexpr std::size_t kValuesToldMax = 10;

}  // namespace

void QueueModel::survey_part(const std::vector<TimedStep<Step>>& steps) {
  dequeued_.clear();
  idle_.clear();
  unknown_from_ = Operation::kNever;
  std::set<std::string> answered;
  std::map<std::string, std::size_t> enqueued;
  for (const auto& [step, called, returned] : steps)
    if (step.enqueued) ++enqueued[*step.enqueued];
  for (const auto& [step, called, returned] : steps) {
    // One of unknown end that no answer knows of helps no order.
    const bool idle = step.enqueued && returned == Operation::kNever;
    if (idle && enqueued[*step.enqueued] == 1) idle_.insert(*step.enqueued);
    if (step.enqueued || step.dequeued == kNothing) continue;
    if (!step.dequeued) {
      unknown_from_ = std::min(unknown_from_, called);
      continue;
    }
    answered.insert(*step.dequeued);
    Span& span = dequeued_[*step.dequeued];
    span.from = std::min(span.from, called);
    span.to = returned;
  }
  std::erase_if(idle_, [&](const std::string& value) { return answered.contains(value); });
  // Of a value that is there twice nobody knows which one came out.
  for (auto& [value, span] : dequeued_)
    if (enqueued[value] != 1) span = {.from = std::min(span.from, unknown_from_)};
}

QueueModel::Span QueueModel::span_of(const std::string& value) const {
  const auto found = dequeued_.find(value);
  return found == dequeued_.end() ? Span{.from = unknown_from_} : found->second;
}

bool QueueModel::leads_nowhere(const State& before, const State& after) const {
  if (after.size() <= before.size()) return false;
  if (idle_.contains(after.back())) return true;
  const std::int64_t gone = span_of(after.back()).to;
  return std::ranges::any_of(before,
                             [&](const std::string& other) { return gone < span_of(other).from; });
}

std::string QueueModel::told(const State& state) const {
  if (state.empty()) return "empty";
  std::string text = "[";
  for (std::size_t i = 0; i < state.size() && i < kValuesToldMax; ++i)
    text += (i == 0 ? "" : ",") + state[i];
  if (state.size() > kValuesToldMax) text += ",… of " + std::to_string(state.size()) + " values";
  return text + "]";
}

}  // namespace tubing::sim
