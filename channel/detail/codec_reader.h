// BoundedReader: takes msgpack values one by one from bytes that nobody vouches for.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "tubing/channel/base/bytes.h"
#include "tubing/channel/base/result.h"

namespace tubing {

/// What one message may ask of its receiver, whatever its bytes say.
struct DecodeLimits {
  /// How many arrays and maps may lie inside each other.
  std::uint32_t depth_max = 32;
  /// How many elements all arrays and maps of the message may have together; a map's entry is two.
  std::uint64_t items_max = 1 << 20;
  /// How many bytes all strings and elements of containers may take in memory together.
  std::uint64_t memory_bytes_max = 64 << 20;
};

namespace detail {

template <std::unsigned_integral T>
T load_big_endian(const std::byte* in) {
  T value;
  std::memcpy(&value, in, sizeof value);
  if constexpr (sizeof value > 1 && std::endian::native == std::endian::little) {
    value = std::byteswap(value);
  }
  return value;
}

/// Every `read_x` takes one value. It returns false after a failure, of which `error` tells; the
/// reader is of no more use then. Callers name the place on their way out, inside first.
class BoundedReader {
 public:
  BoundedReader(ByteView bytes, const DecodeLimits& limits)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()), limits_(limits) {}

  template <std::integral T>
  bool read_integer(T& out);
  bool read_bool(bool& out);
  bool read_float(double& out);
  bool read_float(float& out);
  /// `out` is a view of the reader's bytes.
  bool read_string(std::string_view& out);
  bool read_binary(ByteView& out);
  bool read_nil();
  /// Whether the next value is nil; it stays unread.
  bool is_nil() const { return at_ != end_ && *at_ == std::byte{0xc0}; }
  bool is_map() const;

  /// Takes the head of an array or a map and goes one level down; its elements come next, and then
  /// `leave`. Refuses a count that the bytes left cannot hold.
  bool enter_array(std::uint32_t& count);
  bool enter_map(std::uint32_t& count);
  void leave() { --depth_; }

  /// Takes one value of any kind, with all that is in it.
  bool skip();
  /// Charges what decoded elements take in memory.
  bool charge(std::uint64_t bytes);
  /// Fails where bytes are left over.
  bool finish();

  /// Records what was wrong, for checks above the encoding. Returns: false.
  bool fail(std::string text, Code code = Code::invalid_argument);
  bool fail_count(std::size_t expected, std::size_t found, const char* what);
  bool fail_alternative(std::size_t count, std::size_t found);
  /// Puts a step in front of the failure's place: ".field", "[3]". Returns: false.
  bool at_field(std::string_view name);
  bool at_index(std::size_t index);
  /// What went wrong. Requires: a call returned false.
  Error error(std::string_view root) const;

 private:
  struct Failure {
    Code code;
    std::string text;
    std::string place;  ///< The steps from the root to what failed.
  };

  /// Negative fixed integers, and wide ones near the end of the bytes.
  bool read_edge_integer(unsigned char head, std::uint64_t& bits, bool& is_negative);
  bool read_length(unsigned bytes, std::uint32_t& length, const char* what);
  bool read_payload(std::uint32_t length, ByteView& out, const char* what);
  bool enter(std::uint64_t items);
  bool skip_elements(std::uint64_t count);
  bool skip_bytes(std::size_t count);
  bool fail_kind(const char* expected);
  bool fail_short(const char* expected);
  bool fail_range(std::uint64_t bits, bool is_negative, std::int64_t low, std::uint64_t high);
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

  const std::byte* at_;
  const std::byte* end_;
  const DecodeLimits limits_;
  std::uint32_t depth_ = 0;
  std::uint64_t items_ = 0;
  std::uint64_t memory_bytes_ = 0;
  std::unique_ptr<Failure> failure_;  ///< Null until something fails.
};

template <std::integral T>
inline bool BoundedReader::read_integer(T& out) {
  if (at_ == end_) return fail_short("an integer");
  const auto head = std::to_integer<unsigned char>(*at_);
  if (head < 0x80) {
    out = static_cast<T>(head);
    ++at_;
    return true;
  }
  std::uint64_t bits = 0;
  bool is_negative = false;
  const bool is_wide = head >= 0xcc && head < 0xd4;
  if (is_wide && left() >= 9) [[likely]] {
    // Without a branch on the width: eight bytes, of which the shift drops what lies behind.
    const unsigned bytes = 1u << (head & 3);
    const auto window = load_big_endian<std::uint64_t>(at_ + 1);
    const auto extended = static_cast<std::int64_t>(window) >> (64 - 8 * bytes);
    is_negative = head >= 0xd0 && extended < 0;
    bits = head >= 0xd0 ? static_cast<std::uint64_t>(extended) : window >> (64 - 8 * bytes);
    at_ += 1 + bytes;
  } else if (!read_edge_integer(head, bits, is_negative)) {
    return false;
  }
  const bool fits =
      is_negative ? std::in_range<T>(static_cast<std::int64_t>(bits)) : std::in_range<T>(bits);
  if (!fits) [[unlikely]] {
    using Limits = std::numeric_limits<T>;
    return fail_range(bits, is_negative, static_cast<std::int64_t>(Limits::min()),
                      static_cast<std::uint64_t>(Limits::max()));
  }
  out = static_cast<T>(bits);
  return true;
}

}  // namespace detail
}  // namespace tubing
