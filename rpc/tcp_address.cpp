#include "tubing/rpc/tcp_address.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <uv.h>

#include <algorithm>
#include <cstring>

namespace tubing::rpc {

SocketAddress SocketAddress::of(const addrinfo& info) {
  SocketAddress out;
  out.length = std::min<socklen_t>(info.ai_addrlen, sizeof out.storage);
  std::memcpy(&out.storage, info.ai_addr, out.length);
  return out;
}

SocketAddress SocketAddress::of_local_end(int descriptor) {
  SocketAddress out;
  out.length = sizeof out.storage;
  getsockname(descriptor, reinterpret_cast<sockaddr*>(&out.storage), &out.length);
  return out;
}

SocketAddress SocketAddress::of_peer(int descriptor) {
  SocketAddress out;
  out.length = sizeof out.storage;
  getpeername(descriptor, reinterpret_cast<sockaddr*>(&out.storage), &out.length);
  return out;
}

Address SocketAddress::address() const {
  char host[64] = "";
  if (family() == AF_INET) {
    const auto* in = reinterpret_cast<const sockaddr_in*>(&storage);
    uv_ip4_name(in, host, sizeof host);
    return {host, ntohs(in->sin_port)};
  }
  if (family() == AF_INET6) {
    const auto* in = reinterpret_cast<const sockaddr_in6*>(&storage);
    uv_ip6_name(in, host, sizeof host);
    return {host, ntohs(in->sin6_port)};
  }
  return {};
}

std::optional<SocketAddress> numeric_address(const Address& address) {
  SocketAddress out;
  if (uv_ip4_addr(address.host.c_str(), address.port,
                  reinterpret_cast<sockaddr_in*>(&out.storage)) == 0) {
    out.length = sizeof(sockaddr_in);
    return out;
  }
  if (uv_ip6_addr(address.host.c_str(), address.port,
                  reinterpret_cast<sockaddr_in6*>(&out.storage)) == 0) {
    out.length = sizeof(sockaddr_in6);
    return out;
  }
  return std::nullopt;
}

Error resolve_error(const char* operation, const Address& address, int status) {
  if (status == UV_EAI_AGAIN)
    return Error(Code::unavailable, operation,
                 fmt::format("the address of host {} for {} cannot be looked up now: {}; try again",
                             address.host, address.text(), uv_strerror(status)));
  return Error(Code::not_found, operation,
               fmt::format("host {} of {} has no address: {}; check how it is spelled",
                           address.host, address.text(), uv_strerror(status)));
}

Error listen_error(const Address& address, int status) {
  const std::string at = address.text();
  switch (status) {
    case UV_EADDRINUSE:
      return Error(Code::already_exists, "listen",
                   fmt::format("{} is in use; choose another port or stop the process that "
                               "listens there",
                               at));
    case UV_EACCES:
    case UV_EPERM:
      return Error(Code::permission_denied, "listen",
                   fmt::format("this user may not listen on {}; choose a port above 1023", at));
    case UV_EADDRNOTAVAIL:
      return Error(Code::invalid_argument, "listen",
                   fmt::format("{} is no address of this machine; listen on one of its own, or on "
                               "0.0.0.0:{} for all",
                               at, address.port));
    case UV_EMFILE:
    case UV_ENFILE:
      return Error(
          Code::resource_exhausted, "listen",
          fmt::format("no descriptor is left to listen on {}; raise the limit (ulimit -n)", at));
    default:
      return Error(Code::unavailable, "listen",
                   fmt::format("cannot listen on {}: {}", at, uv_strerror(status)));
  }
}

Error dial_error(const Address& address, int status) {
  const std::string at = address.text();
  switch (status) {
    case UV_ECONNREFUSED:
      return Error(Code::unavailable, "dial",
                   fmt::format("connection refused by {}; is a server listening there?", at));
    case UV_EMFILE:
    case UV_ENFILE:
      return Error(
          Code::unavailable, "dial",
          fmt::format("no descriptor is left to dial {}; raise the limit (ulimit -n)", at));
    default:
      return Error(Code::unavailable, "dial",
                   fmt::format("{} cannot be reached: {}", at, uv_strerror(status)));
  }
}

}  // namespace tubing::rpc
