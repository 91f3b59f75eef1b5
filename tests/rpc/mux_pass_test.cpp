// Channels that travel inside a message of another channel.
#include <doctest/doctest.h>

#include "tests/rpc/mux_pair.h"

namespace tubing::rpc {
namespace {

OpenRequest passed_in(ChannelId carrier) { return {.capacity = 8, .carrier = carrier}; }

TEST_CASE("a passed channel is told ahead of the message that carries it") {
  MuxPair pair;
  const ChannelId carrier = pair.a.open();
  pair.settle();
  (void)pair.b.said();
  CHECK(number(*pair.a.mux.next_open(0)) == 3);
  CHECK(number(*pair.a.mux.next_open(1)) == 5);
  CHECK(pair.a.send(carrier, "holds 3 and 5"));
  CHECK(number(*pair.a.mux.open(passed_in(carrier))) == 3);
  CHECK(number(*pair.a.mux.open(passed_in(carrier))) == 5);
  CHECK(pair.a.send(channel(5), "hello"));
  const auto records = flush(pair.a);
  REQUIRE(records.size() == 1);
  CHECK(std::to_integer<int>(records[0][0]) == static_cast<int>(FrameKind::pass));
  CHECK(pair.b.mux.on_record(records[0]));
  CHECK(pair.b.said() == "pass 3 in 1 | pass 5 in 1");
  pair.settle();
  CHECK(pair.b.messages[5] == std::vector<std::string>{"hello"});
  CHECK(pair.b.send(channel(3), "and back"));
  pair.settle();
  CHECK(pair.a.messages[3] == std::vector<std::string>{"and back"});
}

TEST_CASE("an acceptor may pass a channel before its accept has left") {
  MuxPair pair;
  pair.b.capacity = 0;
  const ChannelId carrier = pair.a.open();
  pair.settle();
  pair.b.mux.accept(carrier, 4);
  CHECK(pair.b.send(carrier, "holds 2"));
  CHECK(number(*pair.b.mux.open(passed_in(carrier))) == 2);
  pair.settle();
  CHECK(pair.a.said() == "accept 1 | pass 2 in 1");
  CHECK(pair.a.messages[1].size() == 1);
}

TEST_CASE("channels are passed on open ones though both sides go away") {
  MuxPair pair;
  const ChannelId carrier = pair.a.open();
  pair.settle();
  pair.a.mux.goaway();
  pair.b.mux.goaway();
  move(pair.a, pair.b);  // Our goaway is behind us, the peer's on its way.
  CHECK(pair.a.send(carrier, "holds 3"));
  CHECK(number(*pair.a.mux.open(passed_in(carrier))) == 3);
  pair.settle();
  CHECK(pair.a.send(carrier, "holds 5"));
  CHECK(number(*pair.a.mux.next_open(0)) == 5);
  CHECK(number(*pair.a.mux.open(passed_in(carrier))) == 5);
  pair.settle();
  CHECK(pair.b.said() == "open 1 chat | goaway | pass 3 in 1 | pass 5 in 1");
  CHECK(pair.a.mux.open({.service = "chat"}).code() == Code::unavailable);
}

TEST_CASE("a channel cannot be passed over one that cannot send or may lose it") {
  MuxPair pair;
  const ChannelId carrier = pair.a.open();
  const ChannelId lossy = *pair.a.mux.open({.service = "x", .delivery = Delivery::datagram});
  pair.settle();
  CHECK(pair.a.mux.open(passed_in(channel(99))).code() == Code::failed_precondition);
  CHECK(pair.a.mux.open(passed_in(lossy)).code() == Code::invalid_argument);
  pair.b.mux.stop(carrier);
  pair.settle();
  CHECK(pair.a.mux.open(passed_in(carrier)).code() == Code::failed_precondition);
  CHECK(number(*pair.a.mux.next_open(0)) == 5);
}

TEST_CASE("a channel that crosses the end of its carrier is reset") {
  for (const bool by_stop : {false, true}) {
    CAPTURE(by_stop);
    MuxPair pair;
    const ChannelId carrier = pair.a.open();
    pair.settle();
    (void)(pair.a.said() + pair.b.said());
    by_stop ? pair.b.mux.stop(carrier) : pair.b.mux.reset(carrier, Code::aborted, "");
    CHECK(pair.a.send(carrier, "holds 3"));
    (void)*pair.a.mux.open(passed_in(carrier));
    move(pair.a, pair.b);
    pair.settle();
    CHECK(pair.b.said() == "");
    CHECK(pair.a.said().contains("reset 3 cancelled the channel that carried it has ended"));
    CHECK(pair.b.mux.channels() == 1);
  }
}

/// A listener whose peer opened channel 1 (ordered) and 3 (datagram), while 2 awaits its accept.
struct PassVictim {
  explicit PassVictim(const MuxLimits& limits = {}) : end(Side::listener, limits) {
    const SettingsFrame settings{
        .early_items = 16, .early_bytes = 16'384, .message_bytes_max = 1 << 20, .channels_max = 4};
    CHECK(end.mux.on_record(
        record_of(settings, OpenFrame{.id = channel(1), .items = 4},
                  OpenFrame{.id = channel(3), .delivery = Delivery::datagram, .items = 4})));
    (void)end.open();
    (void)flush(end);
    (void)end.said();
  }
  std::string fault(std::uint64_t id, std::uint64_t carrier, std::uint64_t items = 1) {
    auto taken = end.mux.on_record(
        record_of(PassFrame{.id = channel(id), .items = items, .carrier = channel(carrier)}));
    if (taken) return "";
    const std::string text(taken.error().detail());
    return text.substr(0, text.find(';'));
  }

  MuxEnd end;
};

TEST_CASE("a pass over a channel that cannot carry it breaks the protocol") {
  CHECK(PassVictim().fault(5, 7) == "pass on channel 7, which was never opened");
  CHECK(PassVictim().fault(5, 5) == "pass on channel 5, which was never opened");
  CHECK(PassVictim().fault(5, 0) == "pass on channel 0, which was never opened");
  CHECK(PassVictim().fault(5, 2) == "pass on channel 2 before its accept");
  CHECK(PassVictim().fault(5, 3) == "pass on channel 3, whose messages may be lost");
  CHECK(PassVictim().fault(7, 1) == "pass has the channel 7 where 5 is next");
  CHECK(PassVictim().fault(5, 1, 0) == "pass of channel 5 has no capacity");
  PassVictim victim;
  CHECK(victim.end.mux.on_record(record_of(CloseFrame{channel(1)})));
  CHECK(victim.fault(5, 1) == "pass on channel 1 after its close");
}

TEST_CASE("passed channels that nobody accepts are bounded") {
  MuxLimits limits;
  limits.passes_unclaimed_max = 3;
  PassVictim victim(limits);
  victim.end.capacity = 0;
  for (std::uint64_t id = 5; id <= 11; id += 2) CHECK(victim.fault(id, 1) == "");
  CHECK(victim.end.said() == "pass 5 in 1 | pass 7 in 1 | pass 9 in 1");
  victim.end.mux.accept(channel(5), 1);
  victim.end.mux.reset(channel(7), Code::cancelled, "");
  for (std::uint64_t id = 13; id <= 17; id += 2) CHECK(victim.fault(id, 1) == "");
  CHECK(victim.end.said() == "pass 13 in 1 | pass 15 in 1");
}

}  // namespace
}  // namespace tubing::rpc
