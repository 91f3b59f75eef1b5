// The scenario `grid`: every host sends messages to every other, over channels that are opened
// again when they are lost.
#pragma once

#include "tubing/sim/scenarios/scenario.h"

namespace tubing::sim {

/// What the scenario takes where nothing is chosen.
inline constexpr std::uint32_t kGridHosts = 5;
inline constexpr std::uint32_t kGridHostsMax = 64;
inline constexpr std::uint64_t kGridMessages = 50;
/// After healing every pair has to be done by then.
inline constexpr Duration kGridPatience = std::chrono::minutes(10);

/// Hosts `n0`, `n1`, … with a process each. In each ordered pair one sends `messages` over ordered
/// channels, and waits until the other has taken the last; where there are faults, datagrams too.
/// What must hold: a message arrives unharmed, where it was sent to, in the order of its channel,
/// once and with none missing before it; what is reported as taken was taken; every pair is done
/// some time after healing; no task outlives its process.
Outcome run_grid(std::uint64_t seed, const ScenarioOptions& options, const ScenarioSinks& sinks);

Result<> check_grid(const ScenarioOptions& options);
std::vector<std::string> grid_faults(const ScenarioOptions& options);

}  // namespace tubing::sim
