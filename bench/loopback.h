// Loopback: two connected TCP sockets, for what is measured without our own stack.
#pragma once

#include <cstddef>

namespace tubing::bench {

/// Both ends of one TCP connection over 127.0.0.1, with TCP_NODELAY. An error ends the program.
/// Owns: the two descriptors.
struct Loopback {
  Loopback();
  ~Loopback();
  Loopback(const Loopback&) = delete;
  Loopback& operator=(const Loopback&) = delete;

  int near = -1;
  int far = -1;
};

/// Sends or receives all of the bytes, blocking. An error, or the end of the stream, ends the
/// program.
void send_all(int socket, const void* bytes, std::size_t size);
void recv_all(int socket, void* bytes, std::size_t size);

}  // namespace tubing::bench
