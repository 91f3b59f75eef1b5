#include "tcp_floor.h"

#include <chrono>
#include <thread>
#include <vector>

#include "loopback.h"

namespace tubing::bench {

double tcp_round_trip_us(int count, std::size_t bytes) {
  Loopback sockets;
  std::thread echo([&sockets, count, bytes] {
    std::vector<char> buffer(bytes);
    for (int i = 0; i < count; ++i) {
      recv_all(sockets.far, buffer.data(), bytes);
      send_all(sockets.far, buffer.data(), bytes);
    }
  });
  std::vector<char> buffer(bytes, 'x');
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    send_all(sockets.near, buffer.data(), bytes);
    recv_all(sockets.near, buffer.data(), bytes);
  }
  const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - begin;
  echo.join();
  return spent.count() / count;
}

}  // namespace tubing::bench
