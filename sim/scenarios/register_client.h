// RegisterClient: one of the clients of the scenario `register`.
#pragma once

#include "tubing/sim/scenarios/register_state.h"

namespace tubing::sim {

/// Carries out the client's steps, one after the other, and records them. `client` counts from 0.
///
/// A write asks a majority for its tags, takes a larger one, and has a majority store it. A read
/// asks a majority, and has a majority store what it found before it says so. Both give up after a
/// while: a write that never began to store has failed then, all else is unknown.
///
/// Requires: `state` outlives the run.
/// Source: Attiya, Bar-Noy and Dolev, "Sharing memory robustly in message-passing systems", 1995;
/// several writers as in Lynch and Shvartsman, "Robust emulation of shared memory using dynamic
/// quorum-acknowledged broadcasts", 1997.
Task<> run_register_client(RegisterState& state, Process& self, std::size_t client);

}  // namespace tubing::sim
