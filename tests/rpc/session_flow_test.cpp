// What a session owes its channels: one write a turn, no delay, reading on, and no second life.
#include "tests/rpc/node_hosts.h"

using namespace tubing;
using namespace tubing::test;
using namespace std::chrono_literals;

namespace {

inline constexpr Service<std::string, std::string> kBulk{"bulk.v1", 3, channel::ChannelClass::bulk,
                                                         channel::Delivery::datagram};

// A channel of text between the client and the server.
struct Both {
  TextOpener opener;
  TextOpener server;
};

Task<Both> connect(NodePair& pair) {
  auto incoming = co_await ok(accept(pair.server_node(), kText));
  Both both;
  both.opener = co_await ok(open(pair.client_node(), kText, pair.to_server));
  both.server = co_await ok(serve_end(kText, co_await ok(incoming.recv())));
  co_await ok(sleep(1s));
  co_return std::move(both);
}

rpc::SessionStats only_session(const Node& node) {
  const rpc::NodeStats stats = node.stats();
  REQUIRE(stats.sessions.size() == 1);
  return stats.sessions.front();
}

}  // namespace

TEST_CASE("everything that is sent in one turn leaves in one record and one write") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    const Both both = co_await ok(connect(pair));
    auto other = co_await ok(open(pair.client_node(), kNowhere, pair.to_server));
    co_await ok(sleep(1s));
    const rpc::SessionStats before = only_session(pair.client_node());
    for (std::size_t i = 0; i < kText.capacity; ++i) co_await ok(both.opener.tx.send("value"));
    auto third = co_await ok(open(pair.client_node(), kText, pair.to_server));
    co_await ok(third.tx.send("early"));
    co_await ok(sleep(1ms));
    const rpc::SessionStats after = only_session(pair.client_node());
    CHECK(after.flushes == before.flushes + 1);
    CHECK(after.records_out == before.records_out + 1);
    CHECK(both.server.rx.size() == kText.capacity);
    co_return {};
  });
}

TEST_CASE("a value takes as long as its wire and no longer") {
  NodePair pair;
  pair.wire().set_conditions({.latency_min = 3ms, .latency_max = 3ms});
  pair.nursery([&](Nursery& n) -> Task<> {
    const Both both = co_await ok(connect(pair));
    for (int i = 0; i < 5; ++i) {
      const Time sent = n.scheduler().now();
      co_await ok(both.opener.tx.send("value"));
      co_await ok(both.server.rx.recv());
      CHECK(n.scheduler().now() - sent == 3ms);
      co_await ok(sleep(7ms));
    }
    co_return {};
  });
}

TEST_CASE("a session reads on though what it writes is stuck") {
  NodePair pair;
  pair.wire().set_conditions({.send_buffer_bytes = 256});
  pair.nursery([&](Nursery&) -> Task<> {
    const Both both = co_await ok(connect(pair));
    pair.wire().hold(0, sim::WireSide::dialer);
    const std::string large(1000, 'x');
    for (int i = 0; i < 3; ++i) co_await ok(both.opener.tx.send(large));
    co_await ok(sleep(1ms));
    CHECK(only_session(pair.client_node()).unwritten_bytes > 0);
    for (std::size_t i = 0; i < kText.capacity; ++i) {
      co_await ok(both.server.tx.send("comes"));
      co_await ok(both.opener.rx.recv(within(1s)));
    }
    CHECK(both.server.rx.size() == 0);
    pair.wire().release(0, sim::WireSide::dialer);
    for (int i = 0; i < 3; ++i) {
      const std::string came = co_await ok(both.server.rx.recv(within(1s)));
      CHECK(came == large);
    }
    co_return {};
  });
}

TEST_CASE("a channel that was lost stays lost though its peer is connected again") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    const Both both = co_await ok(connect(pair));
    pair.wire().cut(0);
    co_await ok(sleep(1ms));
    auto anew = co_await ok(open(pair.client_node(), kText, pair.to_server));
    co_await ok(anew.tx.send("new"));
    co_await ok(sleep(1s));
    const rpc::SessionStats session = only_session(pair.client_node());
    CHECK(session.channels.size() == 1);
    CHECK(session.channels.front().sent_messages == 1);
    for (const TextOpener* old : {&both.opener, &both.server}) {
      const Result<> sent = co_await old->tx.send("old", within(1s));
      CHECK(sent.code() == Code::lost);
      const Result<std::string> received = co_await old->rx.recv(within(1s));
      CHECK(received.code() == Code::lost);
    }
    CHECK(n.scheduler().now() == Time(2s + 1ms));
    co_return {};
  });
}

TEST_CASE("what a service says of its channels reaches whoever accepts them") {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kBulk));
    auto early = co_await ok(select(recv(incoming), after(1s)));
    CHECK(early.index() == 1);
    auto peer = co_await ok(open(pair.client_node(), kBulk, pair.to_server));
    auto chosen = co_await ok(select(recv(incoming), after(1s)));
    REQUIRE(chosen.index() == 0);
    const channel::IncomingPort came = co_await ok(std::move(chosen.template get<0>()));
    CHECK(came.spec.service == "bulk.v1");
    CHECK(came.spec.capacity == 3);
    CHECK(came.spec.channel_class == channel::ChannelClass::bulk);
    CHECK(came.spec.delivery == channel::Delivery::datagram);
    co_return {};
  });
}

TEST_CASE("a send arm over a network takes place exactly where a send would be accepted") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    const Both both = co_await ok(connect(pair));
    std::string value = "value";
    std::size_t sent = 0;
    for (;; ++sent) {
      auto tried = co_await ok(select(send(both.opener.tx, value), otherwise()));
      if (tried.index() == 1) break;
      CHECK(tried.template get<0>());
      REQUIRE(sent < kText.capacity);
    }
    CHECK(sent == kText.capacity);
    n.spawn("receiver", [&]() -> Task<> {
      co_await ok(sleep(5ms));
      for (std::size_t i = 0; i < kText.capacity; ++i) co_await ok(both.server.rx.recv());
      co_return {};
    });
    const std::string last = "last";
    auto waited = co_await ok(select(send(both.opener.tx, last), after(1s)));
    CHECK(waited.index() == 0);
    const std::string came = co_await ok(both.server.rx.recv());
    CHECK(came == "last");
    co_return {};
  });
}
