// Stage: what every scenario has around its programs: hosts, a schedule of faults, and an end at
// which nothing may be left.
#pragma once

#include <string>
#include <vector>

#include "tubing/sim/nemesis.h"
#include "tubing/sim/scenarios/scenario.h"
#include "tubing/sim/world.h"

namespace tubing::sim {

/// "n0", "n1", and so on: the hosts of every scenario.
std::vector<std::string> host_names(std::size_t hosts);

/// For Scenario::check, in a scenario of so many hosts. Errors: as read_schedule.
Result<> check_given_schedule(const ScenarioOptions& options, std::size_t hosts);

/// The faults of a run: those that are given, or else `drawn`; none where there are to be none.
/// What would last for ever is healed: when `span` is over, or with the last fault if that is
/// later. So a schedule of which some lines are left out still leaves a world that can be judged.
/// Errors: as read_schedule.
Result<Schedule> choose_schedule(const ScenarioOptions& options, Schedule drawn, Duration span,
                                 std::size_t hosts);

/// The world of one run; the sinks are told what is planned. A run that is given the schedule that
/// it would have drawn is the same run.
///
/// Requires: what the programs refer to outlives it.
/// Threads: one.
class Stage {
 public:
  Stage(std::uint64_t seed, const WorldOptions& options, std::size_t hosts, Schedule schedule,
        const ScenarioSinks& sinks);

  World& world() { return world_; }
  const std::vector<std::string>& names() const { return names_; }
  const Schedule& schedule() const { return nemesis_.schedule(); }
  /// When all faults are over, and what was down is up.
  Time healed() const { return Time(healed_at(schedule())); }

  /// The run is over: every process that still runs is killed, so that a task that does not end
  /// shows itself. Requires: no step of the world after it.
  void close();
  /// What the run came to; what programs did that none may is a violation. The scenario adds its
  /// operations. Requires: close().
  Outcome outcome(std::string violation) const;

 private:
  World& with_hosts();
  /// What is known before anything has begun: the schedule, and its story.
  Outcome plan() const;

  const std::vector<std::string> names_;
  World world_;
  Nemesis nemesis_;
  // Until it was closed.
  std::vector<Tally> faults_;
  Duration ran_{};
};

}  // namespace tubing::sim
