// Stats: what a node, its sessions and their channels hold and have done, as plain numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tubing/channel/channel_class.h"

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
};

}  // namespace tubing::rpc
