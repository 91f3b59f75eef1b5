#include "tubing/rpc/transport.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace tubing::rpc {
namespace {

constexpr std::size_t kHostBytesMax = 255;
constexpr const char* kGoodAddress =
    "write HOST:PORT, for example 127.0.0.1:7000, [::1]:7000 or db.example:7000";

Error refuse(std::string_view text, std::string_view why) {
  return Error(Code::invalid_argument, "address",
               fmt::format("\"{}\" {}; {}", text.substr(0, kHostBytesMax), why, kGoodAddress));
}

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  std::uint16_t port = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, port);
  if (error != std::errc() || stop != end) return std::nullopt;
  return port;
}

bool is_ipv6(std::string_view host) {
  in6_addr parsed;
  const std::string without_zone(host.substr(0, host.find('%')));
  return inet_pton(AF_INET6, without_zone.c_str(), &parsed) == 1;
}

// Whether the system would read it as an IPv4 address in one of the old short forms: 1.2.3 is
// 1.2.0.3 to it, and 0x7f.1 is 127.0.0.1. No name ends in a number.
bool is_short_ipv4(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  const std::string_view last = host.substr(host.rfind('.') + 1);
  const bool hex = last.starts_with("0x") || last.starts_with("0X");
  const bool number =
      !last.empty() && std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
  in_addr parsed;
  return (hex || number) && inet_pton(AF_INET, std::string(host).c_str(), &parsed) != 1;
}

// What may stand in a name or an IPv4 address; underscores occur in names within private networks.
bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

}  // namespace

Result<Address> Address::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  const bool bracketed = text.starts_with('[');
  if (is_ipv6(text)) return refuse(text, "is an IPv6 address without brackets and port");
  if (colon == std::string_view::npos) return refuse(text, "names no port");
  std::string_view host = text.substr(0, colon);
  if (host.empty()) return refuse(text, "names no host");
  if (host.size() > kHostBytesMax) return refuse(text, "has a host that is too long");
  if (bracketed) {
    if (!host.ends_with(']')) return refuse(text, "has no \"]:PORT\" behind its \"[\"");
    host = host.substr(1, host.size() - 2);
    if (!is_ipv6(host)) return refuse(text, "has no IPv6 address between its brackets");
  } else if (host.find(':') != std::string_view::npos) {
    return refuse(text, "has more than one colon and no brackets");
  } else if (!std::ranges::all_of(host, is_host_character)) {
    return refuse(text, "has a character that no host has");
  } else if (is_short_ipv4(host)) {
    return refuse(text, "has neither a name nor the four numbers of an IPv4 address");
  }
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return refuse(text, "has no port between 0 and 65535");
  return Address{std::string(host), *port};
}

std::string Address::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

}  // namespace tubing::rpc
