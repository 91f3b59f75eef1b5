#include "tubing/rpc/wire.h"

#include "tubing/channel/base/assert.h"

namespace tubing::rpc {
namespace {

constexpr std::uint64_t kKeyEarlyItems = 1;
constexpr std::uint64_t kKeyEarlyBytes = 2;
constexpr std::uint64_t kKeyMessageBytesMax = 3;
constexpr std::uint64_t kKeyChannelsMax = 4;
constexpr std::uint64_t kKeyPingAfterMs = 5;
constexpr std::uint64_t kKeyDeadAfterMs = 6;

/// Reads at most this many keys of one settings frame.
constexpr int kSettingsKeysMax = 64;

void write_status_text(FrameWriter& out, std::string_view text) {
  out.sized(as_bytes(text.substr(0, kStatusTextBytesMax)));
}

void write_name(FrameWriter& out, std::string_view name) {
  TUBING_ASSERT(name.size() <= kNameBytesMax, name.size());
  out.sized(as_bytes(name));
}

ChannelClass read_class(FrameReader& in) {
  const std::uint64_t number = in.varint();
  if (number > static_cast<std::uint64_t>(ChannelClass::bulk)) {
    in.fail("has a class other than 0 (control), 1 (normal) and 2 (bulk)");
  }
  return static_cast<ChannelClass>(number);
}

Delivery read_delivery(FrameReader& in) {
  const std::uint64_t number = in.varint();
  if (number > static_cast<std::uint64_t>(Delivery::datagram)) {
    in.fail("has a delivery other than 0 (ordered) and 1 (datagram)");
  }
  return static_cast<Delivery>(number);
}

/// A first grant: items that a sender may count on are exact, so they are bounded.
std::uint64_t read_items(FrameReader& in) {
  const std::uint64_t items = in.varint();
  if (items > kCapacityMax) in.fail("has a capacity of 2^32 or more");
  return items;
}

Code read_status(FrameReader& in) {
  const Code status = status_from_wire(in.varint());
  if (status == Code::ok && in.ok()) in.fail("ends something with the status ok");
  return status;
}

}  // namespace

std::string_view frame_name(FrameKind kind) {
  switch (kind) {
    case FrameKind::settings: return "settings";
    case FrameKind::refused: return "refused";
    case FrameKind::open: return "open";
    case FrameKind::accept: return "accept";
    case FrameKind::data: return "data";
    case FrameKind::data_begin: return "data_begin";
    case FrameKind::data_more: return "data_more";
    case FrameKind::credit: return "credit";
    case FrameKind::close: return "close";
    case FrameKind::stop: return "stop";
    case FrameKind::reset: return "reset";
    case FrameKind::call: return "call";
    case FrameKind::answer: return "answer";
    case FrameKind::cancel: return "cancel";
    case FrameKind::notify: return "notify";
    case FrameKind::ping: return "ping";
    case FrameKind::pong: return "pong";
    case FrameKind::goaway: return "goaway";
    case FrameKind::goodbye: return "goodbye";
    case FrameKind::certificate: return "certificate";
    case FrameKind::pass: return "pass";
    case FrameKind::blocked: return "blocked";
    case FrameKind::places: return "places";
    case FrameKind::padding: return "padding";
  }
  return "unknown";
}

void FrameReader::fail(const char* fault) {
  if (fault_ == nullptr) fault_ = fault;
  at_ = end_;
}

std::uint64_t FrameReader::long_varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto digit = std::uint64_t{byte()};
    if (!ok()) return 0;
    if (shift == 63 && digit > 1) return fail("has a number of more than 64 bits"), 0;
    value |= (digit & 0x7F) << shift;
    if (digit >= 0x80) continue;
    if (digit == 0 && shift > 0) return fail("has a number that is longer than it needs"), 0;
    return value;
  }
  return fail("has a number of more than 64 bits"), 0;
}

std::string_view FrameReader::text(std::size_t bytes_max) {
  const std::uint64_t size = varint();
  if (size > bytes_max) return fail("has a text that is too long"), std::string_view{};
  return as_text(bytes(size));
}

void write_frame(FrameWriter& out, const SettingsFrame& frame) {
  std::byte body_bytes[80];
  FrameWriter body(body_bytes);
  body.varint(frame.version);
  body.varint(kKeyEarlyItems);
  body.varint(frame.early_items);
  body.varint(kKeyEarlyBytes);
  body.varint(frame.early_bytes);
  body.varint(kKeyMessageBytesMax);
  body.varint(frame.message_bytes_max);
  body.varint(kKeyChannelsMax);
  body.varint(frame.channels_max);
  body.varint(kKeyPingAfterMs);
  body.varint(frame.ping_after_ms);
  body.varint(kKeyDeadAfterMs);
  body.varint(frame.dead_after_ms);
  out.kind(frame.kKind);
  out.sized(ByteView(body_bytes, body.size()));
}

