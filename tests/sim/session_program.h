// session_program: nodes, an encrypted session and its end, as data for tests of determinism.
#pragma once

#include "tubing/sim/sim_run.h"

namespace tubing::sim {

/// Two nodes on the wire of `sim`. One session carries values both ways and ends in order; the next
/// is cut somewhere, in its handshake or under its values.
Task<void> run_session_program(SimRun& sim);

}  // namespace tubing::sim
