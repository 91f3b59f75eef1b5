// Keepalive: when a peer counts as alive, when as lost, and by whose word.
#include "tests/rpc/node_hosts.h"
#include "tests/rpc/raw_peers.h"
#include "tubing/channel/uv_reactor.h"
#include "tubing/crypto/system_entropy.h"
#include "tubing/rpc/tcp_transport.h"

using namespace tubing;
using namespace tubing::test;
using namespace std::chrono_literals;
using sim::WireSide;

namespace {

HostSpec server_with(std::uint32_t ping_after_ms, std::uint32_t dead_after_ms) {
  HostSpec spec{.name = "server"};
  spec.limits.mux.ping_after_ms = ping_after_ms;
  spec.limits.mux.dead_after_ms = dead_after_ms;
  return spec;
}

const HostSpec kClientSpec{.name = "client", .usage = crypto::Usage::client};

}  // namespace

TEST_CASE("a silent peer is asked for a sign of life and then both ends tell for how long it was") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kText));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    auto served = co_await ok(serve_end(kText, co_await ok(incoming.recv())));
    co_await ok(sleep(1ms));
    pair.wire().lose(0, WireSide::dialer);
    pair.wire().lose(0, WireSide::listener);
    co_await ok(sleep(44s));
    CHECK(pair.client_node().stats().sessions[0].pings == 1);
    Result<std::string> ended = co_await peer.rx.recv();
    CHECK(ended.code() == Code::lost);
    CHECK_MESSAGE(ended.error().detail().contains("silent for 45000 ms"), ended.error().text());
    CHECK(n.scheduler().now() == Time(45s));
    Result<std::string> other = co_await served.rx.recv();
    CHECK(other.code() == Code::lost);
    CHECK(n.scheduler().now() == Time(45s));
    CHECK(pair.server.log.warns("deadline_exceeded: the peer was silent for 45000 ms"));
    co_await ok(sleep(2s));
    CHECK(pair.wire().connections().empty());
    CHECK(pair.server_node().stats().sessions.empty());
    co_return {};
  });
}

TEST_CASE("both ends judge by what the listener announced") {
  NodePair pair(1, server_with(1000, 3000), kClientSpec);
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    co_await ok(sleep(1ms));
    pair.wire().lose(0, WireSide::listener);
    Result<std::string> ended = co_await peer.rx.recv();
    CHECK(ended.code() == Code::lost);
    CHECK(n.scheduler().now() == Time(3s));
    co_return {};
  });
}

TEST_CASE("a listener that announces no keepalive is never given up and never asked") {
  NodePair pair(1, server_with(0, 0), kClientSpec);
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    co_await ok(sleep(1ms));
    pair.wire().lose(0, WireSide::listener);
    Result<std::string> none = co_await peer.rx.recv(within(50min));
    CHECK(none.code() == Code::deadline_exceeded);
    CHECK(pair.client_node().stats().sessions[0].pings == 0);
    co_return {};
  });
}

TEST_CASE("an idle session lives on and a talking one is not asked") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    for (int i = 0; i < 30; ++i) {
      co_await ok(peer.tx.send("value"));
      co_await ok(peer.rx.recv());
      co_await ok(sleep(10s));
    }
    CHECK(pair.client_node().stats().sessions[0].pings == 0);
    CHECK(pair.server_node().stats().sessions[0].pings == 0);
    co_await ok(sleep(50min));
    co_await ok(peer.tx.send("value"));
    co_await ok(peer.rx.recv());
    CHECK(pair.client_node().stats().sessions[0].pings > 50);
    CHECK(pair.last_wire == 0);
    co_return {};
  });
}

TEST_CASE("a peer that drips half a record is as silent as one that says nothing") {
  NodePair pair;
  const crypto::Credentials keys = pair.hosts.credentials({.name = "insider"});
  Insider insider(keys, pair.client.trust, pair.sim.entropy(), pair.sim.scheduler());
  pair.nursery([&](Nursery& n) -> Task<> {
    insider.dial(pair.wire(), kServerAddress);
    co_await ok(sleep(1ms));
    insider.say_frames(Insider::settings());
    const std::string drip("\x01", 1);
    for (int i = 0; i < 44; ++i) {
      insider.write(as_bytes(drip));
      co_await ok(sleep(1s));
    }
    CHECK(pair.server_node().peers().size() == 1);
    co_await ok(sleep(2s));
    CHECK(pair.server_node().peers().empty());
    CHECK(pair.server.log.warns("was silent for 45000 ms"));
    CHECK(n.scheduler().now() < Time(47s));
    co_return {};
  });
}

TEST_CASE("a peer that neither reads nor speaks is given up although a write is stuck") {
  NodePair pair;
  pair.wire().set_conditions({.send_buffer_bytes = 10'000});
  pair.nursery([&](Nursery& n) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kText));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    auto served = co_await ok(serve_end(kText, co_await ok(incoming.recv())));
    co_await ok(sleep(1ms));
    pair.wire().hold(0, WireSide::dialer);
    pair.wire().lose(0, WireSide::listener);
    const std::string large(200'000, 'x');
    Result<> sent = co_await peer.tx.send(large);
    while (sent) sent = co_await peer.tx.send(large);
    CHECK(sent.code() == Code::lost);
    CHECK_MESSAGE(sent.error().detail().contains("silent for 45000 ms"), sent.error().text());
    CHECK(n.scheduler().now() == Time(45s));
    co_await ok(sleep(2s));
    CHECK(pair.client_node().stats().sessions.empty());
    co_return {};
  });
}

TEST_CASE("a process that was busy for longer than the policy allows loses no peer for it") {
  channel::UvReactor reactor;
  Scheduler scheduler(reactor, Prng(1));
  crypto::SystemEntropy entropy;
  rpc::TcpTransport tcp(reactor);
  Hosts hosts(scheduler, tcp, entropy);
  Host& server = hosts.add(server_with(20, 40));
  Host& client = hosts.add(kClientSpec);
  const Result<> ran = scheduler.run(nursery([&](Nursery& n) -> Task<> {
    const Address address = co_await ok(server.node->listen({"127.0.0.1", 0}));
    co_await ok(serve(n, *server.node, kText, echo));
    auto peer = co_await ok(open(*client.node, kText, {"server@" + address.text()}));
    for (int i = 0; i < 3; ++i) {
      co_await ok(peer.tx.send("value"));
      co_await ok(peer.rx.recv());
      const Time until = reactor.now() + 50ms;
      while (reactor.now() < until) continue;
    }
    co_await ok(peer.tx.send("still"));
    const std::string text = co_await ok(peer.rx.recv());
    CHECK(text == "still");
    n.cancel();
    co_return {};
  }));
  CHECK_MESSAGE(ran, (ran ? "" : ran.error().text()));
  CHECK(server.log.warnings + client.log.warnings == "");
}

TEST_CASE("a session that closes is given up where its peer does not read the goodbye") {
  NodePair pair;
  pair.wire().set_conditions({.send_buffer_bytes = 10'000});
  pair.nursery([&](Nursery& n) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kText));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    auto served = co_await ok(serve_end(kText, co_await ok(incoming.recv())));
    co_await ok(sleep(1ms));
    pair.wire().hold(0, WireSide::dialer);
    pair.wire().lose(0, WireSide::listener);
    for (int i = 0; i < 2; ++i) co_await ok(peer.tx.send(std::string(15'000, 'x')));
    co_await ok(pair.client_node().close());
    CHECK(n.scheduler().now() <= Time(46s));
    CHECK(n.scheduler().now() >= Time(45s));
    co_return {};
  });
}
