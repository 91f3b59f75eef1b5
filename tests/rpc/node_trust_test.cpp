// Who may go on with a session: expiry and its grace, renewal, and a Trust that has changed.
#include "tests/rpc/node_hosts.h"

using namespace tubing;
using namespace tubing::test;
using namespace std::chrono_literals;

namespace {

const HostSpec kServerSpec{.name = "server"};
const HostSpec kShortLived{.name = "client", .usage = crypto::Usage::client, .seconds_left = 60};
const HostSpec kLongLived{.name = "client", .usage = crypto::Usage::client, .seconds_left = 3000};

Result<> renew(NodePair& pair, Host& host, const HostSpec& spec) {
  const crypto::Certificate newer = pair.hosts.issue(*host.identity, spec);
  const Result<> renewed = host.credentials.renew(*host.identity, newer, newer.claims.not_after);
  if (!renewed) return renewed;
  return host.node->renew(*host.identity, newer);
}

}  // namespace

TEST_CASE("a session ends as unauthenticated a minute after its peer's certificate has expired") {
  NodePair pair(1, kServerSpec, kShortLived);
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    Result<std::string> ended = co_await peer.rx.recv();
    CHECK(n.scheduler().now() == Time(120s));
    CHECK(ended.code() == Code::lost);
    CHECK_MESSAGE(ended.error().detail().contains("expired on"), ended.error().text());
    CHECK(pair.server.log.warns("unauthenticated: the certificate of client expired on"));
    co_return {};
  });
}

TEST_CASE("a certificate that is renewed before or within the grace carries its sessions on") {
  for (const Duration when : {30s, 100s}) {
    NodePair pair(1, kServerSpec, kShortLived);
    pair.nursery([&](Nursery& n) -> Task<> {
      co_await ok(serve(n, pair.server_node(), kText, echo));
      auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
      co_await ok(sleep(when));
      co_await ok(renew(pair, pair.client, kLongLived));
      co_await ok(sleep(1000s));
      co_await ok(peer.tx.send("still"));
      co_await ok(peer.rx.recv());
      CHECK(pair.last_wire == 0);
      CHECK(pair.server.log.has("the certificate of client is renewed until"));
      Result<std::string> ended = co_await peer.rx.recv();
      CHECK(ended.code() == Code::lost);
      CHECK(n.scheduler().now() == Time(when + 3060s));
      co_return {};
    });
  }
}

TEST_CASE("a certificate that is renewed during a handshake is shown once the session is up") {
  NodePair pair(1, kServerSpec, kShortLived);
  pair.wire().set_conditions({.latency_min = 10ms, .latency_max = 10ms});
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    std::optional<TextOpener> peer;
    co_await ok(tubing::nursery([&](Nursery& both) -> Task<> {
      both.spawn("open", [](NodePair& at, std::optional<TextOpener>& out) -> Task<> {
        out = co_await ok(open(at.client_node(), kText, at.to_server));
        co_return {};
      }(pair, peer));
      co_await ok(sleep(50ms));
      const rpc::NodeStats stats = pair.client_node().stats();
      CHECK((stats.sessions.size() == 1 && stats.sessions[0].state == "connecting"));
      co_return renew(pair, pair.client, kLongLived);
    }));
    co_await ok(sleep(1000s));
    co_await ok(peer->tx.send("still"));
    co_await ok(peer->rx.recv());
    CHECK(pair.server.log.has("the certificate of client is renewed until"));
    co_return {};
  });
}

TEST_CASE("a client loses a server whose certificate has expired and keeps one that renews it") {
  for (const bool renews : {false, true}) {
    CAPTURE(renews);
    NodePair pair(1, {.name = "server", .seconds_left = 60}, kLongLived);
    pair.nursery([&](Nursery& n) -> Task<> {
      co_await ok(serve(n, pair.server_node(), kText, echo));
      auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
      co_await ok(sleep(110s));
      if (renews) co_await ok(renew(pair, pair.server, {.name = "server", .seconds_left = 3000}));
      co_await ok(sleep(20s));
      Result<> sent = co_await peer.tx.send("still");
      CHECK(sent.has_value() == renews);
      CHECK(pair.client.log.warns("the certificate of server expired on") != renews);
      co_return {};
    });
  }
}

TEST_CASE("a certificate that lasts no longer changes nothing and harms nobody") {
  NodePair pair(1, kServerSpec, kLongLived);
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    co_await ok(sleep(1s));
    co_await ok(renew(pair, pair.client, kShortLived));
    co_await ok(sleep(1000s));
    co_await ok(peer.tx.send("still"));
    co_await ok(peer.rx.recv());
    CHECK(pair.server.log.warns("a newer certificate of client is not believed"));
    co_return {};
  });
}

TEST_CASE(
    "a peer that is believed no more loses its session at once when the trust is asked again") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    co_await ok(sleep(1s));
    CHECK(pair.server_node().recheck() == 0);
    pair.server.trust = crypto::Trust::ca_only({});
    CHECK(pair.server_node().recheck() == 1);
    Result<std::string> ended = co_await peer.rx.recv();
    CHECK(n.scheduler().now() == Time(1s));
    CHECK(ended.code() == Code::lost);
    CHECK(pair.server.log.warns("session ended: unauthenticated"));
    CHECK(pair.client.log.warns("session ended: unauthenticated"));
    co_return {};
  });
}

TEST_CASE("who cannot serve is refused where it listens and told why") {
  NodePair pair(1, kServerSpec, kShortLived);
  const Result<Address> client = pair.client_node().listen({"client.test", 1});
  CHECK(client.code() == Code::failed_precondition);
  CHECK(client.error().detail().contains("has usage client"));
  Host& expired = pair.hosts.add({.name = "expired", .seconds_left = -60});
  const Result<Address> late = expired.node->listen({"expired.test", 1});
  CHECK(late.code() == Code::failed_precondition);
  CHECK(late.error().detail().contains("expired on"));
}
