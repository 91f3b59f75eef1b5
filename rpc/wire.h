// Frames: what lies inside a record, byte for byte. The format's page is rpc/WIRE.md.
#pragma once

#include <cstdint>
#include <string_view>

#include "tubing/channel/base/bytes.h"
#include "tubing/channel/base/error.h"
#include "tubing/channel/base/version.h"
#include "tubing/channel/channel_class.h"

namespace tubing::rpc {

/// The longest service or type name in an open. Units: bytes.
inline constexpr std::size_t kNameBytesMax = 200;
/// The longest text of a refused or a reset; a longer one is cut by the writer. Units: bytes.
inline constexpr std::size_t kStatusTextBytesMax = 256;
/// The longest renewal in a certificate frame. Units: bytes.
inline constexpr std::size_t kRenewalBytesMax = 1200;
/// No frame but data is longer than this. Units: bytes.
inline constexpr std::size_t kControlFrameBytesMax = 700;
/// No head of a data frame (all of it but the payload) is longer than this. Units: bytes.
inline constexpr std::size_t kDataHeadBytesMax = 31;

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
};

/// The kind's name as it is written above; "unknown" for a number that is not in the list.
std::string_view frame_name(FrameKind kind);

/// A channel within one session: odd where the dialler opened it, even where the listener did.
enum class ChannelId : std::uint64_t {};
constexpr std::uint64_t number(ChannelId id) { return static_cast<std::uint64_t>(id); }

using channel::ChannelClass;
using channel::Delivery;

/// Each side's first frame. Keys that a reader does not know are skipped.
struct SettingsFrame {
  static constexpr FrameKind kKind = FrameKind::settings;
  std::uint64_t version = kWireVersion;
  std::uint64_t early_items = 0;        ///< Key 1: credit of an opener before its accept.
  std::uint64_t early_bytes = 0;        ///< Key 2: likewise, in bytes.
  std::uint64_t message_bytes_max = 0;  ///< Key 3: the longest message that the sender receives.
  std::uint64_t channels_max = 0;       ///< Key 4: how many channels the peer may have open.
};
/// The session ends here, and why.
struct RefusedFrame {
  static constexpr FrameKind kKind = FrameKind::refused;
  Code status = Code::unknown;
  std::string_view text;
};
/// A new channel, with the credit that the opener gives for the other direction.
struct OpenFrame {
  static constexpr FrameKind kKind = FrameKind::open;
  ChannelId id{};
  ChannelClass channel_class = ChannelClass::normal;
  Delivery delivery = Delivery::ordered;
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
  std::string_view service = {};
  std::string_view out_type = {};  ///< What the opener sends.
  std::string_view in_type = {};   ///< What the opener receives.
};
/// The channel is served; the totals replace the early credit.
struct AcceptFrame {
  static constexpr FrameKind kKind = FrameKind::accept;
  ChannelId id{};
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
};
/// How much may have been sent on a channel since it began, in all.
struct CreditFrame {
  static constexpr FrameKind kKind = FrameKind::credit;
  ChannelId id{};
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
};
/// A whole message.
struct DataFrame {
  static constexpr FrameKind kKind = FrameKind::data;
  ChannelId id{};
  ByteView payload;
};
/// The first part of a message of `message_bytes`.
struct DataBeginFrame {
  static constexpr FrameKind kKind = FrameKind::data_begin;
  ChannelId id{};
  std::uint64_t message_bytes = 0;
  ByteView payload;
};
/// A further part of the message that data_begin began.
struct DataMoreFrame {
  static constexpr FrameKind kKind = FrameKind::data_more;
  ChannelId id{};
  ByteView payload;
};
/// The sender has sent everything; nothing but credit, stop and reset follows on the channel.
struct CloseFrame {
  static constexpr FrameKind kKind = FrameKind::close;
  ChannelId id{};
};
/// The receiver wants no more.
struct StopFrame {
  static constexpr FrameKind kKind = FrameKind::stop;
  ChannelId id{};
};
/// Both directions of the channel end here, and why.
struct ResetFrame {
  static constexpr FrameKind kKind = FrameKind::reset;
  ChannelId id{};
  Code status = Code::unknown;
  std::string_view text;
};
/// Asks for a pong with the same number.
struct PingFrame {
  static constexpr FrameKind kKind = FrameKind::ping;
  std::uint64_t number = 0;
};
/// Answers every ping up to `number`.
struct PongFrame {
  static constexpr FrameKind kKind = FrameKind::pong;
  std::uint64_t number = 0;
};
/// Open no more channels; those that are open go on.
struct GoawayFrame {
  static constexpr FrameKind kKind = FrameKind::goaway;
};
/// The sender's last frame: the end of the stream behind it is no truncation.
struct GoodbyeFrame {
  static constexpr FrameKind kKind = FrameKind::goodbye;
};

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

/// Writes a frame, its kind first. Requires: kControlFrameBytesMax of room, or for data the
/// payload and kDataHeadBytesMax; names at most kNameBytesMax. A longer status text is cut.
void write_frame(FrameWriter& out, const SettingsFrame& frame);
void write_frame(FrameWriter& out, const RefusedFrame& frame);
void write_frame(FrameWriter& out, const OpenFrame& frame);
void write_frame(FrameWriter& out, const AcceptFrame& frame);
void write_frame(FrameWriter& out, const CreditFrame& frame);
void write_frame(FrameWriter& out, const DataFrame& frame);
void write_frame(FrameWriter& out, const DataBeginFrame& frame);
void write_frame(FrameWriter& out, const DataMoreFrame& frame);
void write_frame(FrameWriter& out, const CloseFrame& frame);
void write_frame(FrameWriter& out, const StopFrame& frame);
void write_frame(FrameWriter& out, const ResetFrame& frame);
void write_frame(FrameWriter& out, const PingFrame& frame);
void write_frame(FrameWriter& out, const PongFrame& frame);
void write_frame(FrameWriter& out, const GoawayFrame& frame);
void write_frame(FrameWriter& out, const GoodbyeFrame& frame);

/// Reads a frame behind its kind. Returns whether the bytes are well formed; otherwise the
/// reader's fault says what was wrong. Views point into the record.
bool read_frame(FrameReader& in, SettingsFrame& frame);
bool read_frame(FrameReader& in, RefusedFrame& frame);
bool read_frame(FrameReader& in, OpenFrame& frame);
bool read_frame(FrameReader& in, AcceptFrame& frame);
bool read_frame(FrameReader& in, CreditFrame& frame);
bool read_frame(FrameReader& in, DataFrame& frame);
bool read_frame(FrameReader& in, DataBeginFrame& frame);
bool read_frame(FrameReader& in, DataMoreFrame& frame);
bool read_frame(FrameReader& in, CloseFrame& frame);
bool read_frame(FrameReader& in, StopFrame& frame);
bool read_frame(FrameReader& in, ResetFrame& frame);
bool read_frame(FrameReader& in, PingFrame& frame);
bool read_frame(FrameReader& in, PongFrame& frame);
bool read_frame(FrameReader& in, GoawayFrame& frame);
bool read_frame(FrameReader& in, GoodbyeFrame& frame);

}  // namespace tubing::rpc
