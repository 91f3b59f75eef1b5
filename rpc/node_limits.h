// NodeLimits: every bound of a node, by name, with its default.
#pragma once

#include <cstdint>

#include "tubing/channel/base/time.h"
#include "tubing/rpc/mux.h"

namespace tubing::rpc {

/// Bounds of time, of number, and those of each session's Mux; keepalive is among the latter, since
/// a listener announces it.
struct NodeLimits {
  Duration handshake_time_max = std::chrono::seconds(5);  ///< A stranger has no longer.
  Duration dial_time_max = std::chrono::seconds(10);  ///< Of one address, to connect and be proven.
  Duration linger_time_max = std::chrono::seconds(1);  ///< To hear a refusal or a goodbye.
  /// Connections to us that have not proven themselves yet, waiting ones included; more are
  /// dropped.
  std::uint32_t half_open_max = 1024;
  /// Of one address (of IPv6, one /64 network). More of them wait for their turn, unread.
  std::uint32_t half_open_per_address_max = 64;
  /// How many of one address may wait; more are dropped. Waiting counts as time for the handshake.
  std::uint32_t half_open_waiting_max = 256;
  std::uint32_t sessions_max = 16 * 1024;  ///< Half-open and ending ones included.
  std::uint32_t dials_max = 1024;         ///< Peers that are being dialled, or were in vain lately.
  std::uint32_t addresses_max = 16;       ///< Of one peer, in a PeerName or learned.
  std::uint32_t learned_max = 16 * 1024;  ///< Peers whose addresses were learned.
  /// How long a peer is not dialled after it was in vain: doubled each time, forgotten by success.
  Duration backoff_min = std::chrono::milliseconds(100);
  Duration backoff_max = std::chrono::seconds(5);
  /// An older session takes no new channels, and ends when its last one has ended.
  Duration session_age_max = std::chrono::hours(24);
  /// How long that may take; what is still open then is lost.
  Duration drain_time_max = std::chrono::hours(1);
  /// Of one kind that peers or strangers can cause; the rest are logged at debug, and counted in
  /// one line more.
  std::uint32_t warnings_per_second_max = 5;
  std::uint64_t receive_bytes_max = 512 * 1024 * 1024;  ///< Promised to the peers of all sessions.
  MuxLimits mux = {};                                   ///< Of each session.
};

}  // namespace tubing::rpc
