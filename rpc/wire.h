// Frames: what lies inside a record, byte for byte. The format's page is rpc/WIRE.md.
#pragma once

#include <cstdint>
#include <string_view>

#include "tubing/channel/base/error.h"
#include "tubing/channel/base/version.h"
#include "tubing/channel/channel_class.h"
#include "tubing/rpc/frame_bytes.h"

namespace tubing::rpc {

/// The longest service or type name in an open. Units: bytes.
inline constexpr std::size_t kNameBytesMax = 200;
/// The longest text of a refused or a reset; a longer one is cut by the writer. Units: bytes.
inline constexpr std::size_t kStatusTextBytesMax = 256;
/// The longest renewal in a certificate frame. Units: bytes.
inline constexpr std::size_t kRenewalBytesMax = 1200;
/// The most items that an open, a pass or an accept grants.
inline constexpr std::uint64_t kCapacityMax = 0xFFFF'FFFF;
/// No frame but data, certificate and padding is longer than this. Units: bytes.
inline constexpr std::size_t kControlFrameBytesMax = 700;
/// A certificate frame with the longest renewal. Units: bytes.
inline constexpr std::size_t kCertificateFrameBytesMax = kRenewalBytesMax + 3;
/// No head of a data frame (all of it but the payload) is longer than this. Units: bytes.
inline constexpr std::size_t kDataHeadBytesMax = 31;

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
  /// Key 5: after how long without a record from the peer a side pings; key 6: when it gives the
  /// peer up. The listener's are followed. Units: milliseconds; 0: never.
  std::uint64_t ping_after_ms = 0;
  std::uint64_t dead_after_ms = 0;
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
/// A new channel whose other end travels in a message of the channel `carrier`; else as
/// `OpenFrame`.
struct PassFrame {
  static constexpr FrameKind kKind = FrameKind::pass;
  ChannelId id{};
  ChannelClass channel_class = ChannelClass::normal;
  Delivery delivery = Delivery::ordered;
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
  ChannelId carrier{};
  std::string_view out_type = {};
  std::string_view in_type = {};
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
/// The sender had a message that lacked credit of bytes, though it had an item for it.
struct BlockedFrame {
  static constexpr FrameKind kKind = FrameKind::blocked;
  ChannelId id{};
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
/// How many channels the peer may have opened since the session began, in all.
struct PlacesFrame {
  static constexpr FrameKind kKind = FrameKind::places;
  std::uint64_t total = 0;
};
/// A newer certificate of the sender; crypto/renewal.h tells what lies in it.
struct CertificateFrame {
  static constexpr FrameKind kKind = FrameKind::certificate;
  ByteView renewal;
};
/// The rest of the record, in zeros.
struct PaddingFrame {
  static constexpr FrameKind kKind = FrameKind::padding;
  std::size_t zeros = 0;
};
/// The sender's last frame: the end of the stream behind it is no truncation.
struct GoodbyeFrame {
  static constexpr FrameKind kKind = FrameKind::goodbye;
};

/// Writes a frame, its kind first. Requires: kControlFrameBytesMax of room, or for data the
/// payload and kDataHeadBytesMax, for a certificate kCertificateFrameBytesMax, for padding its
/// zeros and one; names at most kNameBytesMax. A longer status text is cut.
void write_frame(FrameWriter& out, const SettingsFrame& frame);
void write_frame(FrameWriter& out, const RefusedFrame& frame);
void write_frame(FrameWriter& out, const OpenFrame& frame);
void write_frame(FrameWriter& out, const PassFrame& frame);
void write_frame(FrameWriter& out, const AcceptFrame& frame);
void write_frame(FrameWriter& out, const CreditFrame& frame);
void write_frame(FrameWriter& out, const BlockedFrame& frame);
void write_frame(FrameWriter& out, const DataFrame& frame);
void write_frame(FrameWriter& out, const DataBeginFrame& frame);
void write_frame(FrameWriter& out, const DataMoreFrame& frame);
void write_frame(FrameWriter& out, const CloseFrame& frame);
void write_frame(FrameWriter& out, const StopFrame& frame);
void write_frame(FrameWriter& out, const ResetFrame& frame);
void write_frame(FrameWriter& out, const PingFrame& frame);
void write_frame(FrameWriter& out, const PongFrame& frame);
void write_frame(FrameWriter& out, const GoawayFrame& frame);
void write_frame(FrameWriter& out, const PaddingFrame& frame);
void write_frame(FrameWriter& out, const CertificateFrame& frame);
void write_frame(FrameWriter& out, const PlacesFrame& frame);
void write_frame(FrameWriter& out, const GoodbyeFrame& frame);

/// Reads a frame behind its kind. Returns whether the bytes are well formed; otherwise the
/// reader's fault says what was wrong. Views point into the record.
bool read_frame(FrameReader& in, SettingsFrame& frame);
bool read_frame(FrameReader& in, RefusedFrame& frame);
bool read_frame(FrameReader& in, OpenFrame& frame);
bool read_frame(FrameReader& in, PassFrame& frame);
bool read_frame(FrameReader& in, AcceptFrame& frame);
bool read_frame(FrameReader& in, CreditFrame& frame);
bool read_frame(FrameReader& in, BlockedFrame& frame);
bool read_frame(FrameReader& in, DataFrame& frame);
bool read_frame(FrameReader& in, DataBeginFrame& frame);
bool read_frame(FrameReader& in, DataMoreFrame& frame);
bool read_frame(FrameReader& in, CloseFrame& frame);
bool read_frame(FrameReader& in, StopFrame& frame);
bool read_frame(FrameReader& in, ResetFrame& frame);
bool read_frame(FrameReader& in, PingFrame& frame);
bool read_frame(FrameReader& in, PongFrame& frame);
bool read_frame(FrameReader& in, GoawayFrame& frame);
bool read_frame(FrameReader& in, PaddingFrame& frame);
bool read_frame(FrameReader& in, CertificateFrame& frame);
bool read_frame(FrameReader& in, PlacesFrame& frame);
bool read_frame(FrameReader& in, GoodbyeFrame& frame);

}  // namespace tubing::rpc
