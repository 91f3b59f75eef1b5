// WireConditions: how good a simulated connection is.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tubing/channel/base/time.h"

namespace tubing::sim {

/// Counts connections from 0, in the order in which they were made.
using WireId = std::uint64_t;

/// One end of a connection; also names the direction of what that end writes.
enum class WireSide : std::uint8_t { dialer, listener };

inline WireSide other(WireSide side) {
  return side == WireSide::dialer ? WireSide::listener : WireSide::dialer;
}

/// What bytes meet on their way. The default is a perfect connection.
struct WireConditions {
  /// Between leaving and arriving; drawn for each chunk, and a chunk overtakes no other.
  Duration latency_min{};
  Duration latency_max{};
  /// How many bytes arrive at once, where so many were written; at least 1.
  std::size_t chunk_bytes_min = 64 * 1024;
  std::size_t chunk_bytes_max = 64 * 1024;
  /// In each direction; 0: unlimited.
  std::uint64_t bytes_per_second = 0;
  /// Bytes that were written and have not left; beyond it a write waits. At least 1.
  std::size_t send_buffer_bytes = 256 * 1024;
  /// Bytes that have left and were not taken by the receiver; beyond it nothing leaves.
  std::size_t window_bytes = 4 * 1024 * 1024;
};

}  // namespace tubing::sim
