// Shrinker: cuts a seed that fails down to the few faults and operations that it needs for that.
#pragma once

#include <functional>
#include <string>

#include "tubing/channel/base/result.h"
#include "tubing/sim/scenarios/scenario.h"

namespace tubing::sim {

/// Runs that a shrinking may take, where nothing else is said.
inline constexpr std::uint64_t kShrinkRunsMax = 5'000;

/// Other seeds whose draws are tried with fewer lines, where nothing else is said.
inline constexpr std::uint64_t kShrinkSeeds = 40;

struct ShrinkOptions {
  /// As the seed failed with them; a schedule or a workload in them is what is cut down.
  ScenarioOptions scenario = {};
  bool check = false;  ///< Each run twice: for failures that are differences of two runs.
  std::uint32_t jobs =
      1;  ///< Processes at the same time. They change nothing but the time it takes.
  std::uint64_t runs_max = kShrinkRunsMax;
  std::uint64_t other_seeds = kShrinkSeeds;  ///< 0: the draws stay those of the seed.
};

/// How much is there still, and how much was tried.
struct ShrinkProgress {
  std::uint64_t runs = 0;
  std::size_t faults = 0;      ///< Lines of the schedule.
  std::size_t operations = 0;  ///< Lines of the workload.
};

/// What is left.
struct Shrunk {
  std::uint64_t seed = 0;         ///< That failed first.
  std::uint64_t repeat_seed = 0;  ///< Whose draws make what is left fail; often the same.
  std::string failure = {};       ///< The class of it, before as after.
  ShrinkProgress before = {};
  ShrinkProgress after = {};
  bool complete = true;  ///< Whether it ended before `runs_max`, so that no line can be left out.
  /// What repeats it, with schedule and workload.
  ScenarioOptions scenario = {};
  Outcome outcome = {};  ///< Of that, with its history.
};

/// Leaves out lines of the schedule and of the workload by delta debugging, then makes what is left
/// simpler, and begins anew until nothing helps: fewer hosts, smaller groups, whole rates, shorter
/// spans, rounder times. A run counts that fails in the same class; what else it does may differ.
///
/// Operations are first pinned to the times at which they began (see WorkloadStep::at_time), so
/// that those that stay do not move when others go. What a World draws is keyed by what it is drawn
/// for and how often that was drawn before (see Streams): to leave out a line leaves the draws for
/// other links, disks and processes as they were. Where no line can be left out any more, it is
/// tried with the draws of other seeds as well: what remains is then that much less a matter of
/// chance.
///
/// Runs are made in processes of their own, since one may end by an assertion; that is a failure
/// like another. Of candidates that fail the first in order is taken, whichever is done first: the
/// result depends on the scenario, the seed and the options but `jobs`.
///
/// Errors: failed_precondition where the seed does not fail, or does not when it is given back what
/// it drew; invalid_argument where the scenario takes neither schedule nor workload;
/// resource_exhausted where no process can be started.
/// Threads: as run_campaign.
Result<Shrunk> shrink(const Scenario& scenario, std::uint64_t seed, const ShrinkOptions& options,
                      const std::function<void(const ShrinkProgress&)>& on_progress = {});

}  // namespace tubing::sim
