// Sessions under the channels: cut, silent, resumed by a new one; and what a small value costs.
#include "tubing/rpc/detail/session.h"

#include <algorithm>

#include "tests/allocation_count.h"
#include "tests/rpc/node_hosts.h"
#include "tubing/channel/uv_reactor.h"
#include "tubing/crypto/system_entropy.h"
#include "tubing/rpc/tcp_transport.h"

using namespace tubing;
using namespace tubing::test;
using namespace std::chrono_literals;

namespace {

inline constexpr Service<std::int64_t, std::int64_t> kCount{"count.v1", 16};
using CountEnd = Duplex<std::int64_t, std::int64_t>;

/// 64 bytes of numbers.
struct Sample {
  std::int64_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
  static constexpr std::string_view type_name = "sample";
  static constexpr auto fields =
      tubing::fields("a", &Sample::a, "b", &Sample::b, "c", &Sample::c, "d", &Sample::d, "e",
                     &Sample::e, "f", &Sample::f, "g", &Sample::g, "h", &Sample::h);
};
inline constexpr Service<Sample, Sample> kSamples{"samples.v1", 256};

Task<> count_up(Sender<std::int64_t> tx, std::int64_t to) {
  for (std::int64_t i = 0; i < to; ++i)
    if (Result<> sent = co_await tx.send(i); !sent) co_return {};
  tx.close();
  co_return {};
}

// Whether 0, 1, 2 … came, and how many; an end follows in any case.
struct Prefix {
  std::int64_t count = 0;
  bool in_order = true;
  Code end = Code::ok;
};

Task<> read_prefix(Receiver<std::int64_t> rx, Prefix& prefix) {
  while (auto value = co_await rx.recv()) prefix.in_order &= *value == prefix.count++;
  Result<> ended = rx.end();
  prefix.end = ended ? Code::closed : ended.code();
  co_return {};
}

// A channel that counts both ways over a wire that is cut somewhere, or not at all.
void count_over_a_cut_wire(std::uint64_t seed) {
  CAPTURE(seed);
  constexpr std::int64_t kValues = 300;
  NodePair pair(seed);
  Prng& draw = pair.sim.workload();
  pair.wire().set_conditions({.latency_min = 10us,
                              .latency_max = 500us,
                              .chunk_bytes_min = 1,
                              .chunk_bytes_max = 1 + draw.below(3000),
                              .send_buffer_bytes = 1 + draw.below(5000)});
  const auto side = draw.chance(1, 2) ? sim::WireSide::dialer : sim::WireSide::listener;
  const std::uint64_t bytes = draw.below(8000);
  pair.wire().on_connect([&](sim::WireId id) { pair.wire().cut_after(id, side, bytes); });
  Prefix there;
  Prefix back;
  Code opened = Code::ok;
  int handlers = 0;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kCount, [&](CountEnd& peer) -> Task<> {
      ++handlers;
      co_await ok(nursery([&](Nursery& both) -> Task<> {
        both.spawn("sender", count_up(peer.tx, kValues));
        both.spawn("reader", read_prefix(peer.rx, there));
        co_return {};
      }));
      --handlers;
      co_return {};
    }));
    auto peer = co_await open(pair.client_node(), kCount, pair.to_server);
    opened = peer.code();
    if (!peer) co_return {};
    co_await ok(nursery([&](Nursery& both) -> Task<> {
      both.spawn("sender", count_up(peer->tx, kValues));
      both.spawn("reader", read_prefix(peer->rx, back));
      co_return {};
    }));
    co_await ok(sleep(1s));
    co_return {};
  });
  CHECK(handlers == 0);
  CHECK((there.in_order && back.in_order));
  if (opened != Code::ok) {
    CHECK(opened == Code::unavailable);
    CHECK(there.count + back.count == 0);
    return;
  }
  for (const Prefix& prefix : {there, back}) {
    if (prefix.end == Code::closed) CHECK(prefix.count == kValues);
    if (prefix.end == Code::ok) CHECK(prefix.count == 0);  // The open never reached the server.
    if (prefix.end != Code::closed && prefix.end != Code::ok) CHECK(prefix.end == Code::lost);
  }
}

}  // namespace

