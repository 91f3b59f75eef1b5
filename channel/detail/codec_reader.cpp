#include "tubing/channel/detail/codec_reader.h"

#include <fmt/format.h>

#include <cmath>

namespace tubing::detail {
namespace {

// Heads of msgpack values. Source: the MessagePack specification, "Formats".
enum Head : unsigned char {
  kFixMap = 0x80,
  kFixArray = 0x90,
  kFixString = 0xa0,
  kNil = 0xc0,
  kReserved = 0xc1,
  kFalse = 0xc2,
  kTrue = 0xc3,
  kBin8 = 0xc4,
  kExt8 = 0xc7,
  kFloat32 = 0xca,
  kFloat64 = 0xcb,
  kUint8 = 0xcc,
  kInt8 = 0xd0,
  kFixExt1 = 0xd4,
  kString8 = 0xd9,
  kArray16 = 0xdc,
  kArray32 = 0xdd,
  kMap16 = 0xde,
  kMap32 = 0xdf,
  kNegativeFix = 0xe0,
};

/// Whether `head` is one of `count` heads from `first`.
constexpr bool is_among(unsigned char head, unsigned char first, unsigned count) {
  return head >= first && head < first + count;
}

constexpr bool is_fixed_map(unsigned char head) { return (head & 0xf0) == kFixMap; }
constexpr bool is_fixed_array(unsigned char head) { return (head & 0xf0) == kFixArray; }
constexpr bool is_fixed_string(unsigned char head) { return (head & 0xe0) == kFixString; }

const char* kind_name(unsigned char head) {
  if (head < kFixMap || head >= kNegativeFix || is_among(head, kUint8, 8)) return "an integer";
  if (is_fixed_map(head) || is_among(head, kMap16, 2)) return "a map";
  if (is_fixed_array(head) || is_among(head, kArray16, 2)) return "an array";
  if (is_fixed_string(head) || is_among(head, kString8, 3)) return "a string";
  if (is_among(head, kBin8, 3)) return "binary data";
  if (is_among(head, kFloat32, 2)) return "a float";
  if (is_among(head, kFalse, 2)) return "a boolean";
  if (is_among(head, kExt8, 3) || is_among(head, kFixExt1, 5)) return "an extension";
  return head == kNil ? "nil" : "the byte 0xc1, which msgpack reserves";
}

/// Reads `bytes` of 1, 2, 4 or 8, most significant first.
std::uint64_t load_wide(const std::byte* in, unsigned bytes) {
  switch (bytes) {
    case 1: return load_big_endian<std::uint8_t>(in);
    case 2: return load_big_endian<std::uint16_t>(in);
    case 4: return load_big_endian<std::uint32_t>(in);
    default: return load_big_endian<std::uint64_t>(in);
  }
}

}  // namespace

bool BoundedReader::read_edge_integer(unsigned char head, std::uint64_t& bits, bool& is_negative) {
  if (head >= kNegativeFix) {
    bits = static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<signed char>(head)));
    is_negative = true;
    ++at_;
    return true;
  }
  if (!is_among(head, kUint8, 8)) return fail_kind("an integer");
  const bool is_signed = head >= kInt8;
  const unsigned bytes = 1u << ((head - kUint8) & 3);
  if (left() < 1 + bytes) return fail_short("an integer");
  bits = load_wide(at_ + 1, bytes);
  if (is_signed) {
    const unsigned unused = 64 - 8 * bytes;
    const auto value = static_cast<std::int64_t>(bits << unused) >> unused;
    bits = static_cast<std::uint64_t>(value);
    is_negative = value < 0;
  }
  at_ += 1 + bytes;
  return true;
}

bool BoundedReader::read_bool(bool& out) {
  if (at_ == end_) return fail_short("a boolean");
  const auto head = std::to_integer<unsigned char>(*at_);
  if (!is_among(head, kFalse, 2)) return fail_kind("a boolean");
  out = head == kTrue;
  ++at_;
  return true;
}

