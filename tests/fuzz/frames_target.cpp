// Frames: what is read from a stranger's record is written, and read as the same.
#include <algorithm>

#include "tests/fuzz/frame_walk.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"
#include "tubing/channel/base/assert.h"

namespace tubing::fuzz {
namespace {

template <class Frame>
Bytes written(const Frame& frame, std::size_t room) {
  Bytes bytes(room);
  rpc::FrameWriter out(bytes);
  rpc::write_frame(out, frame);
  TUBING_ASSERT(out.size() <= bytes.size(), out.size());
  bytes.resize(out.size());
  return bytes;
}

/// Writes the frame, reads what was written, and writes that.
struct RoundTrip {
  ByteView plaintext;

  template <class Frame>
  void operator()(const Frame& frame) const {
    const std::size_t room = plaintext.size() + rpc::kControlFrameBytesMax;
    const Bytes once = written(frame, room);
    rpc::FrameReader in(once);
    TUBING_ASSERT(in.byte() == static_cast<std::uint8_t>(Frame::kKind));
    Frame again;
    TUBING_ASSERT(rpc::read_frame(in, again) && in.done(), in.left());
    TUBING_ASSERT(written(again, room) == once);
    TUBING_ASSERT(rpc::frame_name(Frame::kKind) != "unknown");
  }
};

void run(ByteView input) { visit_frames(input, RoundTrip{input}); }

template <class... Frames>
Bytes record_of(const Frames&... frames) {
  Bytes bytes(4096);
  rpc::FrameWriter out(bytes);
  (rpc::write_frame(out, frames), ...);
  bytes.resize(out.size());
  return bytes;
}

std::vector<Bytes> seeds() {
  using namespace rpc;
  const ChannelId one{1};
  const ChannelId wide{300};
  const ByteView payload = as_bytes("hello");
  const SettingsFrame settings{
      .early_items = 16, .early_bytes = 16'384, .message_bytes_max = 99'999, .channels_max = 7};
  const OpenFrame open{
      .id = wide, .items = 9, .bytes = 9000, .service = "s", .out_type = "int64", .in_type = "x"};
  return {record_of(settings),
          record_of(open, AcceptFrame{wide, 8, 70'000}),
          record_of(DataFrame{one, payload}, DataBeginFrame{wide, 900, payload}),
          record_of(DataMoreFrame{wide, payload}, CreditFrame{one, 10, ~0ULL}),
          record_of(CloseFrame{one}, StopFrame{wide}, ResetFrame{one, Code::aborted, "why"}),
          record_of(PingFrame{3}, PongFrame{~0ULL}, GoawayFrame{}, GoodbyeFrame{}),
          record_of(RefusedFrame{Code::unavailable, "later"}),
          record_of(PassFrame{.id = wide, .items = 9, .carrier = one}, BlockedFrame{one}),
          record_of(PlacesFrame{300}, CertificateFrame{payload}, PaddingFrame{5})};
}

}  // namespace

Target frames_target() { return {"frames", run, seeds}; }

}  // namespace tubing::fuzz
