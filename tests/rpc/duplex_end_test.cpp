// How a channel over a network ends by hand, what was taken of it, and datagrams.
#include "tests/rpc/node_hosts.h"
#include "tubing/channel/duplex.h"

using namespace tubing;
using namespace tubing::test;
using namespace std::chrono_literals;

namespace {

inline constexpr Service<std::string, std::string> kGrams{
    .name = "grams.v1", .capacity = 4, .delivery = channel::Delivery::datagram};
inline constexpr Service<std::string, std::string> kOrderedGrams{.name = "grams.v1"};

struct Ends {
  NodePair& pair;
  TextOpener opener;
  TextOpener server;
};

// Runs `body(ends, n)` on a fresh channel of two nodes.
template <class Body>
void with_ends(const Service<std::string, std::string>& service, Body body) {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), service));
    auto opener = co_await ok(open(pair.client_node(), service, pair.to_server));
    auto server = co_await ok(serve_end(service, co_await ok(incoming.recv())));
    co_await ok(sleep(1ms));
    Ends ends{pair, std::move(opener), std::move(server)};
    co_await ok(body(ends, n));
    co_return {};
  });
}

Task<> flush_into(Sender<std::string> tx, Code& ended) {
  ended = Code::unknown;
  ended = (co_await tx.flush()).code();
  co_return {};
}

}  // namespace

TEST_CASE("a flush over a network waits until the peer has taken everything") {
  with_ends(kText, [](Ends& ends, Nursery& n) -> Task<> {
    for (int i = 0; i < 3; ++i) co_await ok(ends.opener.tx.send("value"));
    Code ended = Code::ok;
    n.spawn("flush", flush_into(ends.opener.tx, ended));
    co_await ok(sleep(1s));
    CHECK(ended == Code::unknown);
    CHECK(ends.opener.tx.accepted() == 3);
    CHECK(ends.opener.tx.taken_by_peer() == 0);
    for (int i = 0; i < 3; ++i) co_await ok(ends.server.rx.recv());
    co_await ok(sleep(1ms));
    CHECK(ended == Code::ok);
    CHECK(ends.opener.tx.taken_by_peer() == 3);
    co_await ok(ends.opener.tx.send("last"));
    ends.opener.tx.close();
    Result<> late = co_await ends.opener.tx.flush(within(1s));
    CHECK(late.code() == Code::deadline_exceeded);
    co_await ok(ends.server.rx.recv());
    ends.server.rx = {};
    auto arm = co_await ok(select(flushed(ends.opener.tx), after(1s)));
    CHECK(arm.index() == 0);
    CHECK(arm.get<0>());
    co_return {};
  });
}

TEST_CASE("a flush behind a close says how much a peer left untaken") {
  with_ends(kText, [](Ends& ends, Nursery& n) -> Task<> {
    for (int i = 0; i < 3; ++i) co_await ok(ends.opener.tx.send("value"));
    ends.opener.tx.close();
    co_await ok(sleep(1ms));
    co_await ok(ends.server.rx.recv());
    Code ended = Code::ok;
    n.spawn("flush", flush_into(ends.opener.tx, ended));
    co_await ok(sleep(1ms));
    CHECK(ended == Code::unknown);
    ends.server.rx = {};
    co_await ok(sleep(1ms));
    CHECK(ended == Code::stopped);
    Result<> flush = co_await ends.opener.tx.flush();
    CHECK(flush.code() == Code::stopped);
    CHECK(flush.error().detail().contains("of the 3 values"));
    co_return {};
  });
}

