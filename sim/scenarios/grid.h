// The scenario `grid`: every host sends messages to every other, over channels that are opened
// again when they are lost.
#pragma once

#include "tubing/sim/scenarios/scenario.h"
#include "tubing/sim/schedule.h"
#include "tubing/sim/world.h"

namespace tubing::sim {

/// What the scenario takes where nothing is chosen.
inline constexpr std::uint32_t kGridHosts = 5;
inline constexpr std::uint32_t kGridHostsMax = 64;
inline constexpr std::uint64_t kGridMessages = 50;
/// After healing no time of this length may pass in which nothing arrives, until all are done.
inline constexpr Duration kGridPatience = std::chrono::minutes(10);
/// Sessions are kept alive until all is healed: a schedule is refused that goes on for longer than
/// this for all hosts together, which is an hour for up to five of them.
inline constexpr Duration kGridHostTimeMax = std::chrono::hours(5);

/// What a grid is made of. By itself it is the fastest there is: healthy links, all at once.
struct GridPlan {
  WorldOptions world = {};
  std::size_t hosts = kGridHosts;
  std::uint64_t messages = kGridMessages;  ///< Of each ordered pair.
  Duration span{};                         ///< Over which each spreads them; 0: as fast as it goes.
  bool datagrams = false;                  ///< Half as many beside them.
  Schedule schedule = {};                  ///< Requires: check_schedule passes it.
};

/// What a seed makes of these options; its schedule alone depends on what they say of faults.
/// Errors: as choose_schedule.
Result<GridPlan> plan_grid(std::uint64_t seed, const ScenarioOptions& options);

/// Hosts `n0`, `n1`, … with a process each. In each ordered pair one sends `messages` over ordered
/// channels, the last of them when all is healed, and waits until the other has taken it; and some
/// datagrams. What must hold: a message arrives unharmed, where it was sent to, in the order of its
/// channel, once and with none missing before it; what is reported as taken was taken; every pair
/// gets done after healing; no task outlives its process.
///
/// In byte mode each message is encoded, and crosses the wire in an encrypted record together with
/// the others for which there is credit, of which 256 at a time may be under way: about 19 bytes
/// each, in one event for a few hundred.
Outcome run_planned_grid(std::uint64_t seed, GridPlan plan, const ScenarioSinks& sinks);
/// The same, of what plan_grid says.
Outcome run_grid(std::uint64_t seed, const ScenarioOptions& options, const ScenarioSinks& sinks);

Result<> check_grid(const ScenarioOptions& options);
std::vector<std::string> grid_faults(const ScenarioOptions& options);

}  // namespace tubing::sim
