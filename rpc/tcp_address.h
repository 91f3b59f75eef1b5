// Between Address and the system's socket addresses. Private to the TCP transport.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>

#include "tubing/channel/base/result.h"
#include "tubing/rpc/transport.h"

struct addrinfo;

namespace tubing::rpc {

/// A socket address of either family, with the length that system calls want.
struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t length = 0;

  static SocketAddress of(const addrinfo& info);
  static SocketAddress of_local_end(int descriptor);
  static SocketAddress of_peer(int descriptor);

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
  /// In numbers. A family that is neither IPv4 nor IPv6 has an empty host.
  Address address() const;
};

/// The socket address of a host that is written in numbers; nothing for a name.
std::optional<SocketAddress> numeric_address(const Address& address);

/// What went wrong where the name was looked up. `status` is a libuv error.
Error resolve_error(const char* operation, const Address& address, int status);

/// What went wrong where it was listened or dialled. `status` is a libuv error.
Error listen_error(const Address& address, int status);
Error dial_error(const Address& address, int status);

}  // namespace tubing::rpc
