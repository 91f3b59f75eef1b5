// MessageFlow: what one end of a channel has sent and has not arrived.
#pragma once

#include <deque>
#include <vector>

#include "tubing/channel/base/byte_buffer.h"
#include "tubing/sim/detail/ring.h"
#include "tubing/sim/virtual_reactor.h"

namespace tubing::sim::detail {

class MessageChannel;

/// What a message costs on the line beside its content, about as in byte mode.
inline constexpr std::size_t kHeadBytes = 40;

enum class PacketKind : std::uint8_t { open, accept, message, close, stop, reset };

/// What travels in order. The bytes of a message lie in its flow's buffer.
struct Packet {
  Time arrival;
  std::uint32_t bytes = 0;
  PacketKind kind = PacketKind::message;
};

/// A channel that travels in a message, by the number of that message's packet.
struct CarriedChannel {
  std::uint64_t packet = 0;
  MessageChannel* channel = nullptr;
};

/// The ordered part of a direction. A message is written behind those that are under way, and read
/// where it lies when it arrives: nothing is copied, and nothing allocated once the block has
/// grown.
struct MessageFlow {
  ByteBuffer bytes;
  std::size_t flying_bytes = 0;  ///< Of those, what was sent; behind them a message is written.
  Ring<Packet> packets;
  Ring<CarriedChannel> carried;  ///< In the order of their packets.
  std::uint64_t sent = 0;        ///< Packets; the last one's number.
  std::uint64_t arrived = 0;
  Time last_arrival = Time::min();
  bool dead = false;  ///< Something was lost: what follows it never arrives.

  std::size_t staged_bytes() const { return bytes.size() - flying_bytes; }
  void drop_staged() { bytes.truncate(flying_bytes); }
};

/// One datagram under way.
struct Datagram {
  ByteBuffer bytes;
  VirtualReactor::Event arrival;
  Time at;
  bool flying = false;
};

/// The datagrams of a direction: each arrives by itself.
struct DatagramFlow {
  ByteBuffer staged;
  std::deque<Datagram> places;  ///< Used again.
  std::vector<std::uint32_t> free;
  Ring<std::uint32_t> held;  ///< Those that would have arrived while the link was held.
  std::size_t flying = 0;
  Time last_arrival = Time::min();
};

}  // namespace tubing::sim::detail
