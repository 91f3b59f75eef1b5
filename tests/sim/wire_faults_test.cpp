#include <doctest/doctest.h>

#include <optional>

#include "tests/sim/wire_peer.h"
#include "tubing/sim/wire.h"

using namespace tubing::sim;
using namespace std::chrono_literals;
using tubing::Bytes;
using tubing::Code;
using tubing::Duration;
using tubing::Prng;
using tubing::Result;
using tubing::Time;
using tubing::rpc::Link;

namespace {

constexpr Time at(Duration since_start) { return Time(since_start); }

constexpr WireConditions kSlow{.latency_min = 10ms, .latency_max = 10ms};

Bytes bytes_of(std::string_view text) {
  Bytes bytes;
  tubing::append(bytes, tubing::as_bytes(text));
  return bytes;
}

// How a dial to kServer ends; nothing where it never does.
std::optional<Code> dial_outcome(Wire& wire, VirtualReactor& reactor) {
  std::optional<Code> outcome;
  const auto dialing =
      wire.dial(kServer, [&](Result<std::unique_ptr<Link>> link) { outcome = link.code(); });
  while (reactor.has_sources()) reactor.park(Time::max());
  return outcome;
}

}  // namespace

TEST_CASE("a cut gives both ends lost and delivers nothing that was under way") {
  WirePair pair(kSlow);
  CHECK(pair.client->write("under way"));
  pair.run_until(at(5ms));
  pair.wire.cut(0);
  CHECK_FALSE(pair.client->end);
  pair.settle();
  CHECK(pair.server->received.empty());
  CHECK(pair.client->how_ended() == Code::lost);
  CHECK(pair.server->how_ended() == Code::lost);
  CHECK(pair.client->end_time == at(5ms));
  CHECK(pair.client->end->detail() == "the connection with server:7000 broke: it was cut");
  pair.wire.cut(0);
  CHECK(pair.client->write("vanishes"));
  pair.client->close_write();
  pair.settle();
}

TEST_CASE("a cut ends a write that waits and overtakes an end in order") {
  WirePair pair({.latency_min = 1s, .latency_max = 1s, .send_buffer_bytes = 4});
  CHECK_FALSE(pair.client->write("longer than four"));
  pair.server->close_write();
  pair.wire.cut(0);
  pair.settle();
  CHECK(pair.client->writable == 0);
  CHECK(pair.client->how_ended() == Code::lost);
  CHECK(pair.server->how_ended() == Code::lost);
}

TEST_CASE("an end that was told closed is not told lost") {
  WirePair pair(kSlow);
  pair.client->close_write();
  pair.run_until(at(10ms));
  CHECK(pair.server->how_ended() == Code::closed);
  pair.wire.cut(0);
  pair.settle();
  CHECK(pair.server->how_ended() == Code::closed);
  CHECK(pair.client->how_ended() == Code::lost);
}

TEST_CASE("a link may be dropped when it is told of its end") {
  WirePair pair(kSlow);
  pair.client->drop_on_end = pair.server->drop_on_end = true;
  pair.wire.cut(0);
  pair.settle();
  CHECK(pair.client->how_ended() == Code::lost);
  CHECK(pair.server->how_ended() == Code::lost);
  CHECK(pair.wire.connections().empty());
}

TEST_CASE("cut_after lets exactly that many bytes arrive") {
  for (const std::uint64_t count : {0, 1, 4, 5, 9}) {
    CAPTURE(count);
    WirePair pair({.chunk_bytes_min = 4, .chunk_bytes_max = 4});
    pair.wire.cut_after(0, WireSide::dialer, count);
    CHECK(pair.client->write("0123456789"));
    CHECK(pair.server->write("reply"));
    pair.settle();
    CHECK(pair.server->received == std::string("0123456789").substr(0, count));
    CHECK(pair.client->how_ended() == Code::lost);
    CHECK(pair.server->how_ended() == Code::lost);
  }
}

TEST_CASE("a cut point that is never reached cuts nothing") {
  WirePair pair;
  pair.wire.cut_after(0, WireSide::dialer, 5);
  CHECK(pair.client->write("four"));
  CHECK(pair.server->write("more than five"));
  pair.settle();
  CHECK(pair.client->received == "more than five");
  CHECK_FALSE(pair.client->end);
}

TEST_CASE("a half-open connection swallows one direction and tells nobody") {
  WirePair pair(kSlow);
  CHECK(pair.client->write("under way"));
  pair.run_until(at(5ms));
  pair.wire.lose(0, WireSide::dialer);
  CHECK(pair.client->write("later"));
  pair.client->close_write();
  CHECK(pair.server->write("the other way"));
  pair.settle();
  CHECK(pair.server->received.empty());
  CHECK_FALSE(pair.server->end);
  CHECK(pair.client->received == "the other way");
  CHECK_FALSE(pair.client->end);
}

