// TcpListener: a listening socket on a libuv loop. Private to the TCP transport.
#pragma once

#include <memory>

#include "tubing/channel/logger.h"
#include "tubing/channel/uv_reactor.h"
#include "tubing/rpc/transport.h"

namespace tubing::rpc {

/// Accepts at most 64 connections a turn, so that a storm of them starves nobody.
///
/// Where the process has no descriptor left it gives up one kept in reserve, to take the waiting
/// connection and close it: the dialler learns at once, and the loop does not spin on a socket
/// that stays readable. Where even that fails, it stops accepting for 100 ms. Either is logged, at
/// most once a minute.
class TcpListener final : public Listener {
 public:
  /// Errors: as Transport::listen. A name is looked up at once, and blocks meanwhile.
  static Result<std::unique_ptr<Listener>> make(channel::UvReactor& reactor, const Address& address,
                                                Transport::OnLink on_link, Logger* logger);
  ~TcpListener() override;

  Address address() const override;

 private:
  struct Socket;

  explicit TcpListener(Socket* socket) : socket_(socket) {}

  Socket* socket_;  ///< Freed from the loop, once libuv has let go of it.
};

}  // namespace tubing::rpc
