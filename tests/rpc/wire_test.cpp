#include "tubing/rpc/wire.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

namespace tubing::rpc {
namespace {

template <class Frame>
Bytes written(const Frame& frame) {
  std::array<std::byte, 2048> bytes;
  FrameWriter out(bytes);
  write_frame(out, frame);
  return {bytes.data(), bytes.data() + out.size()};
}

Bytes unhexed(std::string_view hex) {
  Bytes out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return out;
}

template <class Frame>
bool reads(ByteView bytes, Frame& frame) {
  FrameReader in(bytes);
  return in.byte() == static_cast<std::uint8_t>(Frame::kKind) && read_frame(in, frame) && in.done();
}

/// The frame's golden bytes, its round trip, and the refusal of every shorter one.
template <class Frame>
void check_frame(const Frame& frame, std::string_view golden) {
  const Bytes bytes = written(frame);
  CAPTURE(frame_name(Frame::kKind));
  CHECK(to_hex(bytes) == golden);
  Frame back;
  CHECK(reads(ByteView(bytes), back));
  CHECK(to_hex(written(back)) == golden);
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    CAPTURE(size);
    Frame cut;
    CHECK_FALSE(reads(ByteView(bytes).first(size), cut));
  }
}

std::string fault_of(std::string_view hex) {
  const Bytes bytes = unhexed(hex);
  FrameReader in(bytes);
  (void)in.varint();
  return in.ok() ? "" : in.fault();
}

TEST_CASE("each frame has its golden bytes and survives a round trip and no truncation") {
  const std::string text = "no";
  check_frame(SettingsFrame{.version = 1,
                            .early_items = 16,
                            .early_bytes = 16384,
                            .message_bytes_max = 1 << 24,
                            .channels_max = 1024,
                            .ping_after_ms = 15'000,
                            .dead_after_ms = 45'000},
              "011601011002808001038080800804"
              "80080598750"
              "6c8df02");
  check_frame(RefusedFrame{Code::unauthenticated, text}, "0210026e6f");
  check_frame(OpenFrame{.id = ChannelId{3},
                        .channel_class = ChannelClass::bulk,
                        .items = 8,
                        .bytes = 300,
                        .service = "chat",
                        .out_type = "A",
                        .in_type = "B"},
              "0303020008ac02046368617401410142");
  check_frame(OpenFrame{.id = ChannelId{1}, .delivery = Delivery::datagram, .items = 1},
              "03010101010000"
              "0000");
  check_frame(PassFrame{.id = ChannelId{5},
                        .channel_class = ChannelClass::control,
                        .items = 8,
                        .bytes = 300,
                        .carrier = ChannelId{2},
                        .out_type = "A",
                        .in_type = "B"},
              "1505000008ac020201410142");
  check_frame(AcceptFrame{ChannelId{200}, 64, 2048}, "04c801408010");
  check_frame(DataFrame{ChannelId{1}, as_bytes("hi")}, "0501026869");
  check_frame(DataFrame{ChannelId{1}, {}}, "050100");
  check_frame(DataBeginFrame{ChannelId{1}, 5, as_bytes("hi")}, "060105026869");
  check_frame(DataMoreFrame{ChannelId{1}, as_bytes("hey")}, "070103686579");
  check_frame(CreditFrame{ChannelId{2}, 128, 1}, "0802800101");
  check_frame(BlockedFrame{ChannelId{200}}, "16c801");
  check_frame(CloseFrame{ChannelId{2}}, "0902");
  check_frame(StopFrame{ChannelId{2}}, "0a02");
  check_frame(ResetFrame{ChannelId{2}, Code::cancelled, text}, "0b0201026e6f");
  check_frame(PingFrame{7}, "1007");
  check_frame(PongFrame{7}, "1107");
  check_frame(GoawayFrame{}, "12");
  check_frame(PlacesFrame{2049}, "178110");
  check_frame(CertificateFrame{as_bytes("new")}, "14036e6577");
  check_frame(GoodbyeFrame{}, "13");
}

TEST_CASE("a message of 64 bytes costs three bytes of head on a young channel") {
  const std::string message(64, 'x');
  CHECK(written(DataFrame{ChannelId{1}, as_bytes(message)}).size() == 64 + 3);
  CHECK(written(DataFrame{ChannelId{100'001}, as_bytes(message)}).size() == 64 + 5);
}

TEST_CASE("numbers survive in their shortest form and no other is read") {
  for (const std::uint64_t value : std::initializer_list<std::uint64_t>{
           0, 1, 127, 128, 16383, 16384, 1ULL << 32, (1ULL << 63) - 1, 1ULL << 63, ~0ULL}) {
    std::array<std::byte, 16> bytes;
    FrameWriter out(bytes);
    out.varint(value);
    FrameReader in(ByteView(bytes).first(out.size()));
    CHECK(in.varint() == value);
    CHECK(in.ok());
    CHECK(in.done());
  }
  CHECK(fault_of("8000") == "has a number that is longer than it needs");
  CHECK(fault_of("ff8000") == "has a number that is longer than it needs");
  CHECK(fault_of("ffffffffffffffffff02") == "has a number of more than 64 bits");
  CHECK(fault_of("ffffffffffffffffffff01") == "has a number of more than 64 bits");
  CHECK(fault_of("ff") == "is cut short");
}

TEST_CASE("settings with unknown keys are read and with disorderly keys refused") {
  SettingsFrame frame;
  const Bytes newer = unhexed(
      "0109"
      "01"
      "0110"
      "0905"
      "8f0107"
      "00");
  CHECK(reads(ByteView(newer).first(10), frame) == false);
  const Bytes unknown = unhexed(
      "0108"
      "01"
      "0110"
      "0905"
      "8f0107");
  CHECK(reads(ByteView(unknown), frame));
  CHECK(frame.early_items == 16);
  const Bytes twice = unhexed(
      "0105"
      "01"
      "0110"
      "0111");
  CHECK_FALSE(reads(ByteView(twice), frame));
  const Bytes other_version = unhexed(
      "0103"
      "02"
      "ffff");
  CHECK(reads(ByteView(other_version), frame));
  CHECK(frame.version == 2);
}

TEST_CASE("frames with values out of range are refused when they are read") {
  OpenFrame open;
  CHECK_FALSE(reads(ByteView(unhexed("0303030008ac02046368617401410142")), open));
  CHECK_FALSE(reads(ByteView(unhexed("0303020208ac02046368617401410142")), open));
  const Bytes long_name = written(OpenFrame{.id = ChannelId{1}, .items = 1});
  Bytes bytes = unhexed(
      "030101000100"
      "c901");
  bytes.resize(bytes.size() + 201);
  append(bytes, unhexed("0000"));
  CHECK_FALSE(reads(ByteView(bytes), open));
  CHECK(reads(ByteView(long_name), open));
  ResetFrame reset;
  CHECK_FALSE(reads(ByteView(unhexed("0b020000")), reset));
  DataBeginFrame begin;
  CHECK_FALSE(reads(ByteView(unhexed("060102026869")), begin));
  CHECK_FALSE(reads(ByteView(unhexed("06010500")), begin));
  DataMoreFrame more;
  CHECK_FALSE(reads(ByteView(unhexed("070100")), more));
}

TEST_CASE("what an open or a pass cannot be is named in its refusal") {
  const auto fault_of_frame = [](std::string_view hex, auto frame) {
    const Bytes bytes = unhexed(hex);
    FrameReader in(bytes);
    (void)in.byte();
    CHECK_FALSE(read_frame(in, frame));
    return std::string(in.fault());
  };
  CHECK(fault_of_frame("0303020208ac02000000", OpenFrame{}) ==
        "has a delivery other than 0 (ordered) and 1 (datagram)");
  CHECK(fault_of_frame("1503030008ac02010000", PassFrame{}) ==
        "has a class other than 0 (control), 1 (normal) and 2 (bulk)");
  CHECK(fault_of_frame("030100008080808010ac02000000", OpenFrame{}) ==
        "has a capacity of 2^32 or more");
  CHECK(fault_of_frame("0401808080801000", AcceptFrame{}) == "has a capacity of 2^32 or more");
}

TEST_CASE("padding is zeros to the end of its record") {
  PaddingFrame frame;
  CHECK(reads(ByteView(unhexed("18")), frame));
  CHECK(frame.zeros == 0);
  CHECK(reads(ByteView(unhexed("18000000")), frame));
  CHECK(frame.zeros == 3);
  CHECK_FALSE(reads(ByteView(unhexed("18000001")), frame));
  CHECK(to_hex(written(PaddingFrame{3})) == "18000000");
}

TEST_CASE("a certificate longer than a renewal may be is refused") {
  Bytes bytes = unhexed("14b109");
  bytes.resize(bytes.size() + kRenewalBytesMax + 1);
  CertificateFrame frame;
  CHECK_FALSE(reads(ByteView(bytes), frame));
  const std::string longest(kRenewalBytesMax, 'r');
  CHECK(written(CertificateFrame{as_bytes(longest)}).size() == kCertificateFrameBytesMax);
}

TEST_CASE("a status text that is too long is cut by its writer") {
  const std::string text(1000, 'x');
  const Bytes bytes = written(ResetFrame{ChannelId{1}, Code::internal, text});
  ResetFrame back;
  CHECK(reads(ByteView(bytes), back));
  CHECK(back.text.size() == kStatusTextBytesMax);
}

}  // namespace
}  // namespace tubing::rpc
