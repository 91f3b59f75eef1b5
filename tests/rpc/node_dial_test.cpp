// Dialling: backoff, deadlines, several addresses, learned ones, and what each error says.
#include "tests/rpc/node_hosts.h"
#include "tubing/rpc/detail/backoff.h"

using namespace tubing;
using namespace tubing::test;
using namespace std::chrono_literals;

namespace {

const PeerName kNobody{"server@nobody.test:7000"};

Task<> open_fails(NodePair& pair, PeerName peer, Deadline deadline = {}) {
  auto opened = co_await open(pair.client_node(), kText, std::move(peer), deadline);
  if (opened) co_return {};
  co_return opened.error();
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("the backoff doubles to its limit, is drawn, and is forgotten by success and by time") {
  const rpc::NodeLimits limits;
  Prng prng(1);
  rpc::Backoff backoff(limits, prng);
  Time now{};
  Duration most = limits.backoff_min;
  CHECK(backoff.not_before("peer", now) == now);
  bool varies = false;
  for (int i = 0; i < 12; ++i) {
    backoff.on_failure("peer", now);
    const Duration wait = backoff.not_before("peer", now) - now;
    CHECK(wait >= most / 2);
    CHECK(wait <= most);
    varies |= wait != most && wait != most / 2;
    now = backoff.not_before("peer", now);
    most = std::min(2 * most, limits.backoff_max);
  }
  CHECK(varies);
  CHECK(most == 5s);
  backoff.on_success("peer");
  CHECK(backoff.not_before("peer", now) == now);
  backoff.on_failure("peer", now);
  now += 1h;
  backoff.on_failure("other", now);
  backoff.on_failure("peer", now);
  CHECK(backoff.not_before("peer", now) - now <= limits.backoff_min);
}

TEST_CASE("the backoff remembers no more peers than the limit of dials") {
  const rpc::NodeLimits limits{.dials_max = 3};
  Prng prng(1);
  rpc::Backoff backoff(limits, prng);
  const Time now{};
  for (int i = 0; i < 10; ++i) backoff.on_failure(std::to_string(i), now);
  int remembered = 0;
  for (int i = 0; i < 10; ++i) remembered += backoff.not_before(std::to_string(i), now) > now;
  CHECK(remembered == 3);
}

TEST_CASE("without a deadline an open tries once and not before the backoff allows") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    const Result<> first = co_await open_fails(pair, kNobody);
    CHECK(first.code() == Code::unavailable);
    CHECK(n.scheduler().now() == Time(0s));
    const Result<> second = co_await open_fails(pair, kNobody);
    CHECK(second.code() == Code::unavailable);
    CHECK(n.scheduler().now() >= Time(50ms));
    CHECK(n.scheduler().now() <= Time(100ms));
    for (int i = 0; i < 20; ++i) (void)co_await open_fails(pair, kNobody);
    const Time before = n.scheduler().now();
    (void)co_await open_fails(pair, kNobody);
    CHECK(n.scheduler().now() - before >= 2500ms);
    CHECK(n.scheduler().now() - before <= 5s);
    co_return {};
  });
}

TEST_CASE("with a deadline an open dials on until the server is there") {
  NodePair pair;
  Host& late = pair.hosts.add({.name = "late"});
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, *late.node, kText, echo));
    n.spawn("starter", [&]() -> Task<> {
      co_await ok(sleep(3s));
      auto listening = late.node->listen({"late.test", 1});
      CHECK(listening);
      co_return {};
    });
    auto peer =
        co_await ok(open(pair.client_node(), kText, PeerName{"late@late.test:1"}, within(1min)));
    co_await ok(peer.tx.send("there"));
    co_await ok(peer.rx.recv());
    CHECK(n.scheduler().now() >= Time(3s));
    CHECK(n.scheduler().now() <= Time(8s));
    co_return {};
  });
}

TEST_CASE("an open that ends at its deadline tells why the last try failed") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    const Result<> late = co_await open_fails(pair, kNobody, within(10s));
    CHECK(late.code() == Code::deadline_exceeded);
    CHECK_MESSAGE(late.error().detail().contains("nobody.test:7000 refuses connections"),
                  late.error().text());
    CHECK(n.scheduler().now() == Time(10s));
    co_return {};
  });
}

TEST_CASE("an error that no retry mends ends an open at once") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    const Result<> refused =
        co_await open_fails(pair, PeerName{"bank@" + kServerAddress.text()}, within(1min));
    CHECK(refused.code() == Code::unauthenticated);
    CHECK(n.scheduler().now() == Time(0s));
    CHECK(count_of(refused.error().text(), "bank was expected") == 1);
    co_return {};
  });
}

TEST_CASE("a session that was lost is dialled anew and success forgets the backoff") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    pair.wire().set_dial_answer(kServerAddress, sim::DialAnswer::refused);
    for (int i = 0; i < 5; ++i) {
      const Result<> refused = co_await open_fails(pair, pair.to_server);
      CHECK_FALSE(refused);
    }
    pair.wire().set_dial_answer(kServerAddress, sim::DialAnswer::accepted);
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    pair.wire().cut(0);
    co_await ok(sleep(1ms));
    const Time before = n.scheduler().now();
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    CHECK(n.scheduler().now() == before);
    co_return {};
  });
}

