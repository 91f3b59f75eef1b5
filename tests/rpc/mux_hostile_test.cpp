// A peer that sends any frames at all, well formed or not: the mux takes them or refuses them, and
// keeps its own invariants.
#include <doctest/doctest.h>

#include "tests/rpc/mux_pair.h"
#include "tubing/channel/base/prng.h"

namespace tubing::rpc {
namespace {

/// A number near those that matter.
std::uint64_t number_near(Prng& prng) {
  switch (prng.below(6)) {
    case 0: return prng.below(4);
    case 1: return prng.below(40);
    case 2: return prng.below(20'000);
    case 3: return prng.below(200'000);
    case 4: return ~prng.below(3);
    default: return prng.next() >> prng.below(64);
  }
}

/// Writes one frame whose ids and amounts are often right.
void write_some_frame(FrameWriter& out, Prng& prng, std::uint64_t& next_open) {
  static const std::string text(300, 'x');
  const ChannelId id{prng.chance(1, 20) ? prng.below(12) : 1 + prng.below(4)};
  const ByteView payload = as_bytes(text).first(prng.below(300));
  const CreditFrame credit{id, number_near(prng), number_near(prng)};
  switch (prng.below(20)) {
    case 0:
    case 1:
      next_open += 2;
      return write_frame(out, OpenFrame{.id = ChannelId{next_open - 2},
                                        .items = 1 + prng.below(9),
                                        .bytes = number_near(prng),
                                        .service = "s"});
    case 2: return write_frame(out, AcceptFrame{ChannelId{4}, credit.items, credit.bytes});
    case 3:
    case 4:
    case 5: return write_frame(out, DataFrame{id, payload});
    case 6: return write_frame(out, DataBeginFrame{id, number_near(prng), payload});
    case 7:
    case 8: return write_frame(out, DataMoreFrame{id, payload});
    case 9: return write_frame(out, credit);
    case 10: return write_frame(out, CloseFrame{id});
    case 11: return write_frame(out, StopFrame{id});
    case 12: return write_frame(out, ResetFrame{id, Code::aborted, "x"});
    case 13: return write_frame(out, PingFrame{number_near(prng)});
    case 14: return write_frame(out, BlockedFrame{id});
    case 15:
      next_open += 2;
      return write_frame(out, PassFrame{.id = ChannelId{next_open - 2}, .items = 3, .carrier = id});
    case 16: return write_frame(out, PlacesFrame{9 + prng.below(20)});
    case 17: return write_frame(out, CertificateFrame{payload});
    case 18: return prng.chance(1, 9) ? write_frame(out, GoawayFrame{}) : void();
    default: return prng.chance(1, 9) ? out.varint(prng.below(300)) : void();
  }
}

/// The application calls something, on a channel that may be in any state.
void call_something(MuxEnd& end, Prng& prng) {
  const ChannelId id{1 + prng.below(11)};
  switch (prng.below(8)) {
    case 0: (void)end.mux.open({.service = "s", .capacity = 3}); return;
    case 1: end.mux.reset(id, Code::aborted, "no"); return;
    case 2: end.mux.release(id); return;
    case 3: (void)end.mux.may_send(id); return;
    case 4: (void)end.mux.ping(); return;
    case 5:
    case 6:
      (void)end.mux.try_send(id, as_bytes(std::string(number_near(prng) % 100'000, 'm')));
      return;
    default: (void)flush(end, kRecordBytesMin + prng.below(9000));
  }
}

TEST_CASE("whatever frames a peer sends a mux takes them or refuses them by name") {
  std::size_t taken_records = 0;
  std::size_t refused_records = 0;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    CAPTURE(seed);
    Prng prng(seed);
    MuxLimits limits;
    limits.channels_max = 4;
    limits.message_bytes_max = 30'000;
    limits.receive_bytes_max = 60'000;
    MuxEnd end(Side::listener, limits);
    end.takes = prng.chance(1, 2);
    SettingsFrame settings{.early_items = 16, .early_bytes = 16'384, .message_bytes_max = 50'000};
    settings.channels_max = 2 + prng.below(9);
    REQUIRE(end.mux.on_record(record_of(settings)));
    (void)end.open();
    (void)end.open();
    REQUIRE(end.mux.on_record(record_of(OpenFrame{.id = channel(1), .items = 9, .bytes = 9000},
                                        OpenFrame{.id = channel(3), .items = 9, .bytes = 9000},
                                        AcceptFrame{channel(2), 9, 9000})));
    std::uint64_t next_open = 5;
    for (int i = 0; i < 60; ++i) {
      Bytes record(4000);
      FrameWriter out(record);
      for (std::uint64_t left = 1 + prng.below(3); left > 0; --left) {
        write_some_frame(out, prng, next_open);
      }
      record.resize(out.size());
      if (record.empty()) continue;
      auto taken = end.mux.on_record(record);
      ++(taken ? taken_records : refused_records);
      if (!taken) {
        CHECK(taken.error().detail().size() > 10);
        break;
      }
      call_something(end, prng);
    }
    for (std::uint64_t id = 1; id < 200; ++id) end.mux.release(channel(id));
    (void)flush(end);
  }
  CHECK(taken_records > 1500);
  CHECK(refused_records > 1000);
}

}  // namespace
}  // namespace tubing::rpc
