// The scenario `echo`: channels opened, used, passed and cut over rpc and byte streams, under every
// fault of byte streams, with crashes.
#pragma once

#include <cstdint>

#include "tubing/sim/scenarios/scenario.h"
#include "tubing/sim/scenarios/talks.h"

namespace tubing::sim {

inline constexpr std::uint32_t kEchoHostsMax = 64;
/// Each host begins some hundred talks a minute until all is healed: a schedule is refused that
/// goes on for longer than this for all hosts together, which is an hour for up to four of them.
inline constexpr Duration kEchoHostTimeMax = std::chrono::hours(4);

/// What runs did; a campaign sums these up, so that nothing is silently never tried.
struct EchoCounts : TalkCounts {
  std::uint64_t opened = 0;
  std::uint64_t unopened = 0;  ///< What could not be opened, because of a fault.
  std::uint64_t probed = 0;    ///< Pairs of hosts that reached each other when all was healed.
};

/// `hosts`, or as many as a seed draws from two to four, `n0` and so on, with a process each that
/// talks with the others over channels, at random (see Talker), while links, hosts and processes
/// fail. Then all is healed; from there on every host has to reach every other one, whatever came
/// before, and in the end no channel may be left, and no task. Operations are values that were
/// received. `counts` grows by what was done.
Outcome run_echo(std::uint64_t seed, const ScenarioOptions& options, const ScenarioSinks& sinks,
                 EchoCounts& counts);
Outcome run_echo(std::uint64_t seed, const ScenarioOptions& options, const ScenarioSinks& sinks);

Result<> check_echo(const ScenarioOptions& options);
std::vector<std::string> echo_faults(const ScenarioOptions& options);

}  // namespace tubing::sim
