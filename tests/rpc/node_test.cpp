// Opening, serving and closing between nodes; who is reached under which name.
#include "tubing/rpc/node.h"

#include "tests/rpc/node_hosts.h"

using namespace tubing;
using namespace tubing::test;
using namespace std::chrono_literals;

TEST_CASE("values cross both directions of a served channel in their order") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    CHECK(peer.peer().name == "server");
    n.spawn("sender", [tx = peer.tx]() -> Task<> {
      for (int i = 0; i < 100; ++i) co_await ok(tx.send(std::to_string(i)));
      tx.close();
      co_return {};
    });
    for (int i = 0; i < 100; ++i) {
      const std::string text = co_await ok(peer.rx.recv());
      CHECK(text == std::to_string(i));
    }
    Result<std::string> last = co_await peer.rx.recv();
    CHECK(last.code() == Code::closed);
    CHECK(peer.rx.end());
    co_return {};
  });
}

TEST_CASE("a handler knows the name and the key and the roles of its peer") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    Channel<PeerInfo> seen{1};
    co_await ok(serve(n, pair.server_node(), kText, [seen](TextOpener& peer) -> Task<> {
      co_await ok(seen.send(peer.peer()));
      co_return {};
    }));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    const PeerInfo who = co_await ok(seen.recv());
    CHECK(who.name == "client");
    CHECK(who.roles == std::vector<std::string>{"tester"});
    CHECK(who.key.starts_with("ed25519:"));
    CHECK(who.key != peer.peer().key);
    CHECK(pair.server_node().peers().size() == 1);
    CHECK(pair.server_node().peers()[0].key == who.key);
    co_return {};
  });
}

TEST_CASE("a server opens a channel to a client by its name over the session of the client") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    co_await ok(serve(n, pair.client_node(), kText, echo));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    co_await ok(talk_once(pair.server_node(), PeerName{"client"}));
    CHECK(pair.wire().connections().size() == 1);
    co_return {};
  });
}

TEST_CASE("a client is not dialled under a name alone") {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    auto opened = co_await open(pair.server_node(), kText, PeerName{"client"});
    CHECK(opened.code() == Code::unavailable);
    CHECK(opened.error().detail().contains("client@HOST:PORT"));
    co_return {};
  });
}

TEST_CASE("the session of a client does not stand in for a server of its name") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    co_await ok(serve(n, pair.client_node(), kText, echo));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    auto opened = co_await open(pair.server_node(), kText, PeerName{"client@empty.test:1"});
    CHECK(opened.code() == Code::unavailable);
    CHECK(opened.error().detail().contains("empty.test:1"));
    co_return {};
  });
}

TEST_CASE("the session of a client does not stand in for a server whose address was learned") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    co_await ok(serve(n, pair.client_node(), kText, echo));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    co_await ok(pair.server_node().learn(PeerName{"client"}, {"empty.test:1"}));
    auto opened = co_await open(pair.server_node(), kText, PeerName{"client"});
    CHECK(opened.code() == Code::unavailable);
    CHECK(opened.error().detail().contains("empty.test:1"));
    co_await ok(pair.server_node().learn(PeerName{"client"}, {}));
    co_await ok(talk_once(pair.server_node(), PeerName{"client"}));
    co_return {};
  });
}

TEST_CASE("a peer is reached by its fingerprint as by its name") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    const std::string key = pair.client_node().peers()[0].key;
    co_await ok(talk_once(pair.client_node(), PeerName{key}));
    co_await ok(pair.client_node().close());
    co_await ok(talk_once(pair.client_node(), PeerName{key + "@" + kServerAddress.text()}));
    co_return {};
  });
}

TEST_CASE("a server with another key than the one that was dialled is refused with both") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    const std::string key = pair.server.identity->public_key().fingerprint();
    const std::string other = pair.client.identity->public_key().fingerprint();
    auto opened =
        co_await open(pair.client_node(), kText, PeerName{other + "@" + kServerAddress.text()});
    CHECK(opened.code() == Code::unauthenticated);
    CHECK(opened.error().detail().contains("the key " + other + " was expected"));
    CHECK(opened.error().detail().contains("the key " + key + " answered"));
    co_await ok(talk_once(pair.client_node(), PeerName{key + "@" + kServerAddress.text()}));
    co_return {};
  });
}

TEST_CASE("names that say nobody or nowhere are refused with the form to write") {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    for (const char* bad : {"", "@server.test:7000", "server.test:7000", "server@nowhere",
                            "Server@server.test:7000", "server@server.test:99999"}) {
      CAPTURE(bad);
      auto opened = co_await open(pair.client_node(), kText, PeerName{bad});
      CHECK(opened.code() == Code::invalid_argument);
      CHECK(opened.error().detail().contains("NAME@HOST:PORT"));
    }
    co_return {};
  });
}

