// What happened to a replicated register, as a story.
#pragma once

#include <string>

#include "tubing/sim/scenarios/register_state.h"
#include "tubing/sim/schedule.h"

namespace tubing::sim {

/// Of more operations no story is told: nobody would read it.
inline constexpr std::size_t kRegisterStoryMax = 500;

/// The hosts, then faults, operations, what replicas stored and what they came back with, in the
/// order of time. A read that came too late to be right says so: "although …".
/// `names` are those of the hosts; the run ended at `ended`.
/// Requires: no more than kRegisterStoryMax operations; each has its rounds.
std::string register_story(const RegisterState& state, const Schedule& schedule,
                           const std::vector<std::string>& names, Time ended);

}  // namespace tubing::sim
