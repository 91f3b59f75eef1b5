// Refused with a clear error on both sides, and the process unharmed: what strangers, impostors and
// broken peers do, what each side is told, and that a good session works afterwards.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

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

constexpr crypto::Usage kClient = crypto::Usage::client;
constexpr crypto::Usage kServer = crypto::Usage::server;
const Address kFalseAddress{"false.test", 7000};

const std::string kTlsHello("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11);
const std::string kRecordBegin("\x01\x00half", 6);
const std::string kRandom("\x9d\x03\xee\x51\x00\x7a\x12\xc4\x88\xfe\x31\x40", 12);

// A friend of the server: what worked before works still.
Task<> check_unharmed(NodePair& pair) {
  Host& afterwards = pair.hosts.add({.name = "friend", .usage = kClient});
  co_await ok(talk_once(*afterwards.node, pair.to_server));
  co_return co_await afterwards.node->close();
}

// Yields why opening under that name was refused.
Task<> open_refused(NodePair& pair, std::string who) {
  co_await ok(open(pair.client_node(), kText, PeerName{std::move(who)}));
  co_return {};
}

struct BadPeer {
  HostSpec server;
  HostSpec client;
  const char* dialled;
  Code code;
  const char* client_text;
  const char* server_text;
};

void check_bad_peer(const BadPeer& row) {
  CAPTURE(row.client_text);
  NodePair pair(1, row.server, row.client);
  Host& good = pair.hosts.add({.name = "good"});
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, *good.node, kText, echo));
    const Address beside = co_await ok(good.node->listen({"good.test", 7000}));
    const std::string who = std::string(row.dialled) + "@" + kServerAddress.text();
    const Result<> refused = co_await open_refused(pair, who);
    REQUIRE_FALSE(refused);
    const Error& error = refused.error();
    CHECK_MESSAGE(error.code() == row.code, error.text());
    CHECK_MESSAGE(error.detail().contains(row.client_text), error.text());
    co_await ok(sleep(1ms));
    CHECK_MESSAGE(pair.server.log.warns(row.server_text), pair.server.log.lines);
    CHECK_MESSAGE(pair.server.log.warns(code_name(row.code)), pair.server.log.lines);
    CHECK(pair.client.log.has(row.client_text));
    CHECK(pair.client.log.warnings == "");  // Who opened was told.
    CHECK(pair.wire().connections().empty());
    // Both processes go on: the server reaches a third one, and is reached where it may serve.
    Host& visitor = pair.hosts.add({.name = "visitor", .usage = kClient});
    co_await ok(talk_once(*visitor.node, PeerName{"good@" + beside.text()}));
    if (row.server.seconds_left > 0 && !row.server.foreign && row.server.usage != kClient) {
      co_await ok(serve(n, pair.server_node(), kText, echo));
      co_await ok(talk_once(*visitor.node, pair.to_server));
    }
    co_return {};
  });
}

// An open channel of two nodes, whose wire a test then damages.
struct Damaged {
  std::function<Task<>(NodePair&, TextOpener&)> act;
  sim::WireTap tap;
  Code code;
  const char* text;
};

// The server is told `text`; the client that it was refused, with the server's reason.
void check_damage(const char* name, const Damaged& row) {
  CAPTURE(name);
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    co_await ok(peer.tx.send("before"));
    co_await ok(peer.rx.recv());
    pair.wire().set_tap(row.tap);
    co_await ok(row.act(pair, peer));
    Result<std::string> ended = co_await peer.rx.recv();
    CHECK(ended.code() == Code::lost);
    CHECK_MESSAGE(ended.error().detail().contains(row.text), ended.error().text());
    co_await ok(sleep(1ms));
    CHECK_MESSAGE(pair.server.log.warns(row.text), pair.server.log.lines);
    CHECK_MESSAGE(pair.server.log.warns(code_name(row.code)), pair.server.log.lines);
    CHECK_MESSAGE(pair.client.log.warns("refused by the peer"), pair.client.log.lines);
    CHECK_MESSAGE(pair.client.log.warns(row.text), pair.client.log.lines);
    pair.wire().set_tap({});
    co_await ok(check_unharmed(pair));
    co_return {};
  });
}

Task<> send_two(NodePair&, TextOpener& peer) {
  co_await ok(peer.tx.send("one"));
  co_await ok(sleep(1ms));
  (void)co_await peer.tx.send("two");
  co_return {};
}