bool read_frame(FrameReader& in, SettingsFrame& frame) {
  FrameReader body(in.sized());
  if (!in.ok()) return false;
  frame = {.version = body.varint()};
  if (body.ok() && frame.version != kWireVersion) return true;
  std::uint64_t last_key = 0;
  for (int keys = 0; body.ok() && !body.done(); ++keys) {
    const std::uint64_t key = body.varint();
    const std::uint64_t value = body.varint();
    if (key <= last_key) body.fail("has keys that do not increase");
    if (keys == kSettingsKeysMax) body.fail("has too many keys");
    last_key = key;
    if (key == kKeyEarlyItems) frame.early_items = value;
    if (key == kKeyEarlyBytes) frame.early_bytes = value;
    if (key == kKeyMessageBytesMax) frame.message_bytes_max = value;
    if (key == kKeyChannelsMax) frame.channels_max = value;
    if (key == kKeyPingAfterMs) frame.ping_after_ms = value;
    if (key == kKeyDeadAfterMs) frame.dead_after_ms = value;
  }
  if (!body.ok()) in.fail(body.fault());
  return in.ok();
}

void write_frame(FrameWriter& out, const RefusedFrame& frame) {
  out.kind(frame.kKind);
  out.varint(static_cast<std::uint64_t>(frame.status));
  write_status_text(out, frame.text);
}

bool read_frame(FrameReader& in, RefusedFrame& frame) {
  frame.status = read_status(in);
  frame.text = in.text(kStatusTextBytesMax);
  return in.ok();
}

void write_frame(FrameWriter& out, const OpenFrame& frame) {
  out.kind(frame.kKind);
  out.varint(number(frame.id));
  out.varint(static_cast<std::uint64_t>(frame.channel_class));
  out.varint(static_cast<std::uint64_t>(frame.delivery));
  out.varint(frame.items);
  out.varint(frame.bytes);
  write_name(out, frame.service);
  write_name(out, frame.out_type);
  write_name(out, frame.in_type);
}

bool read_frame(FrameReader& in, OpenFrame& frame) {
  frame.id = in.channel();
  frame.channel_class = read_class(in);
  frame.delivery = read_delivery(in);
  frame.items = read_items(in);
  frame.bytes = in.varint();
  frame.service = in.text(kNameBytesMax);
  frame.out_type = in.text(kNameBytesMax);
  frame.in_type = in.text(kNameBytesMax);
  return in.ok();
}

void write_frame(FrameWriter& out, const PassFrame& frame) {
  out.kind(frame.kKind);
  out.varint(number(frame.id));
  out.varint(static_cast<std::uint64_t>(frame.channel_class));
  out.varint(static_cast<std::uint64_t>(frame.delivery));
  out.varint(frame.items);
  out.varint(frame.bytes);
  out.varint(number(frame.carrier));
  write_name(out, frame.out_type);
  write_name(out, frame.in_type);
}

bool read_frame(FrameReader& in, PassFrame& frame) {
  frame.id = in.channel();
  frame.channel_class = read_class(in);
  frame.delivery = read_delivery(in);
  frame.items = read_items(in);
  frame.bytes = in.varint();
  frame.carrier = in.channel();
  frame.out_type = in.text(kNameBytesMax);
  frame.in_type = in.text(kNameBytesMax);
  return in.ok();
}

void write_frame(FrameWriter& out, const AcceptFrame& frame) {
  out.kind(frame.kKind);
  out.varint(number(frame.id));
  out.varint(frame.items);
  out.varint(frame.bytes);
}

bool read_frame(FrameReader& in, AcceptFrame& frame) {
  frame.id = in.channel();
  frame.items = read_items(in);
  frame.bytes = in.varint();
  return in.ok();
}

void write_frame(FrameWriter& out, const CreditFrame& frame) {
  out.kind(frame.kKind);
  out.varint(number(frame.id));
  out.varint(frame.items);
  out.varint(frame.bytes);
}

bool read_frame(FrameReader& in, CreditFrame& frame) {
  frame.id = in.channel();
  frame.items = in.varint();
  frame.bytes = in.varint();
  return in.ok();
}

void write_frame(FrameWriter& out, const DataFrame& frame) {
  out.kind(frame.kKind);
  out.varint(number(frame.id));
  out.sized(frame.payload);
}

