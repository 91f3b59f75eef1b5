#include "tcp_floor.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

namespace tubing::bench {
namespace {

void require(bool fact) {
  if (!fact) std::abort();
}

void set_no_delay(int socket) {
  const int on = 1;
  require(::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
}

void send_all(int socket, const std::vector<char>& bytes) {
  require(::send(socket, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
}

void recv_all(int socket, std::vector<char>& bytes) {
  require(::recv(socket, bytes.data(), bytes.size(), MSG_WAITALL) ==
          static_cast<ssize_t>(bytes.size()));
}

}  // namespace

double tcp_round_trip_us(int count, std::size_t bytes) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  require(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  require(::listen(listener, 1) == 0);
  require(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);

  std::thread echo([listener, count, bytes] {
    const int socket = ::accept(listener, nullptr, nullptr);
    set_no_delay(socket);
    std::vector<char> buffer(bytes);
    for (int i = 0; i < count; ++i) {
      recv_all(socket, buffer);
      send_all(socket, buffer);
    }
    ::close(socket);
  });
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  require(::connect(socket, reinterpret_cast<sockaddr*>(&address), size) == 0);
  set_no_delay(socket);
  std::vector<char> buffer(bytes, 'x');
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    send_all(socket, buffer);
    recv_all(socket, buffer);
  }
  const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - begin;
  echo.join();
  ::close(socket);
  ::close(listener);
  return spent.count() / count;
}

}  // namespace tubing::bench
