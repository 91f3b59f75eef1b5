#include "tubing/sim/judges/list_model.h"

#include "tubing/sim/detail/heap_bytes.h"

namespace tubing::sim {
namespace {

/// Of a long list a story tells its end.
constexpr std::int64_t kValuesToldMax = 10;

}  // namespace

Result<ListModel::Step> ListModel::read(const Operation& operation) {
  OperationReader in(operation);
  Step step;
  if (in.is("append")) {
    step.appended = in.value("value");
    if (in.has("length")) step.length = in.number_result("length");
  }
  if (in.is("read")) {
    if (const Values* values = in.list_result("values")) {
      step.seen = kEmpty;
      for (const Value& value : *values) step.seen = longer(*step.seen, value_text(value));
    }
  }
  return in.finish(std::move(step));
}

bool ListModel::apply(State& state, const Step& step) {
  if (step.appended) state = longer(state, *step.appended);
  if (step.length && *step.length != lists_[state].length) return false;
  return !step.seen || *step.seen == state;
}

void ListModel::survey_part(const std::vector<TimedStep<Step>>& steps) {
  places_.clear();
  State longest = kEmpty;
  for (const auto& [step, called, returned, touches] : steps) {
    if (step.seen && lists_[*step.seen].length > lists_[longest].length) longest = *step.seen;
    if (step.appended && step.length) places_.insert_or_assign(*step.length, *step.appended);
  }
  for (State list = longest; list != kEmpty; list = lists_[list].before)
    places_.insert_or_assign(lists_[list].length, lists_[list].last);
}

bool ListModel::leads_nowhere(const State& before, const Step& step, const State& after) const {
  if (before == after) return false;
  const auto place = places_.find(lists_[after].length);
  return place != places_.end() && place->second != lists_[after].last;
}

std::string ListModel::told(const State& state) const {
  std::string text = "]";
  State list = state;
  for (std::int64_t i = 0; list != kEmpty && i < kValuesToldMax; ++i, list = lists_[list].before)
    text.insert(0, (lists_[list].before == kEmpty ? "" : ",") + lists_[list].last);
  if (list == kEmpty) return "[" + text;
  return "[… of " + std::to_string(lists_[state].length) + " values the last: " + text.substr(1);
}

ListModel::State ListModel::longer(State list, const std::string& value) {
  const auto next = static_cast<State>(lists_.size());
  const auto [found, is_new] = longer_.try_emplace({list, value}, next);
  if (is_new) {
    lists_.push_back({.before = list, .length = lists_[list].length + 1, .last = value});
    bytes_ += sizeof(List) + 2 * detail::heap_bytes(value) +
              detail::block_bytes(detail::kTreeNodeBytes + sizeof(*found));
  }
  return found->second;
}

}  // namespace tubing::sim
