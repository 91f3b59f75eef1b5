// TcpTransport: links over TCP, on a libuv loop.
#pragma once

#include <memory>

#include "tubing/channel/logger.h"
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
  /// `logger` is told where connections are turned away for want of descriptors, at most once a
  /// minute for each listener; it outlives the listeners.
  explicit TcpTransport(channel::UvReactor& reactor, Logger* logger = nullptr)
      : reactor_(reactor), logger_(logger) {}

  /// Port 0 lets the system choose one. A name is looked up at once, and blocks meanwhile.
  /// Errors: also resource_exhausted where no descriptor is left, unavailable for the rest.
  Result<std::unique_ptr<Listener>> listen(const Address& address, OnLink on_link) override;
  std::unique_ptr<Dialing> dial(const Address& address, OnDialed on_dialed) override;

 private:
  channel::UvReactor& reactor_;
  Logger* logger_;
};

}  // namespace tubing::rpc