bool BoundedReader::read_float(double& out) {
  if (at_ == end_) return fail_short("a float");
  const auto head = std::to_integer<unsigned char>(*at_);
  if (!is_among(head, kFloat32, 2)) return fail_kind("a float");
  const unsigned bytes = head == kFloat32 ? 4 : 8;
  if (left() < 1 + bytes) return fail_short("a float");
  if (head == kFloat32) {
    out = std::bit_cast<float>(load_big_endian<std::uint32_t>(at_ + 1));
  } else {
    out = std::bit_cast<double>(load_big_endian<std::uint64_t>(at_ + 1));
  }
  at_ += 1 + bytes;
  return true;
}

bool BoundedReader::read_float(float& out) {
  double wide = 0;
  if (!read_float(wide)) return false;
  const bool is_in_range =
      !std::isfinite(wide) || std::abs(wide) <= std::numeric_limits<float>::max();
  if (!is_in_range ||
      (std::isfinite(wide) && static_cast<double>(static_cast<float>(wide)) != wide)) {
    return fail(fmt::format("the float {} does not fit 32 bits exactly", wide));
  }
  out = static_cast<float>(wide);
  return true;
}

bool BoundedReader::read_nil() {
  if (at_ == end_) return fail_short("nil");
  if (!is_nil()) return fail_kind("nil");
  ++at_;
  return true;
}

bool BoundedReader::read_length(unsigned bytes, std::uint32_t& length, const char* what) {
  if (left() < 1 + bytes) return fail_short(what);
  length = static_cast<std::uint32_t>(load_wide(at_ + 1, bytes));
  at_ += 1 + bytes;
  return true;
}

bool BoundedReader::read_payload(std::uint32_t length, ByteView& out, const char* what) {
  if (length > left()) {
    return fail(fmt::format("{} says it has {} bytes, but {} are left", what, length, left()));
  }
  out = {at_, length};
  at_ += length;
  return true;
}

bool BoundedReader::read_string(std::string_view& out) {
  if (at_ == end_) return fail_short("a string");
  const auto head = std::to_integer<unsigned char>(*at_);
  std::uint32_t length = 0;
  if (is_fixed_string(head)) {
    length = head & 0x1f;
    ++at_;
  } else if (!is_among(head, kString8, 3)) {
    return fail_kind("a string");
  } else if (!read_length(1u << (head - kString8), length, "a string")) {
    return false;
  }
  ByteView payload;
  if (!read_payload(length, payload, "a string")) return false;
  out = as_text(payload);
  return true;
}

bool BoundedReader::read_binary(ByteView& out) {
  if (at_ == end_) return fail_short("binary data");
  const auto head = std::to_integer<unsigned char>(*at_);
  if (!is_among(head, kBin8, 3)) return fail_kind("binary data");
  std::uint32_t length = 0;
  return read_length(1u << (head - kBin8), length, "binary data") &&
         read_payload(length, out, "binary data");
}

bool BoundedReader::is_map() const {
  if (at_ == end_) return false;
  const auto head = std::to_integer<unsigned char>(*at_);
  return is_fixed_map(head) || is_among(head, kMap16, 2);
}

bool BoundedReader::enter_array(std::uint32_t& count) {
  if (at_ == end_) return fail_short("an array");
  const auto head = std::to_integer<unsigned char>(*at_);
  if (is_fixed_array(head)) {
    count = head & 0x0f;
    ++at_;
  } else if (!is_among(head, kArray16, 2)) {
    return fail_kind("an array");
  } else if (!read_length(2u << (head - kArray16), count, "an array")) {
    return false;
  }
  return enter(count);
}

bool BoundedReader::enter_map(std::uint32_t& count) {
  if (at_ == end_) return fail_short("a map");
  const auto head = std::to_integer<unsigned char>(*at_);
  if (is_fixed_map(head)) {
    count = head & 0x0f;
    ++at_;
  } else if (!is_among(head, kMap16, 2)) {
    return fail_kind("a map");
  } else if (!read_length(2u << (head - kMap16), count, "a map")) {
    return false;
  }
  return enter(2 * std::uint64_t{count});
}

bool BoundedReader::enter(std::uint64_t items) {
  if (items > left()) {
    return fail(fmt::format("{} elements are announced, but {} bytes are left", items, left()));
  }
  if (depth_ >= limits_.depth_max) {
    return fail(fmt::format("nested deeper than {} levels", limits_.depth_max),
                Code::resource_exhausted);
  }
  if (items > limits_.items_max - items_) {
    return fail(fmt::format("the message has more than {} elements", limits_.items_max),
                Code::resource_exhausted);
  }
  ++depth_;
  items_ += items;
  return true;
}

