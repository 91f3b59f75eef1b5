// NetworkConditions: how soon a simulated network notices what went wrong, and its bounds.
#pragma once

#include <cstdint>

#include "tubing/channel/base/time.h"

namespace tubing::sim {

/// Of every sim::Network of a World. What is a range is drawn each time, uniformly.
struct NetworkConditions {
  /// How long a side takes to notice that its channel, or its peer, is gone without a word: a
  /// message of it was dropped, the link is cut, the peer's host has no power.
  Duration notice_min = std::chrono::milliseconds(10);
  Duration notice_max = std::chrono::seconds(1);
  /// How long an opener waits for a host that does not answer.
  Duration dial_min = std::chrono::milliseconds(100);
  Duration dial_max = std::chrono::seconds(3);
  /// How long a peer is not dialled again that was dialled in vain: doubled each time.
  Duration backoff_min = std::chrono::milliseconds(100);
  Duration backoff_max = std::chrono::seconds(5);

  std::uint32_t early_items = 16;         ///< Values that an opener may send before the accept.
  std::uint32_t early_bytes = 16 * 1024;  ///< Likewise.
  std::uint32_t channels_max = 1024;      ///< That a process may have opened to one peer at a time.
  std::uint32_t message_bytes_max = 16 * 1024 * 1024;
  /// Datagrams of one channel that may be on their way in one direction; more are dropped.
  std::uint32_t datagrams_max = 1024;
  /// Dropped datagrams of one link that are kept, to be delivered late; the oldest are forgotten.
  std::uint32_t kept_max = 256;
  /// Their bytes, likewise.
  std::uint32_t kept_bytes_max = 1024 * 1024;
};

}  // namespace tubing::sim
