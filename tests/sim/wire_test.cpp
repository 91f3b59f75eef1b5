#include "tubing/sim/wire.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/sim/wire_peer.h"

using namespace tubing::sim;
using namespace std::chrono_literals;
using tubing::Code;
using tubing::Duration;
using tubing::Prng;
using tubing::Result;
using tubing::Time;
using tubing::rpc::Dialing;
using tubing::rpc::Link;

namespace {

constexpr Time at(Duration since_start) { return Time(since_start); }

std::string numbered_bytes(std::size_t count) {
  std::string text(count, '\0');
  for (std::size_t i = 0; i < count; ++i) text[i] = static_cast<char>(i * 131 + i / 251);
  return text;
}

}  // namespace

TEST_CASE("bytes cross a perfect wire both ways in order and in no time") {
  WirePair pair;
  CHECK(pair.client->write("ping"));
  CHECK(pair.client->write(" and more"));
  CHECK(pair.server->write("pong"));
  CHECK(pair.server->received.empty());
  pair.settle();
  CHECK(pair.server->received == "ping and more");
  CHECK(pair.client->received == "pong");
  CHECK(pair.reactor.now() == at(0s));
  CHECK(pair.client->link->peer_address() == "server:7000");
  CHECK(pair.server->link->peer_address() == "dialer-0");
}

TEST_CASE("bytes arrive after the latency of their wire to the nanosecond") {
  WirePair pair({.latency_min = 1'234'567ns, .latency_max = 1'234'567ns});
  CHECK(pair.client->write("x"));
  pair.settle();
  CHECK(pair.server->times == std::vector{at(1'234'567ns)});
}

TEST_CASE("latency is drawn between its bounds and lets no chunk overtake another") {
  WirePair pair(
      {.latency_min = 1ms, .latency_max = 9ms, .chunk_bytes_min = 1, .chunk_bytes_max = 1});
  const std::string sent = numbered_bytes(200);
  CHECK(pair.client->write(sent));
  pair.settle();
  CHECK(pair.server->received == sent);
  CHECK(pair.server->times.front() >= at(1ms));
  CHECK(pair.server->times.back() <= at(9ms));
  CHECK(std::set(pair.server->times.begin(), pair.server->times.end()).size() > 1);
  CHECK(std::ranges::is_sorted(pair.server->times));
}

TEST_CASE("chunks have sizes between the bounds of their wire") {
  WirePair pair({.chunk_bytes_min = 3, .chunk_bytes_max = 7});
  const std::string sent = numbered_bytes(1000);
  CHECK(pair.client->write(sent));
  pair.settle();
  CHECK(pair.server->received == sent);
  pair.server->chunks.pop_back();
  const std::set<std::size_t> sizes(pair.server->chunks.begin(), pair.server->chunks.end());
  CHECK(sizes == std::set<std::size_t>{3, 4, 5, 6, 7});
}

TEST_CASE("bandwidth is exact in virtual time over many chunks") {
  // 3 bytes a second: no chunk takes a whole number of nanoseconds, their sum does.
  WirePair pair({.latency_min = 1s,
                 .latency_max = 1s,
                 .chunk_bytes_min = 1,
                 .chunk_bytes_max = 1,
                 .bytes_per_second = 3});
  CHECK(pair.client->write(numbered_bytes(30)));
  pair.settle();
  CHECK(pair.server->received.size() == 30);
  CHECK(pair.server->times[0] == at(1s + 333'333'334ns));
  CHECK(pair.server->times[1] == at(1s + 666'666'667ns));
  CHECK(pair.server->times[2] == at(2s));
  CHECK(pair.server->times.back() == at(11s));
}

TEST_CASE("an idle line saves up no bandwidth") {
  WirePair pair({.bytes_per_second = 1000});
  CHECK(pair.client->write(numbered_bytes(100)));
  pair.settle();
  CHECK(pair.reactor.now() == at(100ms));
  pair.run_until(at(1s));
  CHECK(pair.client->write(numbered_bytes(100)));
  CHECK(pair.server->write(numbered_bytes(500)));
  pair.settle();
  CHECK(pair.server->times.back() == at(1100ms));
  CHECK(pair.client->times.back() == at(1500ms));
}

TEST_CASE("a write beyond the send buffer waits until its rest has been taken") {
  WirePair pair({.chunk_bytes_min = 10,
                 .chunk_bytes_max = 10,
                 .bytes_per_second = 1000,
                 .send_buffer_bytes = 40});
  const std::string sent = numbered_bytes(100);
  Time writable_at;
  pair.client->then_on_writable = [&] { writable_at = pair.reactor.now(); };
  CHECK_FALSE(pair.client->write(sent));
  CHECK(pair.client->writable == 0);
  pair.settle();
  CHECK(pair.client->writable == 1);
  CHECK(writable_at == at(60ms));
  CHECK(pair.server->received == sent);
  CHECK(pair.reactor.now() == at(100ms));
  CHECK(pair.client->write(numbered_bytes(40)));
}

TEST_CASE("on_writable may write again and drop its link") {
  WirePair pair({.chunk_bytes_min = 10, .chunk_bytes_max = 10, .send_buffer_bytes = 10});
  const std::string sent = numbered_bytes(50);
  pair.client->then_on_writable = [&] {
    if (pair.client->writable == 1) {
      CHECK_FALSE(pair.client->link->write(tubing::as_bytes(sent)));
    } else {
      pair.client->link.reset();
    }
  };
  CHECK_FALSE(pair.client->write(sent));
  pair.settle();
  CHECK(pair.client->writable == 2);
  CHECK(pair.server->received == sent + sent);
  CHECK(pair.server->how_ended() == Code::closed);
}