bool read_frame(FrameReader& in, DataFrame& frame) {
  frame.id = in.channel();
  frame.payload = in.sized();
  return in.ok();
}

void write_frame(FrameWriter& out, const DataBeginFrame& frame) {
  out.kind(frame.kKind);
  out.varint(number(frame.id));
  out.varint(frame.message_bytes);
  out.sized(frame.payload);
}

bool read_frame(FrameReader& in, DataBeginFrame& frame) {
  frame.id = in.channel();
  frame.message_bytes = in.varint();
  frame.payload = in.sized();
  if (in.ok() && frame.payload.empty()) in.fail("is empty");
  if (in.ok() && frame.payload.size() >= frame.message_bytes) in.fail("is as long as its message");
  return in.ok();
}

void write_frame(FrameWriter& out, const DataMoreFrame& frame) {
  out.kind(frame.kKind);
  out.varint(number(frame.id));
  out.sized(frame.payload);
}

bool read_frame(FrameReader& in, DataMoreFrame& frame) {
  frame.id = in.channel();
  frame.payload = in.sized();
  if (in.ok() && frame.payload.empty()) in.fail("is empty");
  return in.ok();
}

void write_frame(FrameWriter& out, const CloseFrame& frame) {
  out.kind(frame.kKind);
  out.varint(number(frame.id));
}

bool read_frame(FrameReader& in, CloseFrame& frame) {
  frame.id = in.channel();
  return in.ok();
}

void write_frame(FrameWriter& out, const BlockedFrame& frame) {
  out.kind(frame.kKind);
  out.varint(number(frame.id));
}

bool read_frame(FrameReader& in, BlockedFrame& frame) {
  frame.id = in.channel();
  return in.ok();
}

void write_frame(FrameWriter& out, const StopFrame& frame) {
  out.kind(frame.kKind);
  out.varint(number(frame.id));
}

bool read_frame(FrameReader& in, StopFrame& frame) {
  frame.id = in.channel();
  return in.ok();
}

void write_frame(FrameWriter& out, const ResetFrame& frame) {
  out.kind(frame.kKind);
  out.varint(number(frame.id));
  out.varint(static_cast<std::uint64_t>(frame.status));
  write_status_text(out, frame.text);
}

bool read_frame(FrameReader& in, ResetFrame& frame) {
  frame.id = in.channel();
  frame.status = read_status(in);
  frame.text = in.text(kStatusTextBytesMax);
  return in.ok();
}

void write_frame(FrameWriter& out, const PingFrame& frame) {
  out.kind(frame.kKind);
  out.varint(frame.number);
}

bool read_frame(FrameReader& in, PingFrame& frame) {
  frame.number = in.varint();
  return in.ok();
}

void write_frame(FrameWriter& out, const PongFrame& frame) {
  out.kind(frame.kKind);
  out.varint(frame.number);
}

bool read_frame(FrameReader& in, PongFrame& frame) {
  frame.number = in.varint();
  return in.ok();
}

void write_frame(FrameWriter& out, const GoawayFrame& frame) { out.kind(frame.kKind); }
bool read_frame(FrameReader& in, GoawayFrame&) { return in.ok(); }

void write_frame(FrameWriter& out, const PlacesFrame& frame) {
  out.kind(frame.kKind);
  out.varint(frame.total);
}

bool read_frame(FrameReader& in, PlacesFrame& frame) {
  frame.total = in.varint();
  return in.ok();
}

void write_frame(FrameWriter& out, const CertificateFrame& frame) {
  TUBING_ASSERT(frame.renewal.size() <= kRenewalBytesMax, frame.renewal.size());
  out.kind(frame.kKind);
  out.sized(frame.renewal);
}

bool read_frame(FrameReader& in, CertificateFrame& frame) {
  const std::uint64_t size = in.varint();
  if (size > kRenewalBytesMax) in.fail("is longer than a renewal may be");
  frame.renewal = in.bytes(size);
  return in.ok();
}

void write_frame(FrameWriter& out, const PaddingFrame& frame) {
  out.kind(frame.kKind);
  out.zeros(frame.zeros);
}

bool read_frame(FrameReader& in, PaddingFrame& frame) {
  const ByteView rest = in.bytes(in.left());
  frame.zeros = rest.size();
  for (const std::byte byte : rest) {
    if (byte != std::byte{0}) in.fail("has a byte that is not 0");
  }
  return in.ok();
}

void write_frame(FrameWriter& out, const GoodbyeFrame& frame) { out.kind(frame.kKind); }
bool read_frame(FrameReader& in, GoodbyeFrame&) { return in.ok(); }

}  // namespace tubing::rpc
