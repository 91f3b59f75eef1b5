// Which of several sessions with a peer takes new channels, and how one that takes none ends.
#include "tests/rpc/node_hosts.h"

using namespace tubing;
using namespace tubing::test;
using namespace std::chrono_literals;

namespace {

const Address kOtherAddress{"other.test", 7000};

/// Two nodes that both listen, and echo.
struct Equals : NodePair {
  explicit Equals(std::uint64_t seed = 1) : NodePair(seed, {.name = "server"}, {.name = "other"}) {
    auto listening = client_node().listen(kOtherAddress);
    REQUIRE(listening);
  }
  Task<> serve_both(Nursery& n) {
    co_await ok(serve(n, server_node(), kText, echo));
    co_await ok(serve(n, client_node(), kText, echo));
    co_return {};
  }
  /// Whether the server's key is the lower one.
  bool server_is_lower() const {
    return server.credentials.certificate().claims.subject <
           client.credentials.certificate().claims.subject;
  }
  const PeerName to_other{"other@" + kOtherAddress.text()};
};

/// Opens `count` channels one after the other, and gets every value back.
Task<> talk_often(Node& from, PeerName to, int count) {
  for (int i = 0; i < count; ++i) {
    co_await ok(talk_once(from, to));
    co_await ok(sleep(100us));
  }
  co_return {};
}

std::vector<std::string> states(Node& node) {
  std::vector<std::string> out;
  for (const rpc::SessionStats& session : node.stats().sessions) out.push_back(session.state);
  return out;
}

}  // namespace

TEST_CASE("of two sessions dialled at the same time the lower key's stays and nothing is lost") {
  int twins = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    Equals pair(seed);
    pair.wire().set_conditions({.latency_min = 50us, .latency_max = 2ms});
    pair.nursery([&](Nursery& n) -> Task<> {
      co_await ok(pair.serve_both(n));
      co_await ok(nursery([&](Nursery& talks) -> Task<> {
        for (int i = 0; i < 3; ++i) {
          talks.spawn("there", talk_often(pair.client_node(), pair.to_server, 5));
          talks.spawn("back", talk_often(pair.server_node(), pair.to_other, 5));
        }
        co_return {};
      }));
      co_await ok(sleep(1s));
      const auto of_server = pair.server_node().stats().sessions;
      const auto of_other = pair.client_node().stats().sessions;
      CHECK(states(pair.server_node()) == std::vector<std::string>{"up"});
      CHECK(states(pair.client_node()) == std::vector<std::string>{"up"});
      CHECK(of_server[0].dialled != of_other[0].dialled);
      if (pair.last_wire == 1) {
        ++twins;
        CHECK(of_server[0].dialled == pair.server_is_lower());
      }
      CHECK(pair.server.log.warnings + pair.client.log.warnings == "");
      co_return {};
    });
  }
  CHECK(twins > 20);
}

TEST_CASE("a twin ends only once its last channel has ended") {
  Equals pair;
  pair.wire().set_conditions({.latency_min = 1ms, .latency_max = 1ms});
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(pair.serve_both(n));
    std::optional<TextOpener> there;
    std::optional<TextOpener> back;
    co_await ok(nursery([&](Nursery& both) -> Task<> {
      both.spawn("there", [&]() -> Task<> {
        there = co_await ok(open(pair.client_node(), kText, pair.to_server));
        co_return {};
      });
      both.spawn("back", [&]() -> Task<> {
        back = co_await ok(open(pair.server_node(), kText, pair.to_other));
        co_return {};
      });
      co_return {};
    }));
    REQUIRE(pair.last_wire == 1);
    co_await ok(sleep(50min));
    CHECK(pair.wire().connections().size() == 2);
    for (std::optional<TextOpener>* end : {&there, &back}) {
      co_await ok((*end)->tx.send("still"));
      const std::string text = co_await ok((*end)->rx.recv());
      CHECK(text == "still");
    }
    there->tx.close();
    back->tx.close();
    there.reset();
    back.reset();
    co_await ok(sleep(2s));
    CHECK(pair.wire().connections().size() == 1);
    co_return {};
  });
}

TEST_CASE("sessions that one side dialled on purpose all stay and the newest takes new channels") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    for (int i = 0; i < 3; ++i) co_await ok(pair.client_node().connect(pair.to_server));
    co_await ok(sleep(50min));
    CHECK(states(pair.client_node()) == std::vector<std::string>{"up", "up", "up"});
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    CHECK(pair.client_node().stats().sessions[2].records_out >
          pair.client_node().stats().sessions[1].records_out);
    CHECK(pair.last_wire == 2);
    co_return {};
  });
}

TEST_CASE("clients that share a key each keep a session and their name means the newest") {
  NodePair pair;
  rpc::Node second({pair.sim.scheduler(), pair.wire(), pair.sim.entropy(), pair.client.credentials,
                    pair.client.trust});
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    int served = 0;
    co_await ok(serve(n, second, kText, [&served](TextOpener& peer) -> Task<> {
      ++served;
      co_return co_await echo(peer);
    }));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    co_await ok(talk_once(second, pair.to_server));
    CHECK(states(pair.server_node()) == std::vector<std::string>{"up", "up"});
    co_await ok(talk_once(pair.server_node(), PeerName{"client"}));
    CHECK(served == 1);
    co_return {};
  });
}

TEST_CASE("an old session keeps its channels, takes no new ones, and ends with the last") {
  for (const bool server_is_strict : {true, false}) {
    CAPTURE(server_is_strict);
    HostSpec server{.name = "server"};
    HostSpec client{.name = "client", .usage = crypto::Usage::client};
    (server_is_strict ? server : client).limits.session_age_max = 10min;
    NodePair pair(1, server, client);
    pair.nursery([&](Nursery& n) -> Task<> {
      co_await ok(serve(n, pair.server_node(), kText, echo));
      std::optional peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
      co_await ok(sleep(9min + 59s));
      co_await ok(talk_once(pair.client_node(), pair.to_server));
      CHECK(pair.last_wire == 0);
      co_await ok(sleep(2s));
      CHECK(states(pair.client_node()) == std::vector<std::string>{"draining"});
      CHECK(states(pair.server_node()) == std::vector<std::string>{"draining"});
      co_await ok(talk_once(pair.client_node(), pair.to_server));
      CHECK(pair.last_wire == 1);
      co_await ok(peer->tx.send("still"));
      const std::string text = co_await ok(peer->rx.recv());
      CHECK(text == "still");
      CHECK(pair.wire().connections().size() == 2);
      peer->tx.close();
      Result<std::string> last = co_await peer->rx.recv();
      CHECK(last.code() == Code::closed);
      peer.reset();
      co_await ok(sleep(1ms));
      CHECK(pair.wire().connections() == std::vector<sim::WireId>{1});
      CHECK(pair.server.log.warnings + pair.client.log.warnings == "");
      co_return {};
    });
  }
}

TEST_CASE("a channel that outlives its session's age for too long is lost with the reason") {
  HostSpec server{.name = "server"};
  server.limits.session_age_max = 10min;
  server.limits.drain_time_max = 5min;
  NodePair pair(1, server);
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    Result<std::string> ended = co_await peer.rx.recv();
    CHECK(n.scheduler().now() == Time(15min));
    CHECK(ended.code() == Code::lost);
    CHECK_MESSAGE(ended.error().detail().contains("the session is too old"), ended.error().text());
    co_return {};
  });
}
