// A node among many strangers: half-open connections, slow ones, and as many as the limits allow.
#include <fmt/format.h>

#include <algorithm>

#include "tests/rpc/node_hosts.h"
#include "tests/rpc/raw_peers.h"

using namespace tubing;
using namespace tubing::test;
using namespace std::chrono_literals;

namespace {

/// A client that tries again soon.
HostSpec patient_client() {
  HostSpec spec{.name = "client", .usage = crypto::Usage::client};
  spec.limits.backoff_max = 100ms;
  return spec;
}

}  // namespace

TEST_CASE("ten thousand half-open connections keep nobody out for longer than a handshake lasts") {
  NodePair pair(1, {.name = "server"}, patient_client());
  std::vector<RawPeer> strangers(10'000);
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    for (RawPeer& stranger : strangers) stranger.dial(pair.wire(), kServerAddress);
    co_await ok(sleep(1ms));
    CHECK(pair.server_node().stats().half_open == 1024);
    CHECK(pair.server_node().stats().half_open_dropped == 10'000 - 1024);
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server, within(10s)));
    CHECK(n.scheduler().now() < Time(5200ms));
    co_await ok(peer.tx.send("let in"));
    co_await ok(peer.rx.recv());
    CHECK(pair.server_node().stats().half_open == 0);
    co_return {};
  });
}

TEST_CASE("a dialler that drips its handshake has no more time than a silent one") {
  NodePair pair;
  const crypto::Credentials keys = pair.hosts.credentials({.name = "insider"});
  const Insider insider(keys, pair.client.trust, pair.sim.entropy(), pair.sim.scheduler());
  const std::string& words = insider.first_words;
  RawPeer dripping;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    dripping.dial(pair.wire(), kServerAddress);
    co_await ok(sleep(1ms));
    for (std::size_t i = 0; i < 24; ++i) {
      dripping.write(as_bytes(words).subspan(i, 1));
      co_await ok(sleep(200ms));
    }
    CHECK_FALSE(dripping.end);
    co_await ok(sleep(300ms));
    CHECK(dripping.end);
    CHECK(pair.server_node().stats().half_open == 0);
    CHECK(pair.server.log.warns("deadline_exceeded: the peer did not finish it within 5000 ms"));
    co_return {};
  });
}

TEST_CASE("connections beyond the limit of sessions are dropped and taken again later") {
  NodePair pair(1, {.name = "server", .limits = {.sessions_max = 2}}, patient_client());
  RawPeer stranger;
  RawPeer late;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    stranger.dial(pair.wire(), kServerAddress);
    co_await ok(sleep(1ms));
    late.dial(pair.wire(), kServerAddress);
    co_await ok(sleep(1ms));
    CHECK((!stranger.end && late.end));
    CHECK(late.received == std::string("Tubg\0\1\0\0", 8));
    CHECK(pair.server.log.warns("dropped: as many connections as the limits allow"));
    co_await ok(peer.tx.send("unharmed"));
    co_await ok(peer.rx.recv());
    co_await ok(pair.client_node().connect(pair.to_server, within(20s)));
    CHECK(pair.client_node().peers().size() == 2);
    co_return {};
  });
}

TEST_CASE("a node that has as many sessions as its limit allows dials nobody and says so") {
  HostSpec client{.name = "client", .usage = crypto::Usage::client};
  client.limits.sessions_max = 1;
  NodePair pair(1, {.name = "server"}, client);
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    Result<> one_more = co_await pair.client_node().connect(pair.to_server);
    CHECK(one_more.code() == Code::resource_exhausted);
    if (!one_more)
      CHECK_MESSAGE(one_more.error().detail().contains("1 sessions are open, the most that"),
                    one_more.error().text());
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    co_return {};
  });
}

TEST_CASE("a dialler that finds no room is told that the peer is busy") {
  HostSpec server{.name = "server"};
  server.limits.half_open_max = 1;
  NodePair pair(1, server);
  RawPeer stranger;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    stranger.dial(pair.wire(), kServerAddress);
    co_await ok(sleep(1ms));
    const Result<> dialled = co_await pair.client_node().connect(pair.to_server);
    CHECK(dialled.code() == Code::unavailable);
    CHECK(dialled.error().detail().contains("the peer is busy: "));
    co_return {};
  });
}

TEST_CASE("a dialler whose peer goes without a word is told that it may be busy") {
  for (const bool in_order : {true, false}) {
    CAPTURE(in_order);
    NodePair pair;
    pair.server.node.reset();
    std::unique_ptr<rpc::Link> taken;
    const auto listener = pair.wire().listen(kServerAddress, [&](std::unique_ptr<rpc::Link> link) {
      if (!in_order) taken = std::move(link);
    });
    pair.nursery([&](Nursery& n) -> Task<> {
      n.spawn("cut", [](NodePair& of) -> Task<> {
        co_await ok(sleep(1ms));
        of.wire().cut(of.last_wire);
        co_return {};
      }(pair));
      const Result<> dialled = co_await pair.client_node().connect(pair.to_server);
      CHECK(dialled.code() == Code::unavailable);
      CHECK(dialled.error().detail().contains("it may be busy, or no Tubing node"));
      CHECK(dialled.error().detail().contains("broke") != in_order);
      co_return {};
    });
  }
}

TEST_CASE("a flood of connections is a bounded number of lines and a count") {
  struct Row {
    const char* first_words;
    std::uint32_t half_open_max;
    const char* told;
  };
  for (const Row& row :
       {Row{"GET / HTTP/1.1\r\n\r\n", 100, " connections ended before their peers had proven "},
        Row{"", 10, " connections were dropped within a second; at debug each has a line"}}) {
    CAPTURE(row.told);
    NodePair pair(1, {.name = "server", .limits = {.half_open_max = row.half_open_max}});
    std::vector<RawPeer> flood(60);
    for (RawPeer& peer : flood) peer.first_words = row.first_words;
    const int warned = row.half_open_max < 60 ? 50 : 60;
    const auto lines = [&] { return std::ranges::count(pair.server.log.warnings, '\n'); };
    pair.nursery([&](Nursery& n) -> Task<> {
      co_await ok(serve(n, pair.server_node(), kText, echo));
      for (RawPeer& peer : flood) peer.dial(pair.wire(), kServerAddress);
      co_await ok(sleep(900ms));
      CHECK(lines() == 5);
      co_await ok(sleep(200ms));
      CHECK(lines() == 6);
      CHECK(pair.server.log.warns(fmt::format("{} more{}", warned - 5, row.told)));
      RawPeer late;
      late.first_words = "GET ";
      late.dial(pair.wire(), kServerAddress);
      co_await ok(sleep(1ms));
      CHECK(lines() == 7);
      co_return {};
    });
  }
}

TEST_CASE("warnings held back are told when the node goes") {
  NodePair pair(1, {.name = "server", .limits = {.warnings_per_second_max = 0}});
  RawPeer stranger;
  stranger.first_words = "GET /";
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    stranger.dial(pair.wire(), kServerAddress);
    co_await ok(sleep(1ms));
    CHECK(pair.server.log.warnings.empty());
    CHECK(pair.server.log.has("it began with 474554202f"));
    co_return {};
  });
  pair.server.node.reset();
  CHECK(pair.server.log.warns("1 more connections ended before"));
}
