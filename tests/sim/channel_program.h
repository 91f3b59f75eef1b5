// ChannelProgram: random operations on both ends of channels, and what must hold of every run.
#pragma once

#include <cstdint>
#include <string>

#include "tubing/channel/base/time.h"

namespace tubing::sim {

/// Where both ends of a program's channels live.
enum class Place : std::uint8_t {
  one_process,  ///< Both ends of a make_duplex.
  two_nodes,    ///< Two nodes over the in-memory link, with handshake, records and mux.
};

/// What one run did; a test sums these up, so that no operation is silently never tried.
struct ProgramCounts {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t closed = 0;   ///< Receivers that got everything, then `closed`.
  std::uint64_t stopped = 0;  ///< Operations that ended so; likewise below.
  std::uint64_t reset = 0;
  std::uint64_t lost = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t timed_out = 0;
  std::uint64_t flushed = 0;
  std::uint64_t selected = 0;
  std::uint64_t passed = 0;          ///< Ends of channels that travelled in a message.
  std::uint64_t credit_checked = 0;  ///< Channels whose credit was compared at both ends.

  ProgramCounts& operator+=(const ProgramCounts& other);
};

/// Runs one program under one seed, in virtual time.
/// Returns: an empty text, or what did not hold; `counts` grows by what was done.
std::string run_channel_program(Place place, std::uint64_t seed, ProgramCounts& counts);

}  // namespace tubing::sim