// What an insider says once it is up, and what the server makes of it.
struct BadWords {
  const char* name;
  std::function<void(Insider&)> say;
  Code code;
  const char* text;
};

void check_bad_words(const BadWords& row) {
  CAPTURE(row.name);
  NodePair pair;
  const crypto::Credentials keys = pair.hosts.credentials({.name = "insider"});
  Insider insider(keys, pair.client.trust, pair.sim.entropy(), pair.sim.scheduler());
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    insider.dial(pair.wire(), kServerAddress);
    co_await ok(sleep(1ms));
    REQUIRE(insider.up());
    row.say(insider);
    co_await ok(sleep(2s));
    CHECK_MESSAGE(pair.server.log.warns(row.text), pair.server.log.lines);
    CHECK_MESSAGE(pair.server.log.warns(code_name(row.code)), pair.server.log.lines);
    CHECK_MESSAGE(insider.received.contains(row.text), insider.received);
    CHECK(insider.end);
    CHECK(pair.server_node().peers().empty());
    co_await ok(check_unharmed(pair));
    co_return {};
  });
}

}  // namespace

TEST_CASE("a peer with bad papers is refused and both sides are told why") {
  const HostSpec server{.name = "server"};
  const HostSpec client{.name = "client", .usage = kClient};
  check_bad_peer({server,
                  {.name = "client", .usage = kClient, .seconds_left = -60},
                  "server",
                  Code::unauthenticated,
                  "certificate of client",
                  "expired on"});
  check_bad_peer({{.name = "server", .seconds_left = -60},
                  client,
                  "server",
                  Code::unauthenticated,
                  "expired on",
                  "certificate of server"});
  check_bad_peer({server,
                  {.name = "client", .usage = kClient, .foreign = true},
                  "server",
                  Code::unauthenticated,
                  "foreign authority",
                  "foreign authority"});
  check_bad_peer({{.name = "server", .foreign = true},
                  client,
                  "server",
                  Code::unauthenticated,
                  "foreign authority",
                  "foreign authority"});
  check_bad_peer({{.name = "server", .usage = kClient},
                  client,
                  "server",
                  Code::permission_denied,
                  "usage client and acts as a server",
                  "usage client and acts as a server"});
  check_bad_peer({server,
                  {.name = "client", .usage = kServer},
                  "server",
                  Code::permission_denied,
                  "usage server and acts as a client",
                  "usage server and acts as a client"});
  check_bad_peer({server, client, "bank", Code::unauthenticated, "bank was expected and server",
                  "bank was expected and server"});
}

TEST_CASE("the bytes of a stranger to a listener are refused by what they are") {
  for (const std::string& words :
       {std::string("GET / HTTP/1.1\r\nHost: server.test\r\n\r\n"), kTlsHello, kRandom}) {
    CAPTURE(words.size());
    NodePair pair;
    RawPeer stranger;
    stranger.first_words = words;
    pair.nursery([&](Nursery& n) -> Task<> {
      co_await ok(serve(n, pair.server_node(), kText, echo));
      stranger.dial(pair.wire(), kServerAddress);
      co_await ok(sleep(1ms));
      CHECK(stranger.end);
      CHECK(stranger.received.empty());
      CHECK(pair.server.log.warns("failed_precondition: the peer does not speak Tubing"));
      if (words.starts_with("GET")) CHECK(pair.server.log.warns("\"GET / HT\""));
      stranger.hang_up();
      co_await ok(check_unharmed(pair));
      co_return {};
    });
  }
}

TEST_CASE("the bytes of a stranger to a dialler are refused by what they are") {
  for (const std::string& words :
       {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), kTlsHello, kRandom}) {
    CAPTURE(words.size());
    NodePair pair;
    RawPeer stranger;
    stranger.first_words = words;
    stranger.listen(pair.wire(), kFalseAddress);
    pair.nursery([&](Nursery& n) -> Task<> {
      co_await ok(serve(n, pair.server_node(), kText, echo));
      const Result<> refused = co_await open_refused(pair, "server@" + kFalseAddress.text());
      REQUIRE_FALSE(refused);
      const Error& error = refused.error();
      CHECK(error.code() == Code::failed_precondition);
      CHECK(error.detail().contains("does not speak Tubing"));
      CHECK(pair.client.log.has("does not speak Tubing"));
      co_await ok(sleep(1ms));
      CHECK(stranger.end);
      co_await ok(talk_once(pair.client_node(), pair.to_server));
      co_return {};
    });
  }
}

