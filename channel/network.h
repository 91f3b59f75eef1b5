// Network: the seam through which channels reach other processes. It carries encoded messages.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tubing/channel/base/byte_buffer.h"
#include "tubing/channel/base/bytes.h"
#include "tubing/channel/channel.h"
#include "tubing/channel/channel_class.h"
#include "tubing/channel/deadline.h"
#include "tubing/channel/task.h"

namespace tubing {

/// Whom to reach, as people write it: "NAME@HOST:PORT", "FINGERPRINT@HOST:PORT", or "NAME" alone
/// where a session with that peer is open or its address was learned.
struct PeerName {
  std::string text;
};

/// Who the peer is, as its certificate says (in simulation: as its host was declared).
struct PeerInfo {
  std::string name;
  std::string key;  ///< The fingerprint of its identity.
  std::vector<std::string> roles;
  std::string usage;    ///< "client", "server" or "both".
  std::string address;  ///< Where it connected from or to; for logs, never for trust.
};

}  // namespace tubing

namespace tubing::channel {

/// What both ends of a channel over a network have to agree on, seen from the opener.
struct ChannelSpec {
  std::string service;
  std::string out_type;         ///< What the opener sends.
  std::string in_type;          ///< What the opener receives.
  std::uint32_t capacity = 64;  ///< Values that this side's receiver has room for. At least 1.
  ChannelClass channel_class = ChannelClass::normal;
  Delivery delivery = Delivery::ordered;
};

/// What a Port tells the typed layer above it. Calls come from the Reactor's `park` or the end of a
/// turn, never from inside a call on the Port, apart from `attach`, which tells what came before.
class PortEvents {
 public:
  /// A whole message; the view is lent for this call.
  virtual void on_message(ByteView message) = 0;
  /// A message that was refused for lack of room or credit would be taken now.
  virtual void on_writable() = 0;
  /// No message follows: `closed` (the peer said complete; all of it came), `reset`, `lost`.
  virtual void on_receive_end(Error how) = 0;
  /// Nothing can be sent any more: `stopped`, `reset`, `lost`.
  virtual void on_send_end(Error how) = 0;
  /// The peer's code has taken `messages` of ours in all.
  virtual void on_taken_by_peer(std::uint64_t messages) = 0;

 protected:
  ~PortEvents() = default;
};

struct IncomingPort;

/// One end of an untyped channel over a network.
///
/// Owns: its place in the session. Dropping it ends what is still open: unfinished sending by
/// reset(cancelled), else receiving by stop. It may outlive the session; it is then lost.
/// Threads: the Scheduler's alone.
class Port {
 public:
  virtual ~Port() = default;
  virtual const PeerInfo& peer() const = 0;

  /// Serves a channel that the peer opened, with room for `capacity` messages.
  /// Requires: it came by accept; called once, before any sending.
  /// Returns: how many may wait untaken: early ones, sent before the peer knew, may be more.
  virtual std::uint32_t accept(std::uint32_t capacity) = 0;
  /// Where events go. Requires: called once; `events` outlives the Port or its `detach`.
  virtual void attach(PortEvents& events) = 0;
  virtual void detach() = 0;

  /// Whether a small message would be accepted now. Where not, on_writable follows. Always true on
  /// a datagram channel: what finds no room there is dropped by `commit`, which says true.
  virtual bool has_room() = 0;
  /// Begins a message: append its bytes to what this returns, then commit or rollback.
  /// Requires: sending has not ended.
  virtual ByteBuffer& begin_message() = 0;
  /// Returns: false where there is no credit or room: rolled back, and on_writable follows.
  /// Errors: invalid_argument where the message is longer than a side allows; rolled back.
  virtual Result<bool> commit() = 0;
  virtual void rollback() = 0;
  /// The application took `items` messages of `bytes` in all: the peer may send as much more.
  virtual void taken(std::uint64_t items, std::uint64_t bytes) = 0;
  /// Everything was said; the peer learns it behind the last message.
  virtual void close_send() = 0;
  /// Nothing more is wanted: what still comes is dropped, and the sender is told.
  virtual void stop() = 0;
  /// Breaks both directions off. No event follows.
  virtual void reset(Code status, std::string_view text) = 0;

  /// How many of our messages were accepted, and of these how many the peer's code is known to have
  /// taken. Both stay readable when the channel has ended.
  virtual std::uint64_t accepted() const = 0;
  virtual std::uint64_t taken_by_peer() const = 0;

  // A channel may travel inside a message of another one. Its sender writes the number that
  // `next_passed` tells into the message, commits, and then opens it by `open_passed`, in the same
  // order; its receiver claims it by that number. One that nobody claims is reset when its message
  // is dropped, at the latest with the channel that carried it.

  /// The number that the channel will have which is passed after `ahead` others in the message that
  /// was begun. Errors: resource_exhausted where no more channels may be open.
  virtual Result<std::uint64_t> next_passed(std::uint32_t ahead) = 0;
  /// Opens the next of them. Requires: the message that carries its number was just accepted.
  virtual std::unique_ptr<Port> open_passed(const ChannelSpec& spec) = 0;
  /// A channel that came in a message of this one; see `IncomingPort`.
  /// Errors: invalid_argument where the peer passed none by this number, or it was claimed.
  virtual Result<IncomingPort> claim(std::uint64_t number) = 0;
};

/// A channel that a peer opened to a service of ours. Dropping it refuses the channel.
struct IncomingPort {
  ChannelSpec spec;  ///< As the opener sees it.
  std::unique_ptr<Port> port;
};

/// Opens channels to services of named peers, and accepts those opened to us. The real one is
/// rpc::Node; a simulated one stands in under the same code.
///
/// Threads: the Scheduler's alone.
class Network {
 public:
  virtual ~Network() = default;
  /// Connects where no session with the peer is open, then opens a channel. It does not wait for
  /// the peer's answer: an unknown service, or another type, ends the channel with `reset`.
  /// Errors: invalid_argument for a name that cannot be understood, unavailable, unauthenticated,
  /// resource_exhausted, deadline_exceeded, cancelled.
  virtual Task<std::unique_ptr<Port>> open(PeerName peer, ChannelSpec spec, Deadline deadline) = 0;
  /// From now on channels to `service` are handed out here; `backlog` of them may wait.
  /// Errors: already_exists where the service is accepted elsewhere.
  virtual Result<Receiver<IncomingPort>> accept(std::string service, std::uint32_t backlog) = 0;
  /// Where the peer that is called `peer.text` can be dialled from now on, so that its name alone
  /// reaches it. The addresses are tried in their order; they replace those learned before.
  /// Errors: invalid_argument for a name or an address that cannot be understood.
  virtual Result<> learn(PeerName peer, std::vector<std::string> addresses) = 0;
};

}  // namespace tubing::channel
