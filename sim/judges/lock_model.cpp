#include "tubing/sim/judges/lock_model.h"

#include <fmt/format.h>

namespace tubing::sim {

Result<LockModel::Step> LockModel::read(const Operation& operation) const {
  OperationReader in(operation);
  Step step;
  const bool waits = in.is("acquire");
  const bool tries = in.is("try_acquire");
  if (waits || tries) {
    step.has_token = in.has_results();
    const Value* token = operation.find("token");
    const bool refused =
        tries && token != nullptr && std::holds_alternative<std::monostate>(*token);
    if (!refused) step.token = in.number_result("token").value_or(0);
    if (step.has_token && !refused && step.token <= 0)
      in.refuse("\"token\" must be a whole number from 1 on");
    return in.finish(step);
  }
  if (in.is("release")) step.kind = Kind::release;
  if (in.is("use")) step.kind = Kind::use;
  if (in.is("expire")) step.kind = Kind::expire;
  step.token = in.number("token");
  if (step.kind != Kind::expire) step.accepted = in.flag_result("accepted");
  return in.finish(step);
}

bool LockModel::apply(State& state, const Step& step) const {
  if (step.kind == Kind::acquire) return acquire(state, step);
  const bool holds_it = holds(state, step.token);
  if (step.accepted && *step.accepted != holds_it) return false;
  if (!holds_it || step.kind == Kind::use) return true;
  state = {.last = std::max(state.last, step.token), .holder = kFree};
  return true;
}

bool LockModel::acquire(State& state, const Step& step) {
  if (!step.has_token) {
    if (state.holder == kFree) state = {.last = state.last + 1, .holder = kSomebody};
    return true;
  }
  if (step.token == 0) return state.holder != kFree;
  if (state.holder != kFree || step.token <= state.last) return false;
  state = {.last = step.token, .holder = step.token};
  return true;
}

void LockModel::survey_part(const std::vector<TimedStep<Step>>& steps) {
  tokens_.clear();
  for (const auto& [step, called, returned, touches] : steps)
    if (step.kind == Kind::acquire && step.token != 0) tokens_.insert(step.token);
}

bool LockModel::leads_nowhere(const State& before, const Step& step, const State& after) const {
  const auto next = tokens_.upper_bound(before.last);
  if (next == tokens_.end() || *next > after.last) return false;
  return *next < after.last || after.holder != after.last;
}

std::string LockModel::told(const State& state) const {
  const std::string last = state.last == 0 ? "" : fmt::format(", last token {}", state.last);
  if (state.holder == kFree) return "free" + last;
  if (state.holder == kSomebody) return "held with a token that nobody knows" + last;
  return fmt::format("held with token {}", state.holder);
}

}  // namespace tubing::sim
