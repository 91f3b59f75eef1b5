// Transport: the seam under a session. It listens and dials; a Link is an ordered stream of bytes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "tubing/channel/base/bytes.h"
#include "tubing/channel/base/result.h"

namespace tubing::rpc {

/// Where a process listens, as people write it: "127.0.0.1:7000", "[::1]:7000", "db.example:7000".
struct Address {
  std::string host;
  std::uint16_t port = 0;

  /// Errors: invalid_argument, with what a good address looks like.
  static Result<Address> parse(std::string_view text);
  std::string text() const;
  friend bool operator==(const Address&, const Address&) = default;
};

/// What a Link tells its owner. Calls come from the Reactor's `park`, never from inside a call
/// on the Link.
class LinkEvents {
 public:
  virtual ~LinkEvents() = default;
  /// Bytes arrived. The buffer is lent for this call and may be overwritten (to decrypt in place).
  virtual void on_bytes(MutableBytes bytes) = 0;
  /// The write that `Link::write` left unfinished has left; the next one may start.
  virtual void on_writable() = 0;
  /// The link is dead, and nothing else comes: `closed` where the peer ended its side in order,
  /// `lost` where the connection broke, with the system's reason. The owner may drop the Link here.
  virtual void on_end(Error reason) = 0;
};

/// An ordered, reliable stream of bytes to one peer.
///
/// Owns: the connection; dropping the Link closes it, and no event comes afterwards.
/// Threads: the Scheduler's alone.
class Link {
 public:
  virtual ~Link() = default;
  /// Starts reading. Requires: called once, `events` outlives the Link.
  virtual void start(LinkEvents& events) = 0;
  /// Writes at once what the system takes. Returns true where that was all; otherwise the rest is
  /// queued, `bytes` must stay where they are until `on_writable`, and no write may come before.
  /// An error of the connection is told by `on_end`, from the loop.
  [[nodiscard]] virtual bool write(ByteView bytes) = 0;
  /// Sends what is queued, then ends our side of the stream; reading goes on until the peer ends
  /// its own. Idempotent.
  virtual void close_write() = 0;
  /// The peer's address as the system tells it; for logs, never for trust.
  virtual std::string peer_address() const = 0;
};

/// Dropping it stops listening.
class Listener {
 public:
  virtual ~Listener() = default;
  /// Where it listens; with port 0 asked for, the port that the system chose.
  virtual Address address() const = 0;
};

/// Dropping it before it is done gives up; its callback does not come then.
class Dialing {
 public:
  virtual ~Dialing() = default;
};

class Transport {
 public:
  using OnLink = std::function<void(std::unique_ptr<Link>)>;
  using OnDialed = std::function<void(Result<std::unique_ptr<Link>>)>;

  virtual ~Transport() = default;
  /// Errors: already_exists where the address is in use, invalid_argument, permission_denied,
  /// not_found where the host has no address; each names the address.
  virtual Result<std::unique_ptr<Listener>> listen(const Address& address, OnLink on_link) = 0;
  /// `on_dialed` comes from the loop, once, never from inside this call; the callback may drop
  /// the Dialing. Errors there: unavailable, not_found; each names the address.
  virtual std::unique_ptr<Dialing> dial(const Address& address, OnDialed on_dialed) = 0;
};

}  // namespace tubing::rpc