TEST_CASE("addresses are tried in turn and the error lists each with its reason once") {
  NodePair pair;
  pair.wire().set_dial_answer({"mute.test", 2}, sim::DialAnswer::unanswered);
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    const PeerName some{"server@nobody.test:1,mute.test:2," + kServerAddress.text()};
    co_await ok(talk_once(pair.client_node(), some));
    CHECK(n.scheduler().now() == Time(10s));
    const Result<> none =
        co_await open_fails(pair, PeerName{"bank@nobody.test:1," + kServerAddress.text()});
    CHECK(none.code() == Code::unavailable);
    const std::string text = none.error().text();
    CHECK_MESSAGE(text.contains("none of the 2 addresses of bank"), text);
    CHECK_MESSAGE(count_of(text, "nobody.test:1") == 1, text);
    CHECK_MESSAGE(count_of(text, kServerAddress.text() + ": ") == 1, text);
    CHECK_MESSAGE(count_of(text, "bank was expected") == 1, text);
    co_return {};
  });
}

TEST_CASE("a failed dial is told to its opener and not to the log as well") {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    const Result<> nobody = co_await open_fails(pair, kNobody);
    CHECK_FALSE(nobody);
    const Result<> other = co_await open_fails(pair, PeerName{"bank@" + kServerAddress.text()});
    CHECK_FALSE(other);
    CHECK(pair.client.log.warnings == "");
    co_return {};
  });
}

TEST_CASE("a peer whose addresses were learned is dialled by its name alone") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    Node& client = pair.client_node();
    const Result<> before = co_await open_fails(pair, PeerName{"server"});
    CHECK(before.code() == Code::unavailable);
    co_await ok(client.learn(PeerName{"server"}, {"nobody.test:1", kServerAddress.text()}));
    co_await ok(talk_once(client, PeerName{"server"}));
    const std::string key = client.peers()[0].key;
    co_await ok(client.close());
    co_await ok(client.learn(PeerName{key}, {kServerAddress.text()}));
    co_await ok(talk_once(client, PeerName{key}));
    co_await ok(client.close());
    co_await ok(client.learn(PeerName{"server"}, {}));
    const Result<> after = co_await open_fails(pair, PeerName{"server"});
    CHECK(after.code() == Code::unavailable);
    co_return {};
  });
}

TEST_CASE("what cannot be learned is refused with the reason") {
  NodePair pair(1, {.name = "server"}, {.name = "client", .limits = {.learned_max = 1}});
  Node& client = pair.client_node();
  CHECK(client.learn(PeerName{"Bad Name"}, {"a.test:1"}).code() == Code::invalid_argument);
  CHECK(client.learn(PeerName{"bob@a.test:1"}, {"a.test:1"}).code() == Code::invalid_argument);
  const Result<> port = client.learn(PeerName{"bob"}, {"a.test"});
  CHECK(port.code() == Code::invalid_argument);
  CHECK(port.error().detail().contains("names no port"));
  CHECK(client.learn(PeerName{"bob"}, std::vector<std::string>(17, "a.test:1")).code() ==
        Code::invalid_argument);
  CHECK(client.learn(PeerName{"bob"}, {"a.test:1"}));
  CHECK(client.learn(PeerName{"bob"}, {"b.test:1"}));
  CHECK(client.learn(PeerName{"eve"}, {"a.test:1"}).code() == Code::resource_exhausted);
}

TEST_CASE("dials beyond their limit are refused at once") {
  NodePair pair(1, {.name = "server"}, {.name = "client", .limits = {.dials_max = 2}});
  for (const char* host : {"a.test", "b.test"})
    pair.wire().set_dial_answer({host, 1}, sim::DialAnswer::unanswered);
  pair.nursery([&](Nursery& n) -> Task<> {
    n.spawn("a", [&]() -> Task<> {
      (void)co_await open_fails(pair, PeerName{"a@a.test:1"});
      co_return {};
    });
    n.spawn("b", [&]() -> Task<> {
      (void)co_await open_fails(pair, PeerName{"b@b.test:1"});
      co_return {};
    });
    co_await ok(sleep(1ms));
    const Result<> third = co_await open_fails(pair, kNobody);
    CHECK(third.code() == Code::resource_exhausted);
    CHECK(n.scheduler().now() == Time(1ms));
    co_return {};
  });
}

TEST_CASE(
    "an open that waits for its turn to dial takes the session that its peer dials meanwhile") {
  NodePair pair;
  auto other = pair.client_node().listen({"other.test", 1});
  CHECK(other.code() == Code::failed_precondition);  // A client's certificate.
  Host& equal = pair.hosts.add({.name = "equal"});
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    co_await ok(serve(n, *equal.node, kText, echo));
    const PeerName unreachable{"equal@nobody.test:1"};
    for (int i = 0; i < 12; ++i) (void)co_await open(pair.server_node(), kText, unreachable);
    n.spawn("peer", [&]() -> Task<> {
      co_await ok(sleep(1ms));
      co_return co_await talk_once(*equal.node, pair.to_server);
    });
    const Time before = n.scheduler().now();
    co_await ok(talk_once(pair.server_node(), unreachable));
    CHECK(n.scheduler().now() - before == 1ms);
    co_return {};
  });
}
