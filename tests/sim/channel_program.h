// ChannelProgram: random operations on both ends of channels, and what must hold of every run.
#pragma once

#include <cstdint>
#include <string>

#include "tubing/sim/scenarios/talks.h"

namespace tubing::sim {

/// Where both ends of a program's channels live.
enum class Place : std::uint8_t {
  one_process,  ///< Both ends of a make_duplex.
  two_nodes,    ///< Two nodes over the in-memory link, with handshake, records and mux.
};

/// What one run did; a test sums these up, so that no operation is silently never tried.
struct ProgramCounts : TalkCounts {
  std::uint64_t credit_checked = 0;  ///< Channels whose credit was compared at both ends.

  ProgramCounts& operator+=(const ProgramCounts& other);
};

/// Runs one program under one seed, in virtual time.
/// Returns: an empty text, or what did not hold; `counts` grows by what was done.
std::string run_channel_program(Place place, std::uint64_t seed, ProgramCounts& counts);

}  // namespace tubing::sim
