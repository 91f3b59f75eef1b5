// Swarm: what a seed makes of the faults that a scenario can bear.
#pragma once

#include <vector>

#include "tubing/channel/base/prng.h"
#include "tubing/sim/schedule.h"
#include "tubing/sim/world.h"

namespace tubing::sim {

struct SwarmOptions {
  std::size_t hosts = 0;
  /// Faults strike between 0 and this, and all is healed then. Units: the world's time.
  Duration span = std::chrono::seconds(1);
  /// What may strike; `heal` goes without saying. What is named several times strikes more often.
  std::vector<FaultAction> actions = {};
  /// Of `disk`; likewise.
  std::vector<DiskFault> disk_faults = {};
  /// How weak a fault may be. Where little is under way, what is short or rare meets nothing: a
  /// rate of 20'000 makes those of disks twenty times as large, too. Requires: at most kPpm.
  Duration lasts_min = std::chrono::microseconds(1);
  std::uint32_t rate_min_ppm = 1'000;
  FaultBudget budget = {};
};

/// The generator of a seed's faults; no other draws from it.
Prng nemesis_stream(std::uint64_t seed);

/// Draws a schedule: first which of the actions this seed has at all (each with a chance of one
/// half), how many there will be, how long and how hard; then each fault. One that the budget
/// forbids is left out. Some seeds have all their faults at a few moments. The last line heals.
/// Requires: `hosts` > 0, and > 1 for actions on links; `actions` not empty; `span` between a
/// microsecond and kScheduleSpanMax.
/// Returns: what check_schedule passes.
Schedule draw_schedule(Prng& prng, const SwarmOptions& options);

/// What healthy links are like in this seed: near or far, even or with a long tail, fast or slow.
LinkConditions draw_link_conditions(Prng& prng);

/// A world without faults: how good its links are, the hosts' TCP, and the pace of processes.
WorldOptions draw_world(Prng& prng, Mode mode);

}  // namespace tubing::sim
