// A Mux against a stranger who writes any frames, under an application that does anything.
#include "tests/fuzz/mux_app.h"
#include "tests/fuzz/target.h"
#include "tubing/channel/base/assert.h"

namespace tubing::fuzz {
namespace {

constexpr unsigned kRecordOp = 2;  ///< Of 5: the stranger's turn; else the application's.

void run(ByteView input) {
  Input in(input);
  MuxApp app(in.flag() ? rpc::Side::dialler : rpc::Side::listener);
  while (!in.empty()) {
    const unsigned op = in.byte() % 5;
    if (op < kRecordOp) {
      const ByteView record = in.piece();
      if (record.empty()) continue;
      const Result<> taken = app.mux.on_record(record);
      if (taken) continue;
      TUBING_ASSERT(
          taken.code() == Code::invalid_argument || taken.code() == Code::failed_precondition,
          taken.error().text());
      TUBING_ASSERT(taken.error().detail().size() > 10);
      app.mux.refuse(taken.code(), taken.error().detail());
      app.flush(0);
      TUBING_ASSERT(app.mux.is_done());
      return;
    }
    if (op == kRecordOp) {
      app.flush(in.byte());
    } else {
      app.act(in);
    }
  }
  app.release_all();
  app.flush(0);
}

template <class... Frames>
Bytes record_of(const Frames&... frames) {
  Bytes bytes(4096);
  rpc::FrameWriter out(bytes);
  (rpc::write_frame(out, frames), ...);
  bytes.resize(out.size());
  return bytes;
}

/// A script that begins with the peer's settings.
Script begun(bool dials) {
  const rpc::SettingsFrame settings{
      .early_items = 16, .early_bytes = 16'384, .message_bytes_max = 50'000, .channels_max = 4};
  return Script().byte(dials ? 1 : 0).byte(0).piece(record_of(settings));
}

std::vector<Bytes> seeds() {
  using namespace rpc;
  const ChannelId one{1};
  const ByteView hello = as_bytes("hello");
  const OpenFrame open{.id = one, .items = 3, .bytes = 3000, .service = "s"};
  const Bytes opened = record_of(open);
  const Bytes data = record_of(DataFrame{one, hello}, DataFrame{one, hello});
  const Bytes large = record_of(DataBeginFrame{one, 9000, hello}, DataMoreFrame{one, hello});
  const Bytes end = record_of(CloseFrame{one}, StopFrame{one});
  const Bytes more = record_of(CreditFrame{one, 9, 9000}, PingFrame{1});
  const Bytes accepted = record_of(AcceptFrame{one, 8, 8000}, DataFrame{one, hello});
  const auto act = [](Script script, std::size_t what, std::size_t channel = 0) {
    return script.byte(3).byte(what).byte(channel);
  };
  Script served = act(begun(false).byte(0).piece(opened), 5).byte(4);
  return {
      begun(true),
      begun(false).byte(0).piece(opened).byte(0).piece(data).byte(2).byte(0),
      act(served.byte(0).piece(data), 11).byte(2).byte(9).byte(0).piece(end),
      Script(served).byte(0).piece(large).byte(2).byte(9),
      act(Script(served), 14).byte(200).byte(0).piece(more).byte(2).byte(0),
      act(begun(true), 0, 5).byte(2).byte(0).byte(0).piece(accepted).byte(2).byte(0),
      act(act(begun(true), 0, 5).byte(0).piece(accepted), 13).word(9000).byte(2).byte(200),
      act(served, 11)
          .byte(0)
          .piece(record_of(DataFrame{one, hello},
                           PassFrame{.id = ChannelId{3}, .items = 2, .bytes = 90, .carrier = one})),
      begun(false).byte(0).piece(record_of(open, ResetFrame{one, Code::aborted, "x"})),
      act(act(begun(true), 1), 2).byte(0).piece(record_of(PongFrame{1}, GoawayFrame{})),
      act(begun(false), 3).byte(2).byte(0).byte(0).piece(record_of(GoodbyeFrame{})),
      Script().byte(0).byte(0).piece(record_of(RefusedFrame{Code::unavailable, "later"}))};
}

}  // namespace

Target mux_target() { return {"mux", run, seeds}; }

}  // namespace tubing::fuzz