TEST_CASE("close_write gives closed behind every byte even of an unfinished write") {
  WirePair pair({.latency_min = 1ms,
                 .latency_max = 1ms,
                 .chunk_bytes_min = 10,
                 .chunk_bytes_max = 10,
                 .bytes_per_second = 1000,
                 .send_buffer_bytes = 20});
  const std::string sent = numbered_bytes(100);
  CHECK_FALSE(pair.client->write(sent));
  pair.client->close_write();
  pair.client->close_write();
  CHECK(pair.server->write("reply"));
  pair.settle();
  CHECK(pair.server->received == sent);
  CHECK(pair.server->how_ended() == Code::closed);
  CHECK(pair.server->end_time == at(101ms));
  CHECK(pair.client->received == "reply");
  CHECK(pair.client->how_ended() == Code::closed);
}

TEST_CASE("a dropped link gets no event and its peer gets closed behind what was taken") {
  WirePair pair({.latency_min = 1ms, .latency_max = 1ms});
  CHECK(pair.client->write("last words"));
  pair.client->link.reset();
  pair.settle();
  CHECK(pair.server->received == "last words");
  CHECK(pair.server->how_ended() == Code::closed);
  CHECK(pair.client->how_ended() == Code::ok);
  pair.server->link.reset();
  CHECK(pair.wire.connections().empty());
}

TEST_CASE("bytes for a dropped link break the connection") {
  WirePair pair({.latency_min = 1ms, .latency_max = 1ms});
  CHECK(pair.server->write("for nobody"));
  pair.run_until(at(0s));
  pair.client->link.reset();
  pair.settle();
  CHECK(pair.client->received.empty());
  CHECK(pair.server->how_ended() == Code::lost);
}

TEST_CASE("both links may be dropped from inside an event") {
  WirePair pair;
  pair.server->then_on_bytes = [&] {
    pair.client->link.reset();
    pair.server->link.reset();
  };
  CHECK(pair.client->write("x"));
  pair.settle();
  CHECK(pair.wire.connections().empty());
  CHECK(pair.server->how_ended() == Code::ok);
}

TEST_CASE("bytes wait for a link that is started late") {
  VirtualReactor reactor;
  RunHash hash;
  Wire wire(reactor, Prng(1), hash);
  wire.set_conditions({.send_buffer_bytes = 1000});
  std::unique_ptr<Link> accepted;
  std::unique_ptr<WirePeer> client;
  auto listener =
      *wire.listen(kServer, [&](std::unique_ptr<Link> link) { accepted = std::move(link); });
  auto dialing = wire.dial(kServer, [&](Result<std::unique_ptr<Link>> link) {
    client = std::make_unique<WirePeer>(reactor, *std::move(link));
  });
  while (reactor.has_sources()) reactor.park(Time::max());
  CHECK(client->write("early"));
  client->close_write();
  while (reactor.has_sources()) reactor.park(Time::max());
  WirePeer server(reactor, std::move(accepted));
  while (reactor.has_sources()) reactor.park(Time::max());
  CHECK(server.received == "early");
  CHECK(server.how_ended() == Code::closed);
}

TEST_CASE("dialing takes a latency there and one back") {
  VirtualReactor reactor;
  RunHash hash;
  Wire wire(reactor, Prng(1), hash);
  wire.set_conditions({.latency_min = 5ms, .latency_max = 5ms});
  Time accepted;
  Time dialed;
  auto listener = *wire.listen(kServer, [&](std::unique_ptr<Link>) { accepted = reactor.now(); });
  std::unique_ptr<Dialing> dialing;
  dialing = wire.dial(kServer, [&](Result<std::unique_ptr<Link>> link) {
    CHECK(link);
    dialed = reactor.now();
    dialing.reset();
  });
  CHECK(dialed == at(0s));
  while (reactor.has_sources()) reactor.park(Time::max());
  CHECK(accepted == at(5ms));
  CHECK(dialed == at(10ms));
}

TEST_CASE("a wire refuses a second listener at one address and chooses free ports") {
  VirtualReactor reactor;
  RunHash hash;
  Wire wire(reactor, Prng(1), hash);
  const auto ignore = [](std::unique_ptr<Link>) {};
  auto first = *wire.listen(kServer, ignore);
  CHECK(wire.listen(kServer, ignore).code() == Code::already_exists);
  CHECK(wire.listen({"", 7000}, ignore).code() == Code::invalid_argument);
  auto second = *wire.listen({"server", 0}, ignore);
  auto third = *wire.listen({"server", 0}, ignore);
  CHECK(second->address().port != 0);
  CHECK(second->address() != third->address());
  first.reset();
  CHECK(wire.listen(kServer, ignore));
}

TEST_CASE("a dropped dialing never calls back and its listener gets closed") {
  VirtualReactor reactor;
  RunHash hash;
  Wire wire(reactor, Prng(1), hash);
  wire.set_conditions({.latency_min = 5ms, .latency_max = 5ms});
  std::unique_ptr<WirePeer> server;
  auto listener = *wire.listen(kServer, [&](std::unique_ptr<Link> link) {
    server = std::make_unique<WirePeer>(reactor, std::move(link));
  });
  int calls = 0;
  auto dialing = wire.dial(kServer, [&](Result<std::unique_ptr<Link>>) { ++calls; });
  reactor.park(Time::max());
  REQUIRE(server);
  dialing.reset();
  while (reactor.has_sources()) reactor.park(Time::max());
  CHECK(calls == 0);
  CHECK(server->how_ended() == Code::closed);
}
