// Stats: what a node, its sessions and their channels hold and have done, as plain numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tubing/channel/channel_class.h"
#include "tubing/channel/fields.h"

namespace tubing::rpc {

/// One channel of a session. Totals count since the channel began.
struct ChannelStats {
  std::uint64_t id = 0;
  std::string service;  ///< Empty for a channel that came inside of a message.
  bool ours = false;    ///< We opened it.
  channel::ChannelClass channel_class = channel::ChannelClass::normal;

  std::uint64_t sent_messages = 0;  ///< Accepted for sending.
  std::uint64_t sent_bytes = 0;
  std::uint64_t outbox_bytes = 0;  ///< Accepted and not yet on the wire.
  std::uint64_t credit_items = 0;  ///< How many more the peer lets us send.
  std::uint64_t credit_bytes = 0;
  std::uint64_t stalls = 0;   ///< Sends that had to wait for credit or room.
  std::uint64_t dropped = 0;  ///< Datagrams that were dropped for want of either.

  std::uint64_t received_messages = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t waiting_messages = 0;  ///< Received and not yet taken by our code.
  std::uint64_t waiting_bytes = 0;
  std::uint64_t window_bytes = 0;  ///< What the peer may have under way.

  static constexpr auto fields = tubing::fields(
      "id", &ChannelStats::id, "service", &ChannelStats::service, "ours", &ChannelStats::ours,
      "class", &ChannelStats::channel_class, "sent_messages", &ChannelStats::sent_messages,
      "sent_bytes", &ChannelStats::sent_bytes, "outbox_bytes", &ChannelStats::outbox_bytes,
      "credit_items", &ChannelStats::credit_items, "credit_bytes", &ChannelStats::credit_bytes,
      "stalls", &ChannelStats::stalls, "dropped", &ChannelStats::dropped, "received_messages",
      &ChannelStats::received_messages, "received_bytes", &ChannelStats::received_bytes,
      "waiting_messages", &ChannelStats::waiting_messages, "waiting_bytes",
      &ChannelStats::waiting_bytes, "window_bytes", &ChannelStats::window_bytes);
};

/// One session, with its channels. Totals count since its connection was made.
struct SessionStats {
  std::uint64_t number = 0;   ///< In the order in which the node's sessions came.
  std::string peer;           ///< Its name; empty while it has not proven itself.
  std::string key;            ///< Its fingerprint; likewise.
  std::string address;        ///< Where it connected from or to.
  bool dialled = false;       ///< We dialled it.
  std::string state;          ///< "connecting", "up", "draining" or "closing".
  std::uint64_t age_ms = 0;   ///< Since it was up.
  std::uint64_t idle_ms = 0;  ///< Since the last record from the peer.

  std::uint64_t records_out = 0;
  std::uint64_t bytes_out = 0;        ///< On the wire, the handshake included.
  std::uint64_t flushes = 0;          ///< Writes to the connection.
  std::uint64_t unwritten_bytes = 0;  ///< Sealed, and not yet taken by the system.
  std::uint64_t records_in = 0;
  std::uint64_t bytes_in = 0;
  std::uint64_t partial_bytes = 0;   ///< Of a record whose rest has not come.
  std::uint64_t pings = 0;           ///< That we sent.
  std::uint64_t promised_bytes = 0;  ///< To the peer: windows, and large messages on their way.
  std::vector<ChannelStats> channels;

  static constexpr auto fields = tubing::fields(
      "number", &SessionStats::number, "peer", &SessionStats::peer, "key", &SessionStats::key,
      "address", &SessionStats::address, "dialled", &SessionStats::dialled, "state",
      &SessionStats::state, "age_ms", &SessionStats::age_ms, "idle_ms", &SessionStats::idle_ms,
      "records_out", &SessionStats::records_out, "bytes_out", &SessionStats::bytes_out, "flushes",
      &SessionStats::flushes, "unwritten_bytes", &SessionStats::unwritten_bytes, "records_in",
      &SessionStats::records_in, "bytes_in", &SessionStats::bytes_in, "partial_bytes",
      &SessionStats::partial_bytes, "pings", &SessionStats::pings, "promised_bytes",
      &SessionStats::promised_bytes, "channels", &SessionStats::channels);
};

/// A whole node.
struct NodeStats {
  std::uint64_t half_open = 0;          ///< Connections that have not proven themselves yet.
  std::uint64_t half_open_waiting = 0;  ///< Connections that wait unread for their turn.
  std::uint64_t half_open_dropped = 0;  ///< Connections dropped for the limits, since the begin.
  std::uint64_t dials = 0;              ///< Peers that are being dialled.
  std::uint64_t promised_bytes = 0;     ///< To all peers, of `receive_bytes_max`.
  std::vector<SessionStats> sessions;   ///< In the order in which they came.

  static constexpr auto fields = tubing::fields(
      "half_open", &NodeStats::half_open, "half_open_waiting", &NodeStats::half_open_waiting,
      "half_open_dropped", &NodeStats::half_open_dropped, "dials", &NodeStats::dials,
      "promised_bytes", &NodeStats::promised_bytes, "sessions", &NodeStats::sessions);
};

}  // namespace tubing::rpc
