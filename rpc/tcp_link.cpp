#include "tubing/rpc/tcp_link.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <utility>

namespace tubing::rpc {

using channel::UvReactor;

namespace {

void lend_buffer(uv_handle_t* handle, std::size_t, uv_buf_t* buffer) {
  const MutableBytes bytes = UvReactor::of(handle->loop).lend_buffer();
  *buffer = uv_buf_init(reinterpret_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
}

uv_buf_t as_buffer(ByteView bytes) {
  // libuv only reads from it.
  auto* base = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));
  uv_buf_t buffer;
  buffer.base = base;
  buffer.len = bytes.size();
  return buffer;
}

}  // namespace

void TcpSocketCloser::operator()(TcpSocket* socket) const {
  socket->tcp.data = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&socket->tcp), [](uv_handle_t* handle) {
    delete reinterpret_cast<TcpSocket*>(handle);  // The handle is the block's first member.
  });
}

TcpSocketPtr make_tcp_socket(UvReactor& reactor, void* owner) {
  TcpSocketPtr socket(new TcpSocket);
  const int status = uv_tcp_init(&reactor.loop(), &socket->tcp);
  TUBING_ASSERT(status == 0, uv_strerror(status));
  socket->tcp.data = owner;
  uv_tcp_nodelay(&socket->tcp, 1);
  return socket;
}

TcpLink::TcpLink(TcpSocketPtr socket, std::string peer_address)
    : socket_(std::move(socket)), peer_address_(std::move(peer_address)) {
  socket_->tcp.data = this;
}

void TcpLink::start(LinkEvents& events) {
  TUBING_ASSERT(events_ == nullptr);
  events_ = &events;
  const int status = uv_read_start(socket_->stream(), lend_buffer, on_read);
  TUBING_ASSERT(status == 0, uv_strerror(status));
}

bool TcpLink::write(ByteView bytes) {
  TUBING_ASSERT(events_ != nullptr && !writing_ && !write_closed_);
  if (socket_ == nullptr || bytes.empty()) return true;
  uv_buf_t buffer = as_buffer(bytes);
  const int taken = uv_try_write(socket_->stream(), &buffer, 1);
  if (taken >= 0) {
    if (static_cast<std::size_t>(taken) == bytes.size()) return true;
    buffer = as_buffer(bytes.subspan(static_cast<std::size_t>(taken)));
  } else if (taken != UV_EAGAIN) {
    // Queued all the same: it fails again, and tells so from the loop.
    failure_ = taken;
  }
  writing_ = true;
  const int status = uv_write(&socket_->write, socket_->stream(), &buffer, 1, on_written);
  TUBING_ASSERT(status == 0, uv_strerror(status));
  return false;
}

void TcpLink::close_write() {
  if (socket_ == nullptr || write_closed_) return;
  write_closed_ = true;
  // Where it fails the connection is broken, and reading tells that.
  uv_shutdown(&socket_->shutdown, socket_->stream(), [](uv_shutdown_t*, int) {});
}

void TcpLink::on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
  auto* self = static_cast<TcpLink*>(stream->data);
  UvReactor& reactor = UvReactor::of(stream->loop);
  if (count > 0)  // The owner may drop the link here.
    self->events_->on_bytes(
        {reinterpret_cast<std::byte*>(buffer->base), static_cast<std::size_t>(count)});
  if (buffer->base != nullptr) reactor.return_buffer();
  if (count < 0) self->end(static_cast<int>(count));
}

void TcpLink::on_written(uv_write_t* request, int status) {
  auto* self = static_cast<TcpLink*>(request->handle->data);
  if (self == nullptr) return;
  if (status != 0 || self->failure_ != 0) {
    self->break_off(status);
    return;
  }
  self->writing_ = false;
  self->events_->on_writable();
}

void TcpLink::break_off(int status) {
  if (failure_ == 0) failure_ = status;
  uv_os_fd_t descriptor = -1;
  uv_fileno(reinterpret_cast<uv_handle_t*>(&socket_->tcp), &descriptor);
  shutdown(descriptor, SHUT_RDWR);  // Fails where the system has done so already.
}

void TcpLink::end(int status) {
  socket_.reset();
  const bool in_order = status == UV_EOF && failure_ == 0;
  const int reason = failure_ != 0 ? failure_ : status;
  events_->on_end(
      in_order ? Error(Code::closed, "link", fmt::format("{} ended the connection", peer_address_))
               : Error(Code::lost, "link",
                       fmt::format("the connection with {} broke: {}", peer_address_,
                                   uv_strerror(reason))));
}

}  // namespace tubing::rpc
