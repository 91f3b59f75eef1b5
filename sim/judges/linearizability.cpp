#include "tubing/sim/judges/linearizability.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include "tubing/sim/detail/illegal_core.h"
#include "tubing/sim/detail/order_search.h"

namespace tubing::sim {
namespace {

using detail::JudgedOperation;
using detail::OrderSearch;
using detail::SearchEnd;
using detail::SearchLimits;
using detail::SearchOperation;
using detail::StateSpace;

/// A search begins narrow, where a legal history is decided quickly, and ends with no limit but
/// that of configurations.
constexpr std::array<std::size_t, 4> kWidths{4, 64, 1024, SIZE_MAX};
constexpr std::size_t kCallsPerProgress = 256;
/// To find out that a part is illegal whatever touches.
constexpr std::uint64_t kUntouchedWorkMax = 20'000'000;
/// For one try to find out when a part became illegal.
constexpr std::uint64_t kFatalWorkMax = 1'000'000;

struct Attempt {
  StateSpace::Hints hints;
  std::size_t width;
};

std::vector<Attempt> attempts(const StateSpace& space) {
  std::vector<Attempt> all;
  if (space.knows_detours()) all.push_back({StateSpace::Hints::likely, kWidths[1]});
  for (const std::size_t width : kWidths) all.push_back({StateSpace::Hints::certain, width});
  return all;
}

/// What a client was told last, by operations that took time, and by those that took none.
struct LastOfClient {
  std::size_t lasting = SearchOperation::kNone;
  std::size_t at_once = SearchOperation::kNone;
};

std::string told_all(const std::vector<std::string>& states) {
  std::string text;
  for (std::size_t i = 0; i < states.size(); ++i)
    text += (i == 0 ? "" : i + 1 == states.size() ? " or " : ", ") + states[i];
  return text;
}

std::string told_operations(std::size_t count) {
  return count == 1 ? "this operation" : fmt::format("these {} operations", count);
}

std::string limit_text(SearchEnd end, const LinearizabilityOptions& options) {
  if (end == SearchEnd::too_much_work)
    return fmt::format(
        "{} steps and comparisons were not enough (work_max; tubesim check --work-max)",
        options.work_max);
  if (end == SearchEnd::too_much_memory)
    return fmt::format(
        "states and configurations took more than {} bytes (memory_bytes_max; tubesim check "
        "--memory-max)",
        options.memory_bytes_max);
  return fmt::format(
      "there were more than {} configurations at one time (configurations_max; tubesim check "
      "--configurations-max)",
      options.configurations_max);
}

}  // namespace

std::string IllegalPart::text(const History& history) const {
  const std::string on = part.empty() ? "" : " on " + part;
  std::string text =
      cut_down      ? fmt::format("No order explains {}{}", told_operations(operations.size()), on)
      : others == 0 ? fmt::format("No order explains the one operation{}", on)
                    : fmt::format(
                          "No order explains the {} operations{} that were called by the "
                          "return of this one",
                          others + operations.size(), on);
  if (cut_down && others > 0)
    text += others == 1 ? ", whatever became of the other one called by then"
                        : fmt::format(", whatever became of the {} others called by then", others);
  text += ":\n";
  for (const std::size_t operation : operations) text += "  " + told(history[operation]) + "\n";
  if (states_before.empty()) return text;
  text += since ? fmt::format("At {} ns the state was {}.", *since, told_all(states_before))
                : fmt::format("The first state is {}.", told_all(states_before));
  const bool until_last = std::ranges::all_of(
      operations, [&](std::size_t operation) { return history[operation].returned <= until; });
  if (!states_behind.empty())
    text +=
        fmt::format(" {} it could only be {}.",
                    until_last ? "When the last of them returned" : fmt::format("At {} ns", until),
                    told_all(states_behind));
  return text + "\n";
}

namespace detail {

Operation without_end(Operation operation) {
  operation.ending = Ending::unknown;
  operation.returned = Operation::kNever;
  return operation;
}

void LinearizabilityJudge::count(std::size_t operations, std::size_t parts) {
  report_.operations = progress_.operations = operations;
  report_.parts = progress_.parts = parts;
}

void LinearizabilityJudge::judge(const Part& part, const std::vector<Steps>& steps,
                                 StateSpace& space, const Survey& survey) {
  const std::vector<JudgedOperation> operations = sorted(part, steps);
  std::vector<SearchOperation> searched;
  searched.reserve(operations.size());
  for (const JudgedOperation& operation : operations) searched.push_back(operation.search);
  OrderSearch search(space, searched);
  std::size_t calls = 0;
  search.watch([&](std::size_t) {
    if (++calls % kCallsPerProgress == 0) progress(calls);
  });
  SearchEnd end = SearchEnd::too_narrow;
  SearchLimits limits{.configurations_max = options_.configurations_max,
                      .work_max = options_.work_max,
                      .memory_bytes_max = options_.memory_bytes_max};
  for (const Attempt& attempt : attempts(space)) {
    calls = 0;
    if (attempt.hints == StateSpace::Hints::certain && attempt.width == kWidths.front() &&
        is_illegal_untouched(part, space, operations, survey))
      return;
    space.take_hints(attempt.hints);
    end = search.run(attempt.width, limits);
    limits.work_max -= std::min(limits.work_max, search.work());
    report_.steps += search.steps();
    report_.configurations_peak =
        std::max(report_.configurations_peak, search.configurations_peak());
    const bool may_be_wrong = attempt.hints == StateSpace::Hints::likely && end == SearchEnd::none;
    if (end != SearchEnd::too_narrow && !may_be_wrong) break;
  }
  finish(part);
  if (end == SearchEnd::found) return;
  if (end == SearchEnd::none) return tell(part, space, operations, search.died_at(), survey);
  if (report_.verdict == Verdict::legal) report_.verdict = Verdict::undecided;
  if (report_.undecided.empty())
    report_.undecided = fmt::format(
        "{}{}: shorten the history, have fewer operations overlap or end unknown, or raise the "
        "limit",
        part.name.empty() ? "" : "on " + part.name + " ", limit_text(end, options_));
}

bool LinearizabilityJudge::is_illegal_untouched(const Part& part, StateSpace& space,
                                                const std::vector<JudgedOperation>& operations,
                                                const Survey& survey) {
  const auto touches = [](const JudgedOperation& operation) {
    return operation.search.after != SearchOperation::kNone;
  };
  if (!survey || std::ranges::none_of(operations, touches)) return false;
  std::vector<JudgedOperation> untouched = operations;
  std::vector<SearchOperation> searched;
  for (JudgedOperation& operation : untouched) {
    operation.search.after = SearchOperation::kNone;
    searched.push_back(operation.search);
  }
  const Survey without = [&](const std::vector<Known>& known, bool) { survey(known, false); };
  const std::vector<Known> all(part.operations.size(), Known::all);
  without(all, false);
  space.take_hints(StateSpace::Hints::certain);
  OrderSearch search(space, searched);
  const SearchEnd end = search.run(SIZE_MAX, {.configurations_max = options_.configurations_max,
                                              .work_max = kUntouchedWorkMax,
                                              .memory_bytes_max = options_.memory_bytes_max});
  report_.steps += search.steps();
  if (end == SearchEnd::none) {
    finish(part);
    tell(part, space, untouched, search.died_at(), without);
    return true;
  }
  survey(all, true);
  return false;
}

void LinearizabilityJudge::finish(const Part& part) {
  ++progress_.parts_done;
  progress_.operations_done += part.operations.size();
  progress(0);
}

std::vector<JudgedOperation> LinearizabilityJudge::sorted(const Part& part,
                                                          const std::vector<Steps>& steps) const {
  std::vector<std::size_t> order(part.operations.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](std::size_t i) {
    const Operation& operation = history_[part.operations[i]];
    // Of one instant, those that its client may have asked for first of all come first.
    return std::tuple(operation.called, operation.ending != Ending::unknown, operation.returned,
                      part.operations[i]);
  });
  std::vector<JudgedOperation> operations;
  std::map<std::uint64_t, LastOfClient> last_of;
  for (const std::size_t i : order) {
    const Operation& operation = history_[part.operations[i]];
    const bool unknown = operation.ending == Ending::unknown;
    if (unknown && steps[i].changes_nothing) continue;
    LastOfClient& last = last_of[operation.client];
    const auto in_this_instant = [&](std::size_t place) {
      const bool is =
          place != SearchOperation::kNone && operations[place].search.returned == operation.called;
      return is ? place : SearchOperation::kNone;
    };
    const std::size_t lasting = in_this_instant(last.lasting);
    const std::size_t at_once = in_this_instant(last.at_once);
    const bool lasts = !unknown && operation.called < operation.returned;
    const std::size_t place = operations.size();
    operations.push_back(
        {.search = {.step = steps[i].step,
                    .called = operation.called,
                    .returned = operation.returned,
                    .changes_nothing = steps[i].changes_nothing,
                    .unknown = unknown,
                    .after = lasts && at_once != SearchOperation::kNone ? at_once : lasting,
                    .beside = lasts || unknown ? SearchOperation::kNone : at_once},
         .without_results = steps[i].without_results,
         .changes_nothing_without_results = steps[i].changes_nothing_without_results,
         .index = part.operations[i],
         .in_part = i});
    if (!unknown) (lasts ? last.lasting : last.at_once) = place;
  }
  return operations;
}

void LinearizabilityJudge::tell(const Part& part, StateSpace& space,
                                const std::vector<JudgedOperation>& operations, std::size_t died_at,
                                const Survey& survey) {
  report_.verdict = Verdict::illegal;
  ++report_.illegal_parts;
  const SearchLimits limits{.configurations_max = options_.configurations_max,
                            .work_max = options_.work_max,
                            .memory_bytes_max = options_.memory_bytes_max};
  detail::Survey survey_judged;
  if (survey)
    survey_judged = [&](const std::vector<Fate>& fates) {
      std::vector<Known> known(part.operations.size(), Known::nothing);
      for (std::size_t i = 0; i < fates.size(); ++i)
        known[operations[i].in_part] = fates[i] == Fate::absent ? Known::nothing
                                       : fates[i] == Fate::open ? Known::call
                                                                : Known::all;
      survey(known, true);
    };
  if (survey) {
    // With no work left it is the last return of all.
    SearchLimits each = limits;
    each.work_max = story_work_left_ > 0 ? std::min(each.work_max, kFatalWorkMax) : 0;
    died_at = find_fatal(space, operations, each, survey_judged);
  }
  IllegalCoreFinder finder(space, operations, died_at, limits, survey_judged);
  // Parts behind this one want to be told, too.
  const IllegalCore found = finder.find(story_work_left_ / 2);
  story_work_left_ -= std::min(story_work_left_, finder.work());
  IllegalPart told{.part = part.name,
                   .operations = {},
                   .others = found.others,
                   .cut_down = found.cut_down,
                   .since = found.since,
                   .states_before = {},
                   .until = found.until,
                   .states_behind = {}};
  for (const std::size_t place : found.operations)
    told.operations.push_back(operations[place].index);
  const auto name_states = [&](const std::vector<StateSpace::State>& states,
                               std::vector<std::string>& names) {
    // A model may remember more than it tells.
    std::set<std::string> met;
    for (const StateSpace::State state : states)
      if (met.insert(space.told(state)).second && names.size() < IllegalPart::kStatesToldMax)
        names.push_back(space.told(state));
    if (met.size() > names.size())
      names.push_back(fmt::format("one of {} more", met.size() - names.size()));
  };
  name_states(found.states_before, told.states_before);
  name_states(found.states_behind, told.states_behind);
  if (!report_.illegal || told.operations.size() < report_.illegal->operations.size())
    report_.illegal = std::move(told);
}

void LinearizabilityJudge::progress(std::size_t in_part) {
  if (!options_.on_progress) return;
  JudgeProgress now = progress_;
  now.operations_done += in_part;
  options_.on_progress(now);
}

}  // namespace detail
}  // namespace tubing::sim