TEST_CASE("a listener gives a silent dialler five seconds") {
  NodePair pair;
  RawPeer silent;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    silent.dial(pair.wire(), kServerAddress);
    co_await ok(sleep(4'999ms));
    CHECK_FALSE(silent.end);
    CHECK(pair.server.log.warnings == "");
    co_await ok(sleep(2ms));
    CHECK(silent.end);
    CHECK(pair.server.log.warns("deadline_exceeded: the peer did not finish it within 5000 ms"));
    co_await ok(check_unharmed(pair));
    co_return {};
  });
}

TEST_CASE("a dialler gives a silent listener five seconds at every step") {
  for (const int answers : {0, 1}) {
    CAPTURE(answers);
    NodePair pair;
    int heard = 0;
    pair.wire().set_tap([&](sim::WireId id, WireSide from, Bytes& chunk) {
      if (id == 0 && from == WireSide::listener && heard++ >= answers) chunk.clear();
    });
    pair.nursery([&](Nursery& n) -> Task<> {
      co_await ok(serve(n, pair.server_node(), kText, echo));
      const Result<> refused = co_await open_refused(pair, pair.to_server.text);
      REQUIRE_FALSE(refused);
      const Error& error = refused.error();
      CHECK(n.scheduler().now() == Time(5s));
      CHECK(error.code() == Code::deadline_exceeded);
      CHECK(error.detail().contains("5000 ms"));
      CHECK(pair.client.log.has("deadline_exceeded"));
      co_await ok(sleep(2s));
      CHECK_FALSE(pair.server.log.warnings == "");
      CHECK(pair.wire().connections().empty());
      co_await ok(talk_once(pair.client_node(), pair.to_server));
      co_return {};
    });
  }
}

TEST_CASE("an insider that never says its settings is dropped after five seconds") {
  NodePair pair;
  const crypto::Credentials keys = pair.hosts.credentials({.name = "insider"});
  Insider insider(keys, pair.client.trust, pair.sim.entropy(), pair.sim.scheduler());
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    insider.dial(pair.wire(), kServerAddress);
    co_await ok(sleep(4'999ms));
    CHECK((insider.up() && !insider.end));
    co_await ok(sleep(2ms));
    CHECK(insider.end);
    CHECK(pair.server.log.warns("deadline_exceeded"));
    CHECK(insider.received.contains("within 5000 ms"));
    co_await ok(check_unharmed(pair));
    co_return {};
  });
}

TEST_CASE("strangers beyond the limit are dropped and the limit is free again once they are gone") {
  NodePair pair(1, {.name = "server", .limits = {.half_open_max = 2}});
  std::vector<RawPeer> silent(3);
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    for (RawPeer& stranger : silent) stranger.dial(pair.wire(), kServerAddress);
    co_await ok(sleep(1ms));
    CHECK((!silent[0].end && !silent[1].end && silent[2].end));
    CHECK(pair.server.log.warns("as many connections as the limits allow"));
    co_await ok(sleep(5s));
    co_await ok(check_unharmed(pair));
    // Who has proven itself counts no more, although its session goes on.
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    CHECK(pair.server_node().stats().half_open == 0);
    CHECK(pair.server_node().peers().size() == 1);
    co_return {};
  });
}

TEST_CASE("a record that was tampered with or replayed or reordered or cut ends its session") {
  const char* const kChanged = "the tag does not match";
  int seen = 0;
  const auto first_of_dialer = [&seen](WireSide from) {
    return from == WireSide::dialer && seen++ == 0;
  };
  check_damage("tampered", {send_two,
                            [&](sim::WireId, WireSide from, Bytes& chunk) {
                              if (first_of_dialer(from)) chunk[5] ^= std::byte{1};
                            },
                            Code::unauthenticated, kChanged});
  seen = 0;
  check_damage("replayed", {send_two,
                            [&](sim::WireId, WireSide from, Bytes& chunk) {
                              if (!first_of_dialer(from)) return;
                              const Bytes again = chunk;
                              chunk.insert(chunk.end(), again.begin(), again.end());
                            },
                            Code::unauthenticated, kChanged});
  seen = 0;
  Bytes kept;
  check_damage("reordered", {send_two,
                             [&](sim::WireId, WireSide from, Bytes& chunk) {
                               if (first_of_dialer(from)) return kept.swap(chunk);
                               if (from == WireSide::dialer)
                                 chunk.insert(chunk.end(), kept.begin(), kept.end());
                               kept.clear();
                             },
                             Code::unauthenticated, kChanged});
  seen = 0;
  check_damage("cut", {send_two,
                       [&](sim::WireId, WireSide from, Bytes& chunk) {
                         if (first_of_dialer(from)) chunk.pop_back();
                       },
                       Code::unauthenticated, kChanged});
}

