// The scenario `echo`: channels opened, used, passed and cut over rpc and byte streams, under every
// fault of byte streams, with crashes.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "tubing/channel/base/time.h"
#include "tubing/sim/link_conditions.h"
#include "tubing/sim/scenarios/scenario.h"
#include "tubing/sim/scenarios/talks.h"

namespace tubing::sim {

class World;

/// What runs did; a campaign sums these up, so that nothing is silently never tried.
struct EchoCounts : TalkCounts {
  std::uint64_t opened = 0;
  std::uint64_t unopened = 0;  ///< What could not be opened, because of a fault.
  std::uint64_t probed = 0;    ///< Pairs of hosts that reached each other when all was healed.
  FaultCounts faults;
  std::uint64_t events = 0;  ///< That went into the hash.
  Duration simulated{};

  EchoCounts& operator+=(const EchoCounts& other);
};

/// When every fault has to be over, and what is down has to be started.
inline constexpr Time kEchoHealed{std::chrono::seconds(6)};

struct EchoOptions {
  std::uint32_t hosts = 0;  ///< 0: drawn, from 2 to 4. They are h0, h1, and so on.
  bool faults = true;
  /// Orders what shall go wrong, instead of ByteFaults; the hosts are there then.
  std::function<void(World&)> disturb = nullptr;
  std::string* hash = nullptr;  ///< Becomes the run's, where it is given.
  TraceSink* trace = nullptr;
};

/// One run: each host has a process that talks with the others over channels, at random (see
/// Talker), while links, cards, hosts and processes fail. What fails, and how often, is drawn. Then
/// all is healed; from there on every host has to reach every other one, whatever came before, and
/// in the end no channel may be left, and no task.
/// Returns: what did not hold; empty for nothing. `counts` grows by what was done.
std::string run_echo(std::uint64_t seed, EchoCounts& counts, const EchoOptions& options = {});

/// The same for the table of scenarios. Operations are values that were received.
Outcome run_echo_scenario(std::uint64_t seed, const ScenarioOptions& options,
                          const ScenarioSinks& sinks);
std::vector<std::string> echo_faults(const ScenarioOptions& options);

}  // namespace tubing::sim
