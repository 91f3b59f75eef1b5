#include "loopback.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace tubing::bench {
namespace {

void require(bool fact, const char* what) {
  if (fact) return;
  fmt::print(stderr, "loopback: {} failed\n", what);
  std::exit(1);
}

void set_no_delay(int socket) {
  const int on = 1;
  require(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
}

}  // namespace

Loopback::Loopback() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  require(::bind(listener, any, size) == 0, "bind");
  require(::listen(listener, 1) == 0, "listen");
  require(::getsockname(listener, any, &size) == 0, "getsockname");
  near = ::socket(AF_INET, SOCK_STREAM, 0);
  require(::connect(near, any, size) == 0, "connect");
  far = ::accept(listener, nullptr, nullptr);
  require(far >= 0, "accept");
  ::close(listener);
  set_no_delay(near);
  set_no_delay(far);
}

Loopback::~Loopback() {
  ::close(near);
  ::close(far);
}

void send_all(int socket, const void* bytes, std::size_t size) {
  const char* at = static_cast<const char*>(bytes);
  while (size > 0) {
    const ssize_t sent = ::send(socket, at, size, MSG_NOSIGNAL);
    require(sent > 0, "send");
    at += sent;
    size -= static_cast<std::size_t>(sent);
  }
}

void recv_all(int socket, void* bytes, std::size_t size) {
  require(::recv(socket, bytes, size, MSG_WAITALL) == static_cast<ssize_t>(size), "recv");
}

}  // namespace tubing::bench