TEST_CASE("opens at the same time share one connection") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    co_await ok(nursery([&](Nursery& talks) -> Task<> {
      for (int i = 0; i < 10; ++i)
        talks.spawn("talk", talk_once(pair.client_node(), pair.to_server));
      co_return {};
    }));
    CHECK(pair.last_wire == 0);
    CHECK(pair.wire().connections().size() == 1);
    co_return {};
  });
}

TEST_CASE("dialling where nobody listens is unavailable and names the address") {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    auto opened = co_await open(pair.client_node(), kText, PeerName{"server@empty.test:7000"});
    CHECK(opened.code() == Code::unavailable);
    CHECK(opened.error().detail().contains("empty.test:7000"));
    co_return {};
  });
}

TEST_CASE("a dial that nobody answers ends as unavailable after the limit") {
  NodePair pair;
  pair.wire().set_dial_answer(kServerAddress, sim::DialAnswer::unanswered);
  pair.nursery([&](Nursery& n) -> Task<> {
    auto opened = co_await open(pair.client_node(), kText, pair.to_server);
    CHECK(opened.code() == Code::unavailable);
    CHECK(opened.error().detail().contains("10000 ms"));
    CHECK(n.scheduler().now() == Time(10s));
    co_return {};
  });
}

TEST_CASE("an open ends at its deadline and when it is cancelled") {
  NodePair pair;
  pair.wire().set_dial_answer(kServerAddress, sim::DialAnswer::unanswered);
  pair.nursery([&](Nursery& n) -> Task<> {
    auto late = co_await open(pair.client_node(), kText, pair.to_server, within(1s));
    CHECK(late.code() == Code::deadline_exceeded);
    CHECK(n.scheduler().now() == Time(1s));
    Code cancelled = Code::ok;
    co_await ok(nursery([&](Nursery& inner) -> Task<> {
      inner.spawn("opener", [&]() -> Task<> {
        auto opened = co_await open(pair.client_node(), kText, pair.to_server);
        cancelled = opened.code();
        co_return {};
      });
      co_await ok(sleep(1s));
      inner.cancel();
      co_return {};
    }));
    CHECK(cancelled == Code::cancelled);
    CHECK(n.scheduler().now() == Time(2s));
    co_return {};
  });
}

TEST_CASE("a service is accepted in one place") {
  NodePair pair;
  auto first = accept(pair.server_node(), kText);
  CHECK(first);
  auto second = accept(pair.server_node(), kText);
  CHECK(second.code() == Code::already_exists);
  CHECK(second.error().detail().contains("text.v1"));
}

TEST_CASE("a service that is served no more can be served anew and refuses meanwhile") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(nursery([&](Nursery& serving) -> Task<> {
      co_await ok(serve(serving, pair.server_node(), kText, echo));
      co_await ok(talk_once(pair.client_node(), pair.to_server));
      serving.cancel();
      co_return {};
    }));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    Result<std::string> none = co_await peer.rx.recv();
    CHECK(none.error().status() == Code::unimplemented);
    co_await ok(serve(n, pair.server_node(), kText, echo));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    co_return {};
  });
}

TEST_CASE("channels that nobody accepts are refused beyond the backlog") {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kText, 2));
    std::vector<TextOpener> peers;
    for (int i = 0; i < 3; ++i)
      peers.push_back(co_await ok(open(pair.client_node(), kText, pair.to_server)));
    Result<std::string> refused = co_await peers[2].rx.recv();
    CHECK(refused.error().status() == Code::resource_exhausted);
    CHECK(refused.error().detail().contains("text.v1"));
    CHECK(incoming.size() == 2);
    auto served = co_await ok(serve_end(kText, co_await ok(incoming.recv())));
    co_await ok(served.tx.send("welcome"));
    const std::string text = co_await ok(peers[0].rx.recv());
    CHECK(text == "welcome");
    co_return {};
  });
}

TEST_CASE("closing a node delivers what was sent and tells both sides an end in order") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kText));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    for (int i = 0; i < 8; ++i) co_await ok(peer.tx.send(std::to_string(i)));
    auto served = co_await ok(serve_end(kText, co_await ok(incoming.recv())));
    co_await ok(pair.client_node().close(within(1s)));
    CHECK(n.scheduler().now() == Time(0s));
    for (int i = 0; i < 8; ++i) {
      const std::string text = co_await ok(served.rx.recv());
      CHECK(text == std::to_string(i));
    }
    Result<std::string> ended = co_await served.rx.recv();
    CHECK(ended.code() == Code::lost);
    CHECK(ended.error().detail().contains("the peer closed the session"));
    CHECK(pair.server.log.warnings == "");
    CHECK(pair.client.log.warnings == "");
    CHECK(pair.server_node().peers().empty());
    co_return {};
  });
}

TEST_CASE("closing a node waits for a large value that has been accepted") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kText));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    auto served = co_await ok(serve_end(kText, co_await ok(incoming.recv())));
    co_await ok(sleep(1ms));
    const std::string large(4 << 20, 'x');
    co_await ok(peer.tx.send(large));
    peer.tx.close();
    n.spawn("close", [&pair]() -> Task<> { co_return co_await pair.client_node().close(); });
    const std::string text = co_await ok(served.rx.recv());
    CHECK(text == large);
    Result<std::string> ended = co_await served.rx.recv();
    CHECK(ended.code() == Code::closed);
    co_return {};
  });
}

