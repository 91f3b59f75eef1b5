// Passed ends: channels that travel inside a message of another one.
#pragma once

#include <optional>

#include "tubing/channel/codec.h"
#include "tubing/channel/network.h"

namespace tubing::detail {

/// The longest name of a type that fits the frame which opens a channel. Units: bytes.
inline constexpr std::size_t kPassedTypeNameMax = 200;
/// Values that the new owner of an end lets wait, whatever capacity its maker gave it.
inline constexpr std::uint32_t kPassedCapacityMax = 1024;

/// Whether an end may travel.
enum class Travel : std::uint8_t {
  allowed,
  used,        ///< Something was sent, received or awaited on it.
  elsewhere,   ///< It came over a network, or has travelled already.
  rendezvous,  ///< Capacity 0 exists only in process.
  twice,       ///< It is in the message a second time.
};
/// Errors: invalid_argument for all but `allowed`, with what to do instead.
Result<> check_travel(Travel verdict);

/// Writes a message for `carrier`. In the place of an end stands the number that its channel gets.
class EndWriter : public Writer {
 public:
  EndWriter(ByteBuffer& out, channel::Port& carrier)
      : Writer(out, Form::array), carrier_(carrier) {}
  /// The number of the next end, 0 after a failure.
  std::uint64_t next_number();
  /// Why not all ends can travel; the message is then of no use.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  channel::Port& carrier_;
  std::uint32_t count_ = 0;
  std::optional<Error> failure_;
};

/// Reads a message that came on `carrier`, which hands out the ends in it.
class EndReader : public BoundedReader {
 public:
  EndReader(ByteView bytes, channel::Port& carrier)
      : BoundedReader(bytes, DecodeLimits{}), carrier_(carrier) {}
  /// The channel of an end that came. Errors: invalid_argument where none came by this number, or
  /// it carries other types; lost.
  Result<channel::IncomingPort> claim(std::uint64_t number, const channel::ChannelSpec& expected);

 private:
  channel::Port& carrier_;
};

/// Sends a value with ends in it: encodes, commits, and puts the ends that stay behind on the
/// channels that are opened for those which travel.
/// Returns: as Sink::accept. Errors: invalid_argument for an end that cannot travel, those of
/// Port::commit and Port::next_passed; `value` and its ends are then untouched.
template <class T>
Result<bool> send_with_ends(channel::Port& carrier, T& value, bool may_move);

/// Reads a value with ends in it; those that it holds are served from then on.
/// Errors: as decode, and those of EndReader::claim.
template <class T>
Result<> decode_with_ends(channel::Port& carrier, ByteView message, T& value);

}  // namespace tubing::detail
