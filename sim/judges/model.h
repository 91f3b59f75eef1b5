// Model: what a service should do, one operation at a time, as a judge of histories is told it.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/channel/codec.h"
#include "tubing/sim/judges/history.h"

namespace tubing::sim {

/// A step and when it was taken. Units: ns; `returned` is Operation::kNever for an unknown end.
template <class Step>
struct TimedStep {
  Step step;
  std::int64_t called = 0;
  std::int64_t returned = Operation::kNever;
  /// Called in the instant in which the one before it of its client returned, and behind that one.
  bool touches = false;

  bool is_known() const { return returned != Operation::kNever; }
};

/// A value of a class M, which may keep tables of its own. It has the types
///
/// - `M::State`: all that a service remembers of one part of a history. It is copied for each new
///   state that a judge meets: keep it small.
/// - `M::Step`: what one operation asks and, where they are known, what it was told.
///
/// both of which the codec knows (two that encode alike are the same), and the functions
///
/// - `std::string_view name() const`: "register".
/// - `Result<std::string> part(const Operation&)`: operations of different parts never have to do
///   with each other, and are judged each part by itself. "key a", or "" for all; stories use it.
/// - `Result<Step> read(const Operation&)`: OperationReader helps. One of unknown end has no
///   results. Errors: invalid_argument, for an operation or a field that the model cannot take.
/// - `State begin() const`: before the first step.
/// - `bool apply(State&, const Step&)`: takes the step. False where it cannot happen in this state
///   with the results that it had; the state is then thrown away. A step without results always
///   can. The same state and step always give the same.
/// - `bool changes_nothing(const Step&) const`: whether the step leaves every state as it is, as a
///   read does.
///
/// It may have, beside these,
///
/// - `void survey(const History&)`: called once before all others, where parts depend on the whole.
/// - `void survey_part(const std::vector<TimedStep<Step>>&)`: called before a part is judged, with
///   all its steps, and then
/// - `bool leads_nowhere(const State& before, const Step& step, const State& after) const`: whether
///   no order of that part needs this step between the two: a list grows by another value than was
///   read at that place. Judges get there sooner.
/// - `bool is_detour(const State& before, const Step& step, const State& after) const`: whether an
///   order of that part can likely do without it. Judges look for one without first.
/// - `std::uint64_t bytes() const`: the memory that its own tables take, about, where they grow
/// with
///   the states that a judge meets; it counts against the judge's limit.
/// - `std::string told(const State&) const`: for stories, "7"; else it is the state's JSON.
///
/// RegisterModel is one to begin with.
template <class M>
concept Model = Encodable<typename M::State> && Encodable<typename M::Step> &&
                requires(M model, const M& constant, const Operation& operation,
                         typename M::State& state, const typename M::Step& step) {
                  { constant.name() } -> std::convertible_to<std::string_view>;
                  { model.part(operation) } -> std::same_as<Result<std::string>>;
                  { model.read(operation) } -> std::same_as<Result<typename M::Step>>;
                  { constant.begin() } -> std::same_as<typename M::State>;
                  { model.apply(state, step) } -> std::same_as<bool>;
                  { constant.changes_nothing(step) } -> std::same_as<bool>;
                };

}  // namespace tubing::sim
