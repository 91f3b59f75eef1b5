// FrameWriter and FrameReader: the kinds of frames, and the bytes and numbers that they are made
// of.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "tubing/channel/base/bytes.h"

namespace tubing::rpc {

/// The first byte of every frame.
enum class FrameKind : std::uint8_t {
  settings = 1,
  refused = 2,
  open = 3,
  accept = 4,
  data = 5,
  data_begin = 6,
  data_more = 7,
  credit = 8,
  close = 9,
  stop = 10,
  reset = 11,
  call = 12,
  answer = 13,
  cancel = 14,
  notify = 15,
  ping = 16,
  pong = 17,
  goaway = 18,
  goodbye = 19,
  certificate = 20,
  pass = 21,
  blocked = 22,
  places = 23,
  padding = 24,
};

/// The kind's name as it is written above; "unknown" for a number that is not in the list.
std::string_view frame_name(FrameKind kind);

/// A channel within one session: odd where the dialler opened it, even where the listener did.
enum class ChannelId : std::uint64_t {};
constexpr std::uint64_t number(ChannelId id) { return static_cast<std::uint64_t>(id); }

/// Writes frames into one buffer of fixed size.
///
/// Requires: room for what is written; the caller looks at `room()` first.
class FrameWriter {
 public:
  explicit FrameWriter(MutableBytes out) : begin_(out.data()), at_(begin_), size_(out.size()) {}

  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }
  std::size_t room() const { return size_ - size(); }

  void kind(FrameKind kind) { *at_++ = static_cast<std::byte>(kind); }
  void varint(std::uint64_t value) {
    while (value >= 0x80) {
      *at_++ = static_cast<std::byte>(value | 0x80);
      value >>= 7;
    }
    *at_++ = static_cast<std::byte>(value);
  }
  void bytes(ByteView bytes) {
    if (!bytes.empty()) std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  void zeros(std::size_t count) {
    std::memset(at_, 0, count);
    at_ += count;
  }
  void sized(ByteView content) {
    varint(content.size());
    bytes(content);
  }

 private:
  std::byte* begin_;
  std::byte* at_;
  std::size_t size_;
};

/// Reads frames from one record. After the first fault it yields zeros, and `fault()` names it.
class FrameReader {
 public:
  explicit FrameReader(ByteView in) : at_(in.data()), end_(in.data() + in.size()) {}

  bool ok() const { return fault_ == nullptr; }
  bool done() const { return at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  /// What was wrong with the bytes, for an error's text. Requires: !ok().
  const char* fault() const { return fault_; }
  void fail(const char* fault);

  std::uint8_t byte() {
    if (at_ == end_) [[unlikely]]
      return fail(kCutShort), std::uint8_t{0};
    return std::to_integer<std::uint8_t>(*at_++);
  }
  /// LEB128 in its shortest form, of 64 bits at most; anything else is a fault.
  std::uint64_t varint() {
    if (at_ != end_ && std::to_integer<unsigned>(*at_) < 0x80) [[likely]]
      return std::to_integer<std::uint64_t>(*at_++);
    return long_varint();
  }
  ByteView bytes(std::uint64_t size) {
    if (size > left()) [[unlikely]]
      return fail(kCutShort), ByteView{};
    const ByteView view(at_, static_cast<std::size_t>(size));
    at_ += size;
    return view;
  }
  ByteView sized() { return bytes(varint()); }
  std::string_view text(std::size_t bytes_max);
  ChannelId channel() { return ChannelId{varint()}; }

 private:
  static constexpr const char* kCutShort = "is cut short";
  std::uint64_t long_varint();

  const std::byte* at_;
  const std::byte* end_;
  const char* fault_ = nullptr;
};

}  // namespace tubing::rpc
