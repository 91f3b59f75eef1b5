// Input: a fuzzer's bytes, taken from the front as the numbers of a script.
#pragma once

#include <algorithm>

#include "tubing/channel/base/bytes.h"

namespace tubing::fuzz {

/// Behind the end every number is 0 and every run of bytes is empty.
class Input {
 public:
  explicit Input(ByteView bytes) : rest_(bytes) {}

  bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    const ByteView one = bytes(1);
    return one.empty() ? 0 : std::to_integer<std::uint8_t>(one[0]);
  }
  std::uint16_t word() {
    const unsigned high = byte();
    return static_cast<std::uint16_t>((high << 8) | byte());
  }
  bool flag() { return (byte() & 1) != 0; }
  /// As many bytes as there are, at most `count`.
  ByteView bytes(std::size_t count) {
    const ByteView taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  /// A length in one byte, and that many bytes.
  ByteView piece() { return bytes(byte()); }
  ByteView rest() { return bytes(rest_.size()); }

 private:
  ByteView rest_;
};

/// Writes what Input reads.
class Script {
 public:
  Script& byte(std::size_t value) {
    bytes_.push_back(static_cast<std::byte>(value));
    return *this;
  }
  Script& word(std::size_t value) { return byte(value >> 8).byte(value); }
  Script& bytes(ByteView bytes) {
    append(bytes_, bytes);
    return *this;
  }
  Script& piece(ByteView bytes) { return byte(bytes.size()).Script::bytes(bytes); }
  Script& text(std::string_view text) { return bytes(as_bytes(text)); }
  operator Bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

}  // namespace tubing::fuzz
