// WitnessJudge: what the witness checker does, whatever the types of its model are.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tubing/sim/detail/free_revisions.h"
#include "tubing/sim/detail/state_space.h"
#include "tubing/sim/detail/witness_replay.h"
#include "tubing/sim/judges/model.h"
#include "tubing/sim/judges/ruling.h"

namespace tubing::sim::detail {

/// What the judge asks of a history as a model reads it.
class WitnessSource {
 public:
  virtual ~WitnessSource() = default;
  /// Operations of each part, as the history has them, without those that failed and readers of
  /// unknown end.
  const std::map<std::string, std::vector<std::size_t>>& parts() const { return parts_; }
  bool reads(std::size_t at) const { return reads_[at]; }
  bool settles(std::size_t at) const { return settles_[at]; }
  /// The same for every call: the states of a part, and its operations' steps.
  virtual std::unique_ptr<StateSpace> space(const std::vector<std::size_t>& operations,
                                            std::vector<StateSpace::Step>& steps) = 0;

 protected:
  std::map<std::string, std::vector<std::size_t>> parts_;
  std::vector<bool> reads_;
  std::vector<bool> settles_;
};

template <Model M>
class ModelWitness final : public WitnessSource {
 public:
  /// Requires: both outlive it.
  ModelWitness(M& model, const History& history) : model_(model), history_(history) {}

  Result<> read();
  std::unique_ptr<StateSpace> space(const std::vector<std::size_t>& operations,
                                    std::vector<StateSpace::Step>& steps) override;

 private:
  M& model_;
  const History& history_;
  std::vector<typename M::Step> steps_;
};

class WitnessJudge {
 public:
  /// Requires: all outlive it.
  WitnessJudge(const History& history, WitnessSource& source, const WitnessOptions& options)
      : history_(history), source_(source), options_(options) {}

  Result<Ruling> judge();

 private:
  using Name = std::map<std::string, std::vector<std::size_t>>::const_pointer;
  struct Line {
    std::size_t at;
    bool reads;
  };
  /// A part with what its operations of unknown end must have done, in each way that there is.
  struct Contender {
    Name name = nullptr;
    std::vector<std::vector<Demand>> ways;
    bool complete = false;  ///< `ways` holds all that matter.
    std::size_t chosen = 0;
  };

  Result<> collect();
  std::optional<Ruling> check_claims();
  std::optional<Ruling> check_real_time();
  std::optional<Ruling> replay(Name part);
  Ruling wrong_reply(const WitnessReplay& part, Name name) const;
  Ruling share_out();
  Ruling contest();
  /// Every way that the part has. Returns: the bound that was met, where they are not complete.
  std::string_view find_ways(Contender& contender);
  Ruling overfull(const Overfull& wrong) const;
  Ruling undecided(std::string_view bound, Name name) const;
  PartOperations operations_of(Name part, const std::vector<StateSpace::Step>& steps) const;

  const History& history_;
  WitnessSource& source_;
  const WitnessOptions& options_;
  std::vector<Line> known_;
  std::vector<std::size_t> unknown_;
  std::vector<std::uint64_t> floors_;  ///< Of each operation of unknown end, by place.
  FreeRevisions free_;
  std::vector<Contender> contenders_;
};

template <Model M>
Result<> ModelWitness<M>::read() {
  if constexpr (requires { model_.survey(history_); }) model_.survey(history_);
  steps_.resize(history_.size());
  reads_.resize(history_.size());
  settles_.resize(history_.size());
  for (std::size_t at = 0; at < history_.size(); ++at) {
    const Operation& operation = history_[at];
    const Result<std::string> part = model_.part(operation);
    if (!part) return at_line(at, part.error());
    Result<typename M::Step> step = model_.read(operation);
    if (!step) return at_line(at, step.error());
    steps_[at] = *std::move(step);
    reads_[at] = model_.changes_nothing(steps_[at]);
    if constexpr (requires { model_.reads(steps_[at]); }) reads_[at] = model_.reads(steps_[at]);
    if constexpr (requires { model_.settles(steps_[at]); })
      settles_[at] = model_.settles(steps_[at]);
    const bool matters =
        operation.ending == Ending::ok || (operation.ending == Ending::unknown && !reads_[at]);
    if (matters) parts_[*part].push_back(at);
  }
  return {};
}

template <Model M>
std::unique_ptr<StateSpace> ModelWitness<M>::space(const std::vector<std::size_t>& operations,
                                                   std::vector<StateSpace::Step>& steps) {
  auto space = std::make_unique<ModelSpace<M>>(model_, operations.size());
  steps.clear();
  for (const std::size_t at : operations) steps.push_back(space->step(steps_[at]));
  return space;
}

}  // namespace tubing::sim::detail
