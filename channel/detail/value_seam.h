// Sink and Source: where a channel's values go to and come from when its other end is elsewhere.
#pragma once

#include <cstdint>
#include <optional>

#include "tubing/channel/base/result.h"

namespace tubing {
struct PeerInfo;
}

namespace tubing::detail {

/// Of a channel whose both ends are in this process.
extern const PeerInfo kNobody;

/// The end of an operation on a handle that was left behind when its end travelled.
Error passed_on(const char* operation);
/// The end of a flush where nothing tells what was taken.
Error nobody_flushes();

/// What few channels ever need to keep.
struct RareFacts {
  std::optional<Error> refusal;   ///< Why the last refused operation was.
  std::optional<Error> late_end;  ///< What came behind a close, before all was taken.
  std::uint64_t discarded = 0;    ///< Values that left the buffer and were not taken.
};

/// Where the values of a sender go when the receiver is not in this process.
template <class T>
class Sink {
 public:
  virtual ~Sink() = default;
  /// Takes `value` (to encode it) and returns true; or has no room now, and calls
  /// `ChannelCore::admit_senders` when it has. An error refuses this value alone. `value` is
  /// changed only where it was accepted and `may_move`.
  virtual Result<bool> accept(T& value, bool may_move) = 0;
  /// Whether `accept` would take a small value.
  virtual bool has_room() const = 0;
  /// How many values were accepted, and how many of these the peer's code has taken.
  virtual std::uint64_t accepted() const { return 0; }
  virtual std::uint64_t taken_by_peer() const { return 0; }
  /// Whether `taken_by_peer` reaches `accepted` one day, unless the channel ends.
  virtual bool can_flush() const { return false; }
  /// The user ended the channel: `closed` says complete, any other code breaks it off.
  virtual void close(const Error& how) = 0;
  /// The last handle is gone; the sink is not called again.
  virtual void drop_sender() { delete this; }
  virtual const PeerInfo& peer() const { return kNobody; }
};

/// Where the values of a receiver come from when the sender is not in this process.
class Source {
 public:
  virtual ~Source() = default;
  /// One value was taken from the buffer: the sender may send another.
  virtual void on_taken() = 0;
  /// The user wants no more, by `stopped`, or breaks the channel off by another code. What waited
  /// was discarded.
  virtual void on_stop(const Error&) {}
  /// The last handle is gone; the source is not called again.
  virtual void drop_receiver() { delete this; }
  virtual const PeerInfo& peer() const { return kNobody; }
};

}  // namespace tubing::detail
