// TcpTransport: links over TCP, on a libuv loop.
#pragma once

#include <memory>

#include "tubing/channel/uv_reactor.h"
#include "tubing/rpc/transport.h"

namespace tubing::rpc {

/// The real Transport. A link sends small writes at once (TCP_NODELAY), writes from the call
/// itself, and has at most one write queued behind it; reads go through the loop's one buffer.
/// IPv4, IPv6 and names; a dialled name's addresses are tried in order.
///
/// Owns: nothing on the loop. Links, listeners and dialings may outlive it; the reactor outlives
/// them all.
/// Threads: the reactor's alone.
class TcpTransport final : public Transport {
 public:
  explicit TcpTransport(channel::UvReactor& reactor) : reactor_(reactor) {}

  /// Port 0 lets the system choose one. A name is looked up at once, and blocks meanwhile.
  /// Errors: also resource_exhausted where no descriptor is left, unavailable for the rest.
  Result<std::unique_ptr<Listener>> listen(const Address& address, OnLink on_link) override;
  std::unique_ptr<Dialing> dial(const Address& address, OnDialed on_dialed) override;

 private:
  channel::UvReactor& reactor_;
};

}  // namespace tubing::rpc
