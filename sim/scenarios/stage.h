// Stage: what every scenario has around its programs: hosts, a schedule of faults, and an end at
// which nothing may be left.
#pragma once

#include <string>
#include <vector>

#include "tubing/channel/task.h"
#include "tubing/sim/nemesis.h"
#include "tubing/sim/scenarios/scenario.h"
#include "tubing/sim/world.h"

namespace tubing::sim {

/// "n0", "n1", and so on: the hosts of most scenarios.
std::vector<std::string> host_names(std::size_t hosts);

/// What a schedule that is given has to fit.
struct ScheduleRules {
  std::vector<std::string> names;  ///< Of the hosts.
  /// What would last for ever is healed then, or with the last fault if that is later: a schedule
  /// of which some lines are left out still leaves a world that can be judged.
  Duration span{};
  /// All has to be healed by then. A scenario whose programs work on until all is healed has a
  /// limit here: each second of a schedule costs it processor time.
  Duration healed_max = Duration::max();
};

/// The faults of a run: those that are given, or else `drawn`; none where there are to be none.
/// Nothing else of a world may depend on them, so that a run which is given the schedule that it
/// would have drawn is the same run, and one which is given less of it differs by that alone.
/// Errors: as read_schedule; invalid_argument for one that goes on for longer than `rules` allow.
Result<Schedule> choose_schedule(const ScenarioOptions& options, Schedule drawn,
                                 const ScheduleRules& rules);
/// For Scenario::check. Errors: as choose_schedule.
Result<> check_given_schedule(const ScenarioOptions& options, const ScheduleRules& rules);

/// Returns when the world's time is `at`, whatever the clock of the host says.
Task<> wait_until(World& world, Time at);

/// What is known of a run before anything has begun.
struct StagePlan {
  WorldOptions world = {};
  std::vector<std::string> names = {};  ///< Of the hosts.
  Schedule schedule = {};               ///< Requires: check_schedule passes it.
  std::string workload = {};            ///< As text; what programs do with it is their own matter.
};

/// The world of one run, with its hosts; the sinks are told what is planned.
///
/// Requires: what the programs refer to outlives it.
/// Threads: one.
class Stage {
 public:
  Stage(std::uint64_t seed, StagePlan plan, const ScenarioSinks& sinks);

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
  /// The schedule, its story, and the workload.
  Outcome plan() const;

  const std::vector<std::string> names_;
  const std::string workload_;
  World world_;
  Nemesis nemesis_;
  // Until it was closed.
  std::vector<Tally> faults_;
  Duration ran_{};
};

}  // namespace tubing::sim
