// RegisterReplica: one of the replicas of the scenario `register`.
#pragma once

#include "tubing/sim/scenarios/register_disk.h"
#include "tubing/sim/scenarios/register_state.h"

namespace tubing::sim {

/// Keeps for each key the entry with the largest tag that it was ever given, and answers with it
/// once it is synced. A disk that fails ends the process; it is started again a moment later.
///
/// Requires: `state` and the process's host outlive the run.
Task<> run_register_replica(RegisterState& state, Process& self, std::size_t replica);

}  // namespace tubing::sim
