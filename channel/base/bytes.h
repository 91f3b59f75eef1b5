// Bytes: views of raw memory, and the one owning type for raw payloads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tubing {

using ByteView = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;
/// Owned raw bytes. As the value type of a channel they cross a network unencoded.
using Bytes = std::vector<std::byte>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline const unsigned char* as_uchars(ByteView bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* as_uchars(MutableBytes bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}
inline void append(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// A stranger's text, fit for a terminal: each byte that is not printable ASCII becomes '?'.
std::string printable(std::string_view text);

/// Lower-case hexadecimal digits, two a byte.
std::string to_hex(ByteView bytes);

/// Unsigned integers of fixed width, most significant byte first. Requires: room for them.
inline void store_be16(std::byte* out, std::uint16_t value) {
  out[0] = static_cast<std::byte>(value >> 8);
  out[1] = static_cast<std::byte>(value);
}
inline std::uint16_t load_be16(const std::byte* in) {
  return static_cast<std::uint16_t>((std::to_integer<unsigned>(in[0]) << 8) |
                                    std::to_integer<unsigned>(in[1]));
}
inline void store_be64(std::byte* out, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) out[i] = static_cast<std::byte>(value >> (56 - 8 * i));
}
inline std::uint64_t load_be64(const std::byte* in) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = (value << 8) | std::to_integer<std::uint64_t>(in[i]);
  return value;
}
inline void store_le64(std::byte* out, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) out[i] = static_cast<std::byte>(value >> (8 * i));
}

}  // namespace tubing