TEST_CASE("over two hundred wires cut anywhere what arrives is a prefix and every wait ends") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) count_over_a_cut_wire(seed);
}

TEST_CASE("a cut connection ends every wait with lost at both ends and says so in both logs") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kText));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    auto full = co_await ok(serve_end(kText, co_await ok(incoming.recv())));
    auto idle = co_await ok(open(pair.client_node(), kText, pair.to_server));
    auto served = co_await ok(serve_end(kText, co_await ok(incoming.recv())));
    for (std::size_t i = 0; i < kText.capacity; ++i) co_await ok(peer.tx.send("value"));
    co_await ok(sleep(1ms));
    std::vector<Error> ends;
    co_await ok(nursery([&](Nursery& waits) -> Task<> {
      waits.spawn("sender", [&]() -> Task<> {
        ends.push_back((co_await peer.tx.send("value")).error());
        co_return {};
      });
      waits.spawn("opener", [&]() -> Task<> {
        ends.push_back((co_await peer.rx.recv()).error());
        co_return {};
      });
      waits.spawn("server", [&]() -> Task<> {
        ends.push_back((co_await served.rx.recv()).error());
        co_return {};
      });
      co_await ok(sleep(1ms));
      pair.wire().cut(0);
      co_return {};
    }));
    CHECK(full.rx.size() == kText.capacity);
    CHECK(ends.size() == 3);
    for (const Error& end : ends) {
      CHECK(end.code() == Code::lost);
      CHECK(end.detail() != "");
    }
    CHECK(pair.server.log.warns("session ended: lost"));
    CHECK(pair.client.log.warns("session ended: lost"));
    incoming = {};
    co_await ok(serve(n, pair.server_node(), kText, echo));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    CHECK(pair.last_wire == 1);
    co_return {};
  });
}

TEST_CASE("values that came before a cut are received before the loss") {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kText));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    auto served = co_await ok(serve_end(kText, co_await ok(incoming.recv())));
    for (int i = 0; i < 5; ++i) co_await ok(peer.tx.send(std::to_string(i)));
    co_await ok(sleep(1ms));
    pair.wire().cut(0);
    co_await ok(sleep(1ms));
    for (int i = 0; i < 5; ++i) {
      const std::string text = co_await ok(served.rx.recv());
      CHECK(text == std::to_string(i));
    }
    Result<std::string> last = co_await served.rx.recv();
    CHECK(last.code() == Code::lost);
    co_return {};
  });
}

TEST_CASE("a channel that waits to be accepted may outlive its session") {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kText));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    co_await ok(peer.tx.send("early"));
    co_await ok(sleep(1ms));
    pair.client.node.reset();
    co_await ok(sleep(1ms));
    auto served = co_await ok(serve_end(kText, co_await ok(incoming.recv())));
    const std::string early = co_await ok(served.rx.recv());
    CHECK(early == "early");
    Result<std::string> last = co_await served.rx.recv();
    CHECK(last.code() == Code::lost);
    Result<> sent = co_await served.tx.send("late");
    CHECK(sent.code() == Code::lost);
    served.tx.close();
    co_return {};
  });
}

