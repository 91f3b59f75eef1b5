// check_linearizable: what depends on the model's types.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tubing/sim/judges/linearizability.h"

namespace tubing::sim {
namespace detail {

/// An operation as the model read it, twice.
template <Model M>
struct ReadOperation {
  std::size_t index = 0;
  std::int64_t called = 0;
  std::int64_t returned = 0;
  std::uint64_t client = 0;
  typename M::Step step;
  typename M::Step without_results;
};

template <Model M>
bool lasts(const ReadOperation<M>& operation) {
  return operation.called < operation.returned;
}

template <Model M>
using ReadParts = std::map<std::string, std::vector<ReadOperation<M>>>;

template <Model M>
Result<ReadParts<M>> read_parts(M& model, const History& history) {
  if constexpr (requires { model.survey(history); }) model.survey(history);
  ReadParts<M> parts;
  for (std::size_t i = 0; i < history.size(); ++i) {
    Result<typename M::Step> without_results = model.read(without_end(history[i]));
    if (!without_results) return at_line(i, without_results.error());
    Result<std::string> part = model.part(history[i]);
    if (!part) return at_line(i, part.error());
    if (history[i].ending == Ending::failed) continue;
    Result<typename M::Step> step = model.read(history[i]);
    if (!step) return at_line(i, step.error());
    parts[*std::move(part)].push_back({i, history[i].called, history[i].returned, history[i].client,
                                       *std::move(step), *std::move(without_results)});
  }
  return parts;
}

template <Model M>
std::vector<TimedStep<typename M::Step>> timed_steps(
    const std::vector<ReadOperation<M>>& operations,
    const std::vector<LinearizabilityJudge::Known>& known, bool touching) {
  using Known = LinearizabilityJudge::Known;
  // When a client was told something, by an operation that took time, and by one that took none.
  std::set<std::pair<std::uint64_t, std::int64_t>> lasting;
  std::set<std::pair<std::uint64_t, std::int64_t>> at_once;
  for (std::size_t i = 0; i < operations.size(); ++i)
    if (known[i] == Known::all)
      (lasts(operations[i]) ? lasting : at_once)
          .emplace(operations[i].client, operations[i].returned);
  std::vector<TimedStep<typename M::Step>> timed;
  timed.reserve(operations.size());
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (known[i] == Known::nothing) continue;
    const ReadOperation<M>& operation = operations[i];
    const std::pair instant(operation.client, operation.called);
    const bool waited = known[i] == Known::all && lasts(operation) && at_once.contains(instant);
    const bool touches = touching && (waited || lasting.contains(instant));
    if (known[i] == Known::all)
      timed.push_back({operation.step, operation.called, operation.returned, touches});
    else
      timed.push_back({operation.without_results, operation.called, Operation::kNever, touches});
  }
  return timed;
}

template <Model M>
void judge_part(LinearizabilityJudge& judge, M& model, std::string name,
                const std::vector<ReadOperation<M>>& operations) {
  ModelSpace<M> space(model, operations.size());
  LinearizabilityJudge::Survey survey;
  if constexpr (requires(std::vector<TimedStep<typename M::Step>> steps) {
                  model.survey_part(steps);
                }) {
    survey = [&](const std::vector<LinearizabilityJudge::Known>& known, bool touching) {
      model.survey_part(timed_steps(operations, known, touching));
    };
    survey(std::vector(operations.size(), LinearizabilityJudge::Known::all), true);
  }
  LinearizabilityJudge::Part part{.name = std::move(name), .operations = {}};
  std::vector<LinearizabilityJudge::Steps> steps;
  for (const ReadOperation<M>& operation : operations) {
    part.operations.push_back(operation.index);
    steps.push_back(
        {.step = space.step(operation.step),
         .without_results = space.step(operation.without_results),
         .changes_nothing = model.changes_nothing(operation.step),
         .changes_nothing_without_results = model.changes_nothing(operation.without_results)});
  }
  judge.judge(part, steps, space, survey);
}

}  // namespace detail

template <Model M>
Result<LinearizabilityReport> check_linearizable(M model, const History& history,
                                                 const LinearizabilityOptions& options) {
  Result<detail::ReadParts<M>> parts = detail::read_parts(model, history);
  if (!parts) return std::move(parts).error();
  detail::LinearizabilityJudge judge(history, options);
  std::size_t operations = 0;
  for (const auto& [name, read] : *parts) operations += read.size();
  judge.count(operations, parts->size());
  for (const auto& [name, read] : *parts) detail::judge_part(judge, model, name, read);
  return judge.take();
}

}  // namespace tubing::sim