TEST_CASE("a stream that ends inside of a record or without a goodbye is told as cut short") {
  for (const bool inside : {true, false}) {
    CAPTURE(inside);
    NodePair pair;
    const crypto::Credentials keys = pair.hosts.credentials({.name = "insider"});
    Insider insider(keys, pair.client.trust, pair.sim.entropy(), pair.sim.scheduler());
    pair.nursery([&](Nursery& n) -> Task<> {
      co_await ok(serve(n, pair.server_node(), kText, echo));
      insider.dial(pair.wire(), kServerAddress);
      co_await ok(sleep(1ms));
      insider.say_frames(Insider::settings());
      co_await ok(sleep(1ms));
      CHECK(pair.server_node().peers().size() == 1);
      if (inside) insider.write(as_bytes(kRecordBegin));
      insider.hang_up();
      co_await ok(sleep(1ms));
      CHECK(pair.server.log.warns("lost: the peer's stream ended without a goodbye: cut short"));
      co_await ok(check_unharmed(pair));
      co_return {};
    });
  }
}

TEST_CASE("an insider that breaks the protocol is refused by name") {
  using namespace rpc;
  const auto after_settings = [](auto... frames) {
    return [=](Insider& insider) { insider.say_frames(Insider::settings(), frames...); };
  };
  const OpenFrame open_text{.id = ChannelId{1},
                            .items = 8,
                            .bytes = 8192,
                            .service = "text.v1",
                            .out_type = "string",
                            .in_type = "string"};
  SettingsFrame other_version = Insider::settings();
  other_version.version = 99;
  const BadWords rows[] = {
      {"another version", [&](Insider& i) { i.say_frames(other_version); },
       Code::failed_precondition, "speaks version 99 of the wire"},
      {"no settings", [&](Insider& i) { i.say_frames(PingFrame{1}); }, Code::invalid_argument,
       "ping came before settings"},
      {"an unknown frame", [](Insider& i) { i.say(as_bytes("\x63")); }, Code::invalid_argument,
       "came before settings"},
      {"a cut frame",
       [](Insider& i) {
         i.say_frames(Insider::settings());
         i.say(as_bytes("\x06\x01"));
       },
       Code::invalid_argument, "is cut short"},
      {"an oversized message",
       after_settings(open_text,
                      DataBeginFrame{ChannelId{1}, std::uint64_t{1} << 40, as_bytes("x")}),
       Code::invalid_argument, "exceeds the limit of 16777216"},
      {"more than its credit",
       [&](Insider& i) {
         i.say_frames(Insider::settings(), open_text);
         for (std::uint32_t n = 0; n <= 10 * kEarlyItems; ++n)
           i.say_frames(DataFrame{ChannelId{1}, as_bytes("\xa1x")},
                        DataFrame{ChannelId{1}, as_bytes("\xa1x")});
       },
       Code::invalid_argument, "exceeds the credit"},
      {"a channel that nobody opened", after_settings(DataFrame{ChannelId{7}, as_bytes("x")}),
       Code::invalid_argument, "on channel 7, which was never opened"},
      {"a record too short for its tag",
       [](Insider& i) {
         i.say_frames(Insider::settings());
         const std::string record("\x00\x03oops", 5);
         i.write(as_bytes(record));
       },
       Code::data_loss, "3 bytes"},
  };
  for (const BadWords& row : rows) check_bad_words(row);
}