TEST_CASE("a peer's text reaches a terminal in printable form") {
  CHECK(printable("plain text") == "plain text");
  CHECK(printable("\x1b[2J\r\n\x80") == "?[2J???");
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, [](auto&) -> Task<> {
      co_return Error(Code::aborted, "text", "\x1b[31mred");
    }));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    Result<std::string> ended = co_await peer.rx.recv();
    CHECK(ended.code() == Code::reset);
    CHECK(ended.error().detail() == "?[31mred");
    co_return {};
  });
}

TEST_CASE("a closed node dials anew for the next channel") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    co_await ok(pair.client_node().close());
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    CHECK(pair.last_wire == 1);
    co_return {};
  });
}

TEST_CASE("a peer to which goodbye is on its way is dialled anew") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    pair.wire().hold(0, sim::WireSide::listener);
    Channel<int> closing{1};
    n.spawn("closer", [&, closing]() -> Task<> {
      co_await ok(closing.send(1));
      co_return co_await pair.client_node().close();
    });
    co_await ok(closing.recv());
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    CHECK(pair.last_wire == 1);
    co_return {};
  });
}

TEST_CASE("two waits for one node to close both end") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    co_await ok(nursery([&](Nursery& closers) -> Task<> {
      closers.spawn("first", pair.client_node().close());
      closers.spawn("second", pair.client_node().close());
      co_return {};
    }));
    co_return {};
  });
}

TEST_CASE("closing a node lasts no longer than its deadline and a silent peer no longer than its") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    pair.wire().lose(0, sim::WireSide::listener);
    Result<> closed = co_await pair.client_node().close(within(100ms));
    CHECK(closed.code() == Code::deadline_exceeded);
    co_await ok(pair.client_node().close());
    CHECK(n.scheduler().now() == Time(1s));
    co_return {};
  });
}

TEST_CASE("closing a node ends the opens that wait for a connection") {
  NodePair pair;
  pair.wire().set_dial_answer(kServerAddress, sim::DialAnswer::unanswered);
  pair.nursery([&](Nursery& n) -> Task<> {
    n.spawn("closer", [&]() -> Task<> {
      co_await ok(sleep(1s));
      co_return co_await pair.client_node().close();
    });
    auto opened = co_await open(pair.client_node(), kText, pair.to_server);
    CHECK(opened.code() == Code::cancelled);
    CHECK(n.scheduler().now() == Time(1s));
    co_return {};
  });
}

TEST_CASE("a node that is destroyed ends every wait on it and its channels are lost") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    auto incoming = co_await ok(accept(pair.client_node(), kText));
    pair.wire().hold(0, sim::WireSide::listener);
    std::vector<Code> codes;
    co_await ok(nursery([&](Nursery& waits) -> Task<> {
      waits.spawn("receiver", [&]() -> Task<> {
        codes.push_back((co_await peer.rx.recv()).code());
        co_return {};
      });
      waits.spawn("acceptor", [&]() -> Task<> {
        codes.push_back((co_await incoming.recv()).code());
        co_return {};
      });
      waits.spawn("opener", [&]() -> Task<> {
        auto opened = co_await open(pair.client_node(), kText, PeerName{"b@b.test:1"});
        codes.push_back(opened.code());
        co_return {};
      });
      waits.spawn("closer", [&]() -> Task<> {
        co_await ok(sleep(1ms));
        codes.push_back((co_await pair.client_node().close()).code());
        co_return {};
      });
      pair.wire().set_dial_answer({"b.test", 1}, sim::DialAnswer::unanswered);
      co_await ok(sleep(2ms));
      pair.client.node.reset();
      co_return {};
    }));
    std::ranges::sort(codes);
    CHECK(codes == std::vector{Code::cancelled, Code::cancelled, Code::closed, Code::lost});
    Result<> sent = co_await peer.tx.send("late");
    CHECK(sent.code() == Code::lost);
    co_return {};
  });
}

TEST_CASE("a node that is destroyed in the turn in which its dial succeeds harms nobody") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    CAPTURE(seed);
    NodePair pair(seed);
    pair.nursery([&](Nursery&) -> Task<> {
      co_await ok(nursery([&](Nursery& waits) -> Task<> {
        for (int i = 0; i < 3; ++i)
          waits.spawn("opener", [&]() -> Task<> {
            auto opened = co_await open(pair.client_node(), kText, pair.to_server);
            pair.client.node.reset();
            co_return {};
          });
        co_return {};
      }));
      co_return {};
    });
  }
}

TEST_CASE("a node does not dial itself") {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    auto opened = co_await open(pair.server_node(), kText, pair.to_server);
    CHECK(opened.code() == Code::failed_precondition);
    CHECK(opened.error().detail().contains("does not dial itself"));
    co_return {};
  });
}