bool BoundedReader::charge(std::uint64_t bytes) {
  if (bytes > limits_.memory_bytes_max - memory_bytes_) {
    return fail(fmt::format("decoded, the message takes more than {} bytes of memory",
                            limits_.memory_bytes_max),
                Code::resource_exhausted);
  }
  memory_bytes_ += bytes;
  return true;
}

bool BoundedReader::skip_bytes(std::size_t count) {
  if (count > left()) return fail_short("a value");
  at_ += count;
  return true;
}

bool BoundedReader::skip_elements(std::uint64_t count) {
  for (; count > 0; --count) {
    if (!skip()) return false;
  }
  leave();
  return true;
}

// Its recursion is as deep as `enter` allows.
bool BoundedReader::skip() {
  if (at_ == end_) return fail_short("a value");
  const auto head = std::to_integer<unsigned char>(*at_);
  std::uint32_t length = 0;
  if (head < kFixMap || head >= kNegativeFix || is_among(head, kFalse, 2) || head == kNil) {
    return skip_bytes(1);
  }
  if (is_map()) return enter_map(length) && skip_elements(2 * std::uint64_t{length});
  if (is_fixed_array(head) || is_among(head, kArray16, 2)) {
    return enter_array(length) && skip_elements(length);
  }
  if (is_fixed_string(head)) return skip_bytes(1 + (head & 0x1f));
  if (is_among(head, kUint8, 8)) return skip_bytes(1 + (1u << ((head - kUint8) & 3)));
  if (is_among(head, kFloat32, 2)) return skip_bytes(head == kFloat32 ? 5 : 9);
  if (is_among(head, kFixExt1, 5)) return skip_bytes(2 + (1u << (head - kFixExt1)));
  if (is_among(head, kBin8, 3) || is_among(head, kString8, 3) || is_among(head, kExt8, 3)) {
    const unsigned char first = head >= kString8 ? kString8 : head >= kExt8 ? kExt8 : kBin8;
    const std::size_t type_bytes = first == kExt8 ? 1 : 0;
    return read_length(1u << (head - first), length, "a value") && skip_bytes(type_bytes + length);
  }
  return fail_kind("a value");
}

bool BoundedReader::finish() {
  if (at_ == end_) return true;
  return fail(fmt::format("{} bytes follow the value; a message holds one value", left()));
}

bool BoundedReader::fail(std::string text, Code code) {
  failure_ = std::make_unique<Failure>(Failure{code, std::move(text), {}});
  return false;
}

bool BoundedReader::fail_kind(const char* expected) {
  const auto head = std::to_integer<unsigned char>(*at_);
  return fail(fmt::format("expected {}, found {}", expected, kind_name(head)));
}

bool BoundedReader::fail_short(const char* expected) {
  return fail(fmt::format("expected {}, but the message ends there; was it cut short?", expected));
}

bool BoundedReader::fail_range(std::uint64_t bits, bool is_negative, std::int64_t low,
                               std::uint64_t high) {
  const std::string found =
      is_negative ? fmt::to_string(static_cast<std::int64_t>(bits)) : fmt::to_string(bits);
  return fail(fmt::format("the integer {} is out of range; {} to {} fit", found, low, high));
}

bool BoundedReader::fail_count(std::size_t expected, std::size_t found, const char* what) {
  return fail(fmt::format("expected {} {}, found {}", expected, what, found));
}

bool BoundedReader::fail_alternative(std::size_t count, std::size_t found) {
  return fail(fmt::format("a variant has {} alternatives here, found index {}", count, found));
}

bool BoundedReader::at_field(std::string_view name) {
  failure_->place.insert(0, fmt::format(".{}", name));
  return false;
}

bool BoundedReader::at_index(std::size_t index) {
  failure_->place.insert(0, fmt::format("[{}]", index));
  return false;
}

Error BoundedReader::error(std::string_view root) const {
  return Error(failure_->code, "decode",
               fmt::format("{}{}: {}", root, failure_->place, failure_->text));
}

}  // namespace tubing::detail