TEST_CASE("a value of another shape under the right name resets its channel alone") {
  NodePair pair;
  const crypto::Credentials keys = pair.hosts.credentials({.name = "insider"});
  Insider insider(keys, pair.client.trust, pair.sim.entropy(), pair.sim.scheduler());
  pair.nursery([&](Nursery& n) -> Task<> {
    Channel<std::string> told{1};
    co_await ok(serve(n, pair.server_node(), kText, [told](TextOpener& peer) -> Task<> {
      while (auto text = co_await peer.rx.recv()) continue;
      if (Result<> ended = peer.rx.end(); !ended) co_await ok(told.send(ended.error().text()));
      co_return {};
    }));
    insider.dial(pair.wire(), kServerAddress);
    co_await ok(sleep(1ms));
    const std::string type(type_name_of<std::string>());
    const rpc::OpenFrame open_text{.id = rpc::ChannelId{1},
                                   .items = 8,
                                   .bytes = 8192,
                                   .service = "text.v1",
                                   .out_type = type,
                                   .in_type = type};
    insider.say_frames(Insider::settings(), open_text,
                       rpc::DataFrame{rpc::ChannelId{1}, as_bytes("\x07")});
    const std::string error = co_await ok(told.recv());
    CHECK_MESSAGE(error.contains("invalid_argument"), error);
    CHECK_MESSAGE(error.contains("expected"), error);
    co_await ok(sleep(1ms));
    CHECK_MESSAGE(insider.received.contains("expected"), insider.received);
    CHECK_FALSE(insider.end);
    CHECK(pair.server_node().peers().size() == 1);
    CHECK(pair.server.log.warnings == "");
    co_return {};
  });
}

TEST_CASE("an address in use is refused by its name and the first listener goes on") {
  channel::UvReactor reactor;
  Scheduler scheduler(reactor, Prng(1));
  crypto::SystemEntropy entropy;
  rpc::TcpTransport tcp(reactor);
  Hosts hosts(scheduler, tcp, entropy);
  Host& first = hosts.add({.name = "server"});
  Host& second = hosts.add({.name = "second"});
  const Result<> ran = scheduler.run(nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, *first.node, kText, echo));
    const Address address = co_await ok(first.node->listen({"127.0.0.1", 0}));
    auto again = second.node->listen(address);
    CHECK(again.code() == Code::already_exists);
    CHECK(again.error().detail().contains(address.text() + " is in use"));
    co_await ok(talk_once(*second.node, PeerName{"server@" + address.text()}));
    n.cancel();
    co_return {};
  }));
  CHECK_MESSAGE(ran, (ran ? "" : ran.error().text()));
}

namespace {

// The life of a process that dies in the middle: it sends without end.
[[noreturn]] void run_doomed_client(const Host& keys, const Address& address) {
  channel::UvReactor reactor;
  Scheduler scheduler(reactor, Prng(2));
  crypto::SystemEntropy entropy;
  rpc::TcpTransport tcp(reactor);
  rpc::Node node({scheduler, tcp, entropy, keys.credentials, keys.trust});
  (void)scheduler.run(nursery([&](Nursery&) -> Task<> {
    auto peer = co_await ok(open(node, kText, PeerName{"server@" + address.text()}));
    for (;;) co_await ok(peer.tx.send("another value"));
  }));
  _exit(1);
}

}  // namespace

TEST_CASE("a peer that is killed in the middle is lost and the server goes on") {
  channel::UvReactor reactor;
  Scheduler scheduler(reactor, Prng(1));
  crypto::SystemEntropy entropy;
  rpc::TcpTransport tcp(reactor);
  Hosts hosts(scheduler, tcp, entropy);
  Host& server = hosts.add({.name = "server"});
  Host& doomed = hosts.add({.name = "doomed", .usage = kClient});
  Host& other = hosts.add({.name = "other", .usage = kClient});
  auto address = server.node->listen({"127.0.0.1", 0});
  REQUIRE(address);
  const pid_t child = fork();
  if (child == 0) run_doomed_client(doomed, *address);
  REQUIRE(child > 0);
  const Result<> ran = scheduler.run(nursery([&](Nursery& n) -> Task<> {
    Receiver<IncomingPort> incoming = co_await ok(accept(*server.node, kText));
    auto peer = co_await ok(serve_end(kText, co_await ok(incoming.recv())));
    CHECK(peer.peer().name == "doomed");
    for (int i = 0; i < 100; ++i) co_await ok(peer.rx.recv());
    kill(child, SIGKILL);
    Result<std::string> ended = std::string();
    while (ended) ended = co_await peer.rx.recv(within(10s));
    CHECK(ended.code() == Code::lost);
    CHECK(server.log.warns("session ended: lost"));
    incoming = {};
    co_await ok(serve(n, *server.node, kText, echo));
    co_await ok(talk_once(*other.node, PeerName{"server@" + address->text()}));
    n.cancel();
    co_return {};
  }));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  CHECK_MESSAGE(ran, (ran ? "" : ran.error().text()));
}