TEST_CASE("a large value on one channel lets small ones of another pass") {
  NodePair pair;
  pair.wire().set_conditions({.bytes_per_second = 10'000'000});
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    auto bulk = co_await ok(open(pair.client_node(), kText, pair.to_server));
    auto quick = co_await ok(open(pair.client_node(), kText, pair.to_server));
    co_await ok(quick.tx.send("warm up"));
    co_await ok(quick.rx.recv());
    n.spawn("bulk",
            [&]() -> Task<> { co_return co_await bulk.tx.send(std::string(8'000'000, 'x')); });
    co_await ok(sleep(1ms));
    const Time begin = n.scheduler().now();
    co_await ok(quick.tx.send("quick"));
    co_await ok(quick.rx.recv());
    // Ahead of it are at most a flush and the wire's send buffer; the whole value takes 800 ms.
    CHECK(n.scheduler().now() - begin < 100ms);
    CHECK(bulk.rx.size() == 0);
    co_return {};
  });
}

TEST_CASE("large and small values cross both ways over TCP and the nodes part in order") {
  channel::UvReactor reactor;
  Scheduler scheduler(reactor, Prng(1));
  crypto::SystemEntropy entropy;
  rpc::TcpTransport tcp(reactor);
  Hosts hosts(scheduler, tcp, entropy);
  Host& server = hosts.add({.name = "server"});
  Host& client = hosts.add({.name = "client", .usage = crypto::Usage::client});
  const std::string large(16'000'000, 'v');
  const Result<> ran = scheduler.run(nursery([&](Nursery& n) -> Task<> {
    const Address address = co_await ok(server.node->listen({"127.0.0.1", 0}));
    const PeerName to_server{"server@" + address.text()};
    co_await ok(serve(n, *server.node, kText, echo));
    co_await ok(nursery([&](Nursery& talks) -> Task<> {
      for (int c = 0; c < 3; ++c)
        talks.spawn("large", [&]() -> Task<> {
          auto peer = co_await ok(open(*client.node, kText, to_server));
          co_await ok(peer.tx.send(large));
          const std::string back = co_await ok(peer.rx.recv());
          CHECK((back == large));
          peer.tx.close();
          co_return {};
        });
      for (int c = 0; c < 50; ++c) talks.spawn("small", talk_once(*client.node, to_server));
      co_return {};
    }));
    co_await ok(client.node->close());
    CHECK(client.node->peers().empty());
    n.cancel();
    co_return {};
  }));
  CHECK_MESSAGE(ran, (ran ? "" : ran.error().text()));
  CHECK(server.log.warnings == "");
  CHECK(client.log.warnings == "");
}

TEST_CASE("small values between two nodes over TCP allocate nothing once they flow") {
  channel::UvReactor reactor;
  Scheduler scheduler(reactor, Prng(1));
  crypto::SystemEntropy entropy;
  rpc::TcpTransport tcp(reactor);
  Hosts hosts(scheduler, tcp, entropy);
  Host& server = hosts.add({.name = "server"});
  Host& client = hosts.add({.name = "client", .usage = crypto::Usage::client});
  std::size_t allocated = 1;
  const Result<> ran = scheduler.run(nursery([&](Nursery& n) -> Task<> {
    const Address address = co_await ok(server.node->listen({"127.0.0.1", 0}));
    std::int64_t sum = 0;
    co_await ok(serve(n, *server.node, kSamples, [&](Duplex<Sample, Sample>& peer) -> Task<> {
      while (auto sample = co_await peer.rx.recv()) {
        sum += sample->h;
        if (sample->a == 1) co_await ok(peer.tx.send(*sample));
      }
      co_return peer.rx.end();
    }));
    auto peer = co_await ok(open(*client.node, kSamples, {"server@" + address.text()}));
    for (int round = 0; round < 4; ++round) {
      const std::size_t before = allocations();
      for (int i = 0; i < 2'000; ++i) {
        const Sample sample{.a = i % 500 == 499, .h = 1};
        co_await ok(peer.tx.send(sample));
        if (sample.a == 1) co_await ok(peer.rx.recv());
      }
      allocated = allocations() - before;
    }
    CHECK(sum == 8'000);
    peer.tx.close();
    n.cancel();
    co_return {};
  }));
  CHECK_MESSAGE(ran, (ran ? "" : ran.error().text()));
  CHECK(allocated == 0);
}
