// The scenario `register`: a small replicated register, whose clients' history is judged.
#pragma once

#include "tubing/sim/scenarios/scenario.h"

namespace tubing::sim {

/// What `hosts` may be: the replicas. Otherwise a seed draws 3 to 5.
inline constexpr std::uint32_t kRegisterReplicasMin = 3;
inline constexpr std::uint32_t kRegisterReplicasMax = 5;
/// Clients are hosts too, `c1` and on; a seed draws 2 to 5.
inline constexpr std::uint32_t kRegisterClientsMax = 5;

/// Its mistakes; RegisterFlaw says what they are.
inline constexpr std::string_view kRegisterWrongs =
    "no_sync no_tie_break no_write_back one_replica_reads small_quorum";

/// Replicas `n0`, `n1`, … keep some keys for clients, which read and write them by majorities,
/// while a schedule of faults strikes them all. What must hold: what clients saw is linearizable;
/// once all is healed every operation succeeds; no task outlives its process.
///
/// A workload is drawn for the time in which a seed's own faults strike: what a schedule orders
/// much later meets a run that is over, unless it comes with a workload that lasts as long.
///
/// Its failures are "linearizability", "availability" and "task forgotten". ScenarioOptions::wrong
/// makes it wrong in one of five ways; see RegisterFlaw.
Outcome run_register(std::uint64_t seed, const ScenarioOptions& options,
                     const ScenarioSinks& sinks);

/// Of a schedule and a workload it takes the names that some seed has; the seed decides.
Result<> check_register(const ScenarioOptions& options);
std::vector<std::string> register_faults(const ScenarioOptions& options);

}  // namespace tubing::sim
