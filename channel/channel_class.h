// ChannelClass and Delivery: what both ends agree on for a channel over a network.
#pragma once

#include <cstdint>

namespace tubing::channel {

/// How urgent a channel's values are when several channels of one session have some to send.
enum class ChannelClass : std::uint8_t { control = 0, normal = 1, bulk = 2 };
/// What is promised for a channel's values.
enum class Delivery : std::uint8_t {
  ordered = 0,  ///< First in, first out, each at most once, nothing lost from the middle.
  /// A send never waits: what finds no room is dropped. Loss, repetition and another order are
  /// allowed; for protocols that expect them.
  datagram = 1,
};

}  // namespace tubing::channel