TEST_CASE("a held direction fills the send buffer and delivers all once it is released") {
  WirePair pair({.latency_min = 1ms,
                 .latency_max = 1ms,
                 .chunk_bytes_min = 4,
                 .chunk_bytes_max = 4,
                 .bytes_per_second = 1000,
                 .send_buffer_bytes = 8});
  const std::string sent(100, 's');
  pair.wire.hold(0, WireSide::dialer);
  CHECK_FALSE(pair.client->write(sent));
  pair.settle();
  pair.run_until(at(10s));
  CHECK(pair.server->received.empty());
  CHECK(pair.client->writable == 0);
  CHECK(pair.server->write("reply"));
  pair.settle();
  CHECK(pair.client->received == "reply");
  pair.wire.release(0, WireSide::dialer);
  pair.settle();
  CHECK(pair.client->writable == 1);
  CHECK(pair.server->received == sent);
  CHECK(pair.server->times.front() >= at(10s));
}

TEST_CASE("a held end of the stream comes with the release") {
  WirePair pair;
  pair.wire.hold(0, WireSide::dialer);
  CHECK(pair.client->write("x"));
  pair.client->close_write();
  pair.settle();
  CHECK_FALSE(pair.server->end);
  pair.wire.release(0, WireSide::dialer);
  pair.settle();
  CHECK(pair.server->received == "x");
  CHECK(pair.server->how_ended() == Code::closed);
}

TEST_CASE("corrupt flips exactly the bits of its mask in one byte of one direction") {
  WirePair pair({.chunk_bytes_min = 3, .chunk_bytes_max = 3});
  CHECK(pair.wire.corrupt(0, WireSide::dialer, 4, std::byte{0x20}));
  CHECK(pair.wire.corrupt(0, WireSide::dialer, 7, std::byte{0x20}));
  CHECK(pair.client->write("abcdefghij"));
  CHECK(pair.server->write("abcdefghij"));
  pair.settle();
  CHECK(pair.server->received == "abcdEfgHij");
  CHECK(pair.client->received == "abcdefghij");
  CHECK_FALSE(pair.wire.corrupt(0, WireSide::dialer, 9));
  CHECK_FALSE(pair.wire.corrupt(1, WireSide::dialer, 0));
}

TEST_CASE("injected bytes arrive behind what is under way and move no offset") {
  WirePair pair({.latency_min = 1ms, .latency_max = 1ms});
  CHECK(pair.wire.corrupt(0, WireSide::dialer, 3, std::byte{0x20}));
  CHECK(pair.client->write("abc"));
  pair.run_until(at(0s));
  pair.wire.inject(0, WireSide::dialer, bytes_of("xyz"));
  CHECK(pair.client->write("def"));
  pair.settle();
  CHECK(pair.server->received == "abcxyzDef");
}

TEST_CASE("a tap sees each chunk and may repeat or withhold or reorder") {
  WirePair pair({.chunk_bytes_min = 1, .chunk_bytes_max = 1});
  std::string recorded;
  Bytes kept;
  pair.wire.set_tap([&](WireId id, WireSide from, Bytes& chunk) {
    CHECK(id == 0);
    CHECK(from == WireSide::dialer);
    recorded += tubing::as_text(chunk);
    if (recorded == "a") chunk.push_back(chunk[0]);
    if (recorded == "ab") std::swap(chunk, kept);
    if (recorded == "abc") tubing::append(chunk, kept);
  });
  CHECK(pair.client->write("abcd"));
  pair.settle();
  CHECK(recorded == "abcd");
  CHECK(pair.server->received == "aacbd");
}

TEST_CASE("faults can be ordered before the first byte of a connection") {
  VirtualReactor reactor;
  RunHash hash;
  Wire wire(reactor, Prng(1), hash);
  std::unique_ptr<WirePeer> server;
  auto listener = *wire.listen(kServer, [&](std::unique_ptr<Link> link) {
    server = std::make_unique<WirePeer>(reactor, std::move(link));
    CHECK(server->write("welcome"));
  });
  wire.on_connect([&](WireId id) { wire.cut_after(id, WireSide::listener, 3); });
  std::unique_ptr<WirePeer> client;
  auto dialing = wire.dial(kServer, [&](Result<std::unique_ptr<Link>> link) {
    client = std::make_unique<WirePeer>(reactor, *std::move(link));
    CHECK(Wire::id_of(*client->link) == 0);
  });
  while (reactor.has_sources()) reactor.park(Time::max());
  CHECK(client->received == "wel");
  CHECK(client->how_ended() == Code::lost);
}

TEST_CASE("a dial is answered as it was ordered") {
  VirtualReactor reactor;
  RunHash hash;
  Wire wire(reactor, Prng(1), hash);
  CHECK(dial_outcome(wire, reactor) == Code::unavailable);
  auto listener = *wire.listen(kServer, [](std::unique_ptr<Link>) {});
  CHECK(dial_outcome(wire, reactor) == Code::ok);
  wire.set_dial_answer(kServer, DialAnswer::refused);
  CHECK(dial_outcome(wire, reactor) == Code::unavailable);
  wire.set_dial_answer(kServer, DialAnswer::unanswered);
  CHECK_FALSE(dial_outcome(wire, reactor));
  wire.set_dial_answer(kServer, DialAnswer::accepted);
  CHECK(dial_outcome(wire, reactor) == Code::ok);
  CHECK(wire.connections().empty());
}
