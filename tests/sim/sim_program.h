// sim_program: one program that uses all of tubing's tasks, as data for tests of determinism.
#pragma once

#include "tubing/sim/sim_run.h"

namespace tubing::sim {

/// Producers, a select loop, timers, cancellations, bytes over the wire and encrypted sessions;
/// what each does is drawn from the workload's generator.
Task<void> run_sim_program(SimRun& sim);

}  // namespace tubing::sim