TEST_CASE("a receiver that stops over a network ends its sender and keeps the other direction") {
  with_ends(kText, [](Ends& ends, Nursery&) -> Task<> {
    co_await ok(ends.opener.tx.send("unread"));
    co_await ok(sleep(1ms));
    ends.server.rx.stop();
    ends.server.rx.stop();
    Result<std::string> own = co_await ends.server.rx.recv();
    CHECK(own.code() == Code::stopped);
    co_await ok(sleep(1ms));
    Result<> sent = co_await ends.opener.tx.send("more");
    CHECK(sent.code() == Code::stopped);
    Result<> flush = co_await ends.opener.tx.flush();
    CHECK(flush.code() == Code::stopped);
    CHECK(flush.error().detail().contains("0 of the 1 values"));
    co_await ok(ends.server.tx.send("still here"));
    const std::string text = co_await ok(ends.opener.rx.recv());
    CHECK(text == "still here");
    co_return {};
  });
}

TEST_CASE("a duplex that is reset over a network ends all its directions with one status") {
  with_ends(kText, [](Ends& ends, Nursery&) -> Task<> {
    ends.opener.reset(Code::aborted, "changed my mind");
    ends.opener.reset(Code::internal);
    co_await ok(sleep(1ms));
    const Result<std::string> received = co_await ends.server.rx.recv();
    const Result<> sent = co_await ends.server.tx.send("late");
    const Result<std::string> own_received = co_await ends.opener.rx.recv();
    const Result<> own_sent = co_await ends.opener.tx.send("more");
    for (const Error& how :
         {received.error(), sent.error(), own_received.error(), own_sent.error()}) {
      CHECK(how.code() == Code::reset);
      CHECK(how.status() == Code::aborted);
      CHECK(how.detail() == "changed my mind");
    }
    co_return {};
  });
}

TEST_CASE("a loss says how much the peer had taken") {
  with_ends(kText, [](Ends& ends, Nursery&) -> Task<> {
    for (int i = 0; i < 4; ++i) co_await ok(ends.opener.tx.send("value"));
    co_await ok(sleep(1ms));
    for (int i = 0; i < 4; ++i) co_await ok(ends.server.rx.recv());
    co_await ok(sleep(1ms));
    co_await ok(ends.opener.tx.send("in flight"));
    co_await ok(sleep(1ms));
    ends.pair.server.node.reset();
    co_await ok(sleep(1s));
    const Result<> sent = co_await ends.opener.tx.send("late");
    const Result<> flush = co_await ends.opener.tx.flush();
    for (const Error& how : {sent.error(), flush.error()}) {
      CHECK(how.code() == Code::lost);
      CHECK(how.detail().contains("4 of the 5 values that were sent had been taken"));
    }
    CHECK(ends.opener.tx.accepted() == 5);
    CHECK(ends.opener.tx.taken_by_peer() == 4);
    co_return {};
  });
}

TEST_CASE("a datagram is sent at once and dropped where there is no room") {
  with_ends(kGrams, [](Ends& ends, Nursery&) -> Task<> {
    for (int i = 0; i < 100; ++i) co_await ok(ends.opener.tx.send(std::to_string(i), within(0s)));
    CHECK(ends.opener.tx.accepted() < 100);
    co_await ok(sleep(1ms));
    for (std::uint64_t i = 0; i < ends.opener.tx.accepted(); ++i) {
      const std::string text = co_await ok(ends.server.rx.recv());
      CHECK(text == std::to_string(i));
    }
    co_await ok(sleep(1ms));
    co_await ok(ends.opener.tx.send("later"));
    const std::string later = co_await ok(ends.server.rx.recv());
    CHECK(later == "later");
    Result<> flush = co_await ends.opener.tx.flush();
    CHECK(flush.code() == Code::invalid_argument);
    co_return {};
  });
}

TEST_CASE("a service of another delivery is refused and both are named") {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kGrams));
    auto peer = co_await ok(open(pair.client_node(), kOrderedGrams, pair.to_server));
    auto served = serve_end(kGrams, co_await ok(incoming.recv()));
    CHECK(served.code() == Code::invalid_argument);
    Result<std::string> answer = co_await peer.rx.recv();
    CHECK(answer.error().status() == Code::invalid_argument);
    for (const std::string_view text : {served.error().detail(), answer.error().detail()}) {
      CHECK(text.contains("ordered"));
      CHECK(text.contains("datagram"));
    }
    co_return {};
  });
}
