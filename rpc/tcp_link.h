// TcpLink: one TCP connection on a libuv loop. Private to the TCP transport.
#pragma once

#include <uv.h>

#include <memory>
#include <string>

#include "tubing/channel/uv_reactor.h"
#include "tubing/rpc/transport.h"

namespace tubing::rpc {

/// What libuv keeps of one connection. It outlives its owner until libuv has let go of it;
/// `tcp.data` points to the owner, null once that is gone.
struct TcpSocket {
  uv_tcp_t tcp;
  uv_connect_t connect;
  uv_write_t write;
  uv_shutdown_t shutdown;

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp); }
};

/// Forgets the owner, closes the descriptor, and frees the block from the loop.
struct TcpSocketCloser {
  void operator()(TcpSocket* socket) const;
};
using TcpSocketPtr = std::unique_ptr<TcpSocket, TcpSocketCloser>;

/// A socket without a descriptor yet; it never delays small segments (TCP_NODELAY).
TcpSocketPtr make_tcp_socket(channel::UvReactor& reactor, void* owner);

/// States:
///   made --start--> open --write that does not fit--> writing --on_written--> open
///   open, writing --on_read: end of stream or error--> ended (the descriptor is closed at once)
/// A failed write shuts the socket down and lets reading find the end, so that the peer's last
/// words (why it refused us) are heard before `lost` is told.
class TcpLink final : public Link {
 public:
  /// Requires: `socket` is connected.
  TcpLink(TcpSocketPtr socket, std::string peer_address);

  void start(LinkEvents& events) override;
  bool write(ByteView bytes) override;
  void close_write() override;
  std::string peer_address() const override { return peer_address_; }

 private:
  static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer);
  static void on_written(uv_write_t* request, int status);
  void break_off(int status);
  void end(int status);

  TcpSocketPtr socket_;  ///< Null once the end was told.
  std::string peer_address_;
  LinkEvents* events_ = nullptr;
  int failure_ = 0;  ///< The libuv error of a failed write, or 0.
  bool writing_ = false;
  bool write_closed_ = false;
};

}  // namespace tubing::rpc
