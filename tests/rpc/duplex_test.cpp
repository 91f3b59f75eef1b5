// Duplex over a network: how a channel begins, carries values, slows down and ends.
#include "tubing/channel/duplex.h"

#include <algorithm>

#include "tests/rpc/node_hosts.h"

using namespace tubing;
using namespace tubing::test;
using namespace std::chrono_literals;

namespace {

inline constexpr Service<std::string, std::string> kNarrow{"narrow.v1", 1};
inline constexpr Service<std::int64_t, std::int64_t> kNumbers{"text.v1", 8};
inline constexpr Service<std::string, std::string> kNoRoom{"text.v1", 0};

// Both ends of one channel, joined before anything was sent.
struct Joined {
  TextOpener opener;
  TextOpener server;
};

Task<Joined> join(NodePair& pair, Receiver<IncomingPort> incoming) {
  auto opener = co_await ok(open(pair.client_node(), kText, pair.to_server));
  auto server = co_await ok(serve_end(kText, co_await ok(incoming.recv())));
  co_await ok(sleep(1ms));
  co_return Joined{std::move(opener), std::move(server)};
}

// Sends until that would wait; returns how many went.
std::size_t fill(const Sender<std::string>& tx, const std::string& value = "value") {
  std::size_t count = 0;
  while (tx.try_send(value).has_value() && count < 10'000) {
    Result<bool> sent = tx.try_send(value);
    if (!sent || !*sent) break;
    ++count;
  }
  return count;
}

// Runs `body(joined)` on a fresh channel of two nodes.
template <class Body>
void with_channel(Body body) {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kText));
    Joined joined = co_await ok(join(pair, incoming));
    co_await ok(body(joined));
    co_return {};
  });
  CHECK(pair.server.log.warnings == "");
  CHECK(pair.client.log.warnings == "");
}

}  // namespace

TEST_CASE("a direction that is closed leaves the other open") {
  with_channel([](Joined& ends) -> Task<> {
    co_await ok(ends.opener.tx.send("last"));
    ends.opener.tx.close();
    const std::string last = co_await ok(ends.server.rx.recv());
    CHECK(last == "last");
    Result<std::string> ended = co_await ends.server.rx.recv();
    CHECK(ended.code() == Code::closed);
    CHECK(ends.server.rx.end());
    for (int i = 0; i < 20; ++i) {
      co_await ok(ends.server.tx.send("answer"));
      co_await ok(ends.opener.rx.recv());
    }
    Result<> sent = co_await ends.opener.tx.send("more");
    CHECK(sent.code() == Code::closed);
    co_return {};
  });
}

TEST_CASE("what was sent before a close arrives before the end") {
  with_channel([](Joined& ends) -> Task<> {
    for (int i = 0; i < 8; ++i) co_await ok(ends.opener.tx.send(std::to_string(i)));
    ends.opener.tx.close();
    co_await ok(sleep(1ms));
    std::string all;
    while (auto text = co_await ends.server.rx.recv()) all += *text;
    CHECK(all == "01234567");
    CHECK(ends.server.rx.end());
    co_return {};
  });
}

TEST_CASE("a handler that fails resets its channel with its status and text and no other") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, [](TextOpener& peer) -> Task<> {
      const std::string wish = co_await ok(peer.rx.recv());
      if (wish == "ping") {
        co_await ok(peer.tx.send(wish));
        co_return {};
      }
      co_return Error(Code::not_found, "look up", "no page " + wish);
    }));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    co_await ok(peer.tx.send("seven"));
    Result<std::string> answer = co_await peer.rx.recv();
    CHECK(answer.code() == Code::reset);
    CHECK(answer.error().status() == Code::not_found);
    CHECK(answer.error().detail() == "no page seven");
    CHECK(peer.rx.end().error().status() == Code::not_found);
    Result<> sent = co_await peer.tx.send("eight");
    CHECK(sent.error().status() == Code::not_found);
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    CHECK(pair.last_wire == 0);
    co_return {};
  });
}

TEST_CASE("an exception in a handler becomes internal with its text") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, [](TextOpener& peer) -> Task<> {
      co_await ok(peer.rx.recv());
      throw std::runtime_error("out of paper");
    }));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    co_await ok(peer.tx.send("print"));
    Result<std::string> answer = co_await peer.rx.recv();
    CHECK(answer.error().status() == Code::internal);
    CHECK(answer.error().detail().contains("out of paper"));
    co_return {};
  });
}

TEST_CASE("a handler that returns ok closes its channel and stops what it did not receive") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, [](TextOpener& peer) -> Task<> {
      co_return co_await peer.tx.send("enough");
    }));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    const std::string text = co_await ok(peer.rx.recv());
    CHECK(text == "enough");
    Result<std::string> last = co_await peer.rx.recv();
    CHECK(last.code() == Code::closed);
    co_await ok(sleep(1ms));
    Result<> sent = co_await peer.tx.send("more");
    CHECK(sent.code() == Code::stopped);
    co_return {};
  });
}

TEST_CASE("a service that nobody serves is unimplemented and the session lives on") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    auto peer = co_await ok(open(pair.client_node(), kNowhere, pair.to_server));
    Result<std::string> answer = co_await peer.rx.recv();
    CHECK(answer.code() == Code::reset);
    CHECK(answer.error().status() == Code::unimplemented);
    CHECK(answer.error().detail().contains("nowhere.v1"));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    CHECK(pair.last_wire == 0);
    co_return {};
  });
}

TEST_CASE("an opener with other types is refused and both sides are told both") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kText));
    auto peer = co_await ok(open(pair.client_node(), kNumbers, pair.to_server));
    auto served = serve_end(kText, co_await ok(incoming.recv()));
    CHECK(served.code() == Code::invalid_argument);
    Result<std::int64_t> answer = co_await peer.rx.recv();
    CHECK(answer.error().status() == Code::invalid_argument);
    for (const std::string_view text : {served.error().detail(), answer.error().detail()}) {
      CHECK(text.contains("text.v1"));
      CHECK(text.contains(type_name_of<std::string>()));
      CHECK(text.contains(type_name_of<std::int64_t>()));
    }
    incoming = {};
    co_await ok(serve(n, pair.server_node(), kText, echo));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    CHECK(pair.last_wire == 0);
    co_return {};
  });
}

TEST_CASE("capacity 0 is refused to openers and to servers with what to do instead") {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    auto opened = co_await open(pair.client_node(), kNoRoom, pair.to_server);
    CHECK(opened.code() == Code::invalid_argument);
    CHECK(opened.error().detail().contains("flush()"));
    auto accepted = accept(pair.server_node(), kNoRoom);
    CHECK(accepted.code() == Code::invalid_argument);
    CHECK(accepted.error().detail().contains("flush()"));
    co_return {};
  });
}

TEST_CASE("a sender stops at the capacity of its receiver and goes on one value at a time") {
  with_channel([](Joined& ends) -> Task<> {
    std::size_t count = 0;
    for (Result<bool> sent = true; sent && *sent && count < 100; ++count)
      sent = ends.opener.tx.try_send("value");
    CHECK(count - 1 == kText.capacity);
    co_await ok(sleep(1s));
    Result<bool> refused = ends.opener.tx.try_send("value");
    CHECK((refused && !*refused));
    for (std::size_t i = 0; i < kText.capacity; ++i) co_await ok(ends.server.rx.recv());
    co_await ok(sleep(1ms));
    CHECK(fill(ends.opener.tx) <= kText.capacity);
    co_return {};
  });
}

TEST_CASE("values sent early wait for a server whose capacity is smaller") {
  NodePair pair;
  pair.nursery([&](Nursery&) -> Task<> {
    auto incoming = co_await ok(accept(pair.server_node(), kNarrow));
    auto peer = co_await ok(open(pair.client_node(), kNarrow, pair.to_server));
    std::size_t sent = 0;
    for (Result<bool> more = true; more && *more && sent < 100; ++sent)
      more = peer.tx.try_send(std::to_string(sent));
    CHECK(sent - 1 == rpc::kEarlyItems);
    co_await ok(sleep(1ms));
    auto served = co_await ok(serve_end(kNarrow, co_await ok(incoming.recv())));
    co_await ok(sleep(1ms));
    for (std::size_t i = 0; i < rpc::kEarlyItems; ++i) {
      const std::string text = co_await ok(served.rx.recv());
      CHECK(text == std::to_string(i));
    }
    co_await ok(sleep(1ms));
    Result<bool> next = peer.tx.try_send("next");
    CHECK((next && *next));
    next = peer.tx.try_send("one too many");
    CHECK((next && !*next));
    co_return {};
  });
}

TEST_CASE("a handler that receives nothing slows no other channel of its session") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kNarrow, [](TextOpener& peer) -> Task<> {
      co_await ok(sleep(std::chrono::minutes(10)));
      co_return peer.rx.end();
    }));
    co_await ok(serve(n, pair.server_node(), kText, echo));
    auto slow = co_await ok(open(pair.client_node(), kNarrow, pair.to_server));
    n.spawn("pusher", [tx = slow.tx]() -> Task<> {
      for (;;) co_await ok(tx.send(std::string(1000, 'x')));
    });
    co_await ok(sleep(1ms));
    auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
    for (int i = 0; i < 1000; ++i) {
      co_await ok(peer.tx.send("quick"));
      co_await ok(peer.rx.recv());
    }
    CHECK(n.scheduler().now() == Time(1ms));
    co_return {};
  });
}

TEST_CASE("a duplex that is dropped unfinished resets its channel as cancelled") {
  with_channel([](Joined& ends) -> Task<> {
    {
      const TextOpener dropped = std::move(ends.opener);
    }
    Result<std::string> text = co_await ends.server.rx.recv();
    CHECK(text.code() == Code::reset);
    CHECK(text.error().status() == Code::cancelled);
    CHECK(text.error().detail().contains("dropped"));
    Result<> sent = co_await ends.server.tx.send("late");
    CHECK(sent.error().status() == Code::cancelled);
    co_return {};
  });
}

TEST_CASE("a sender that is dropped unclosed resets the channel at both ends") {
  with_channel([](Joined& ends) -> Task<> {
    ends.opener.tx = {};
    Result<std::string> there = co_await ends.server.rx.recv();
    CHECK(there.error().status() == Code::cancelled);
    Result<std::string> here = co_await ends.opener.rx.recv();
    CHECK(here.code() == Code::cancelled);
    CHECK(here.error().detail().contains("dropped before it was closed"));
    co_return {};
  });
}

TEST_CASE("a receiver that is dropped stops its sender and the other direction goes on") {
  with_channel([](Joined& ends) -> Task<> {
    co_await ok(ends.opener.tx.send("unread"));
    ends.server.rx = {};
    co_await ok(sleep(1ms));
    Result<> sent = co_await ends.opener.tx.send("more");
    CHECK(sent.code() == Code::stopped);
    co_await ok(ends.server.tx.send("still here"));
    const std::string text = co_await ok(ends.opener.rx.recv());
    CHECK(text == "still here");
    co_return {};
  });
}

TEST_CASE("a send that waits for the network ends when the receiver stops") {
  with_channel([](Joined& ends) -> Task<> {
    Code ended = Code::ok;
    co_await ok(nursery([&](Nursery& n) -> Task<> {
      n.spawn("sender", [&]() -> Task<> {
        for (;;) {
          Result<> sent = co_await ends.opener.tx.send("value");
          ended = sent.code();
          if (!sent) co_return {};
        }
      });
      co_await ok(sleep(1ms));
      ends.server.rx = {};
      co_return {};
    }));
    CHECK(ended == Code::stopped);
    co_return {};
  });
}

TEST_CASE("a send over a network that is cancelled or late leaves its value untouched") {
  with_channel([](Joined& ends) -> Task<> {
    for (std::size_t i = 0; i < kText.capacity; ++i) co_await ok(ends.opener.tx.send("value"));
    std::string late = "a value that is long enough to live on the heap";
    const std::string copy = late;
    Result<> sent = co_await ends.opener.tx.send(std::move(late), within(1s));
    CHECK(sent.code() == Code::deadline_exceeded);
    CHECK(late == copy);
    Code cancelled = Code::ok;
    co_await ok(nursery([&](Nursery& n) -> Task<> {
      n.spawn("sender", [&]() -> Task<> {
        cancelled = (co_await ends.opener.tx.send(std::move(late))).code();
        co_return {};
      });
      co_await ok(sleep(1s));
      n.cancel();
      co_return {};
    }));
    CHECK(cancelled == Code::cancelled);
    CHECK(late == copy);
    for (std::size_t i = 0; i < kText.capacity; ++i) co_await ok(ends.server.rx.recv());
    Result<std::string> none = co_await ends.server.rx.recv(within(1s));
    CHECK(none.code() == Code::deadline_exceeded);
    co_return {};
  });
}

TEST_CASE("values up to the limit cross whole and a longer one is refused alone") {
  with_channel([](Joined& ends) -> Task<> {
    const std::size_t limit = rpc::MuxLimits{}.message_bytes_max;
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{16 * 1024}, std::size_t{70'000}, limit / 2, limit - 5}) {
      CAPTURE(size);
      std::string value(size, 'v');
      for (std::size_t i = 0; i < size; i += 1000) value[i] = static_cast<char>('a' + i % 26);
      std::string came;
      co_await ok(nursery([&](Nursery& n) -> Task<> {
        n.spawn("sender", [&]() -> Task<> { co_return co_await ends.opener.tx.send(value); });
        came = co_await ok(ends.server.rx.recv());
        co_return {};
      }));
      CHECK((came == value));
    }
    const std::string too_long(limit - 4, 'v');
    Result<> refused = co_await ends.opener.tx.send(too_long);
    CHECK(refused.code() == Code::invalid_argument);
    CHECK(refused.error().detail().contains("16777217 bytes exceeds the limit of 16777216"));
    co_await ok(ends.opener.tx.send("short"));
    const std::string text = co_await ok(ends.server.rx.recv());
    CHECK(text == "short");
    co_return {};
  });
}

TEST_CASE("a thousand channels of one session each keep their order") {
  NodePair pair;
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    std::size_t done = 0;
    co_await ok(nursery([&](Nursery& talks) -> Task<> {
      for (int c = 0; c < 1000; ++c)
        talks.spawn("talk", [&, c]() -> Task<> {
          auto peer = co_await ok(open(pair.client_node(), kText, pair.to_server));
          for (int i = 0; i < 10; ++i) {
            const std::string text = std::to_string(c) + ":" + std::to_string(i);
            co_await ok(peer.tx.send(text));
            const std::string back = co_await ok(peer.rx.recv());
            if (back != text) co_return Error(Code::data_loss, "talk", back);
          }
          ++done;
          peer.tx.close();
          co_return {};
        });
      co_return {};
    }));
    CHECK(done == 1000);
    CHECK(pair.last_wire == 0);
    co_return {};
  });
}

TEST_CASE("more channels than a peer allows are refused and room comes back") {
  NodePair pair(1, {.name = "server", .limits = {.mux = {.channels_max = 4}}});
  pair.nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, pair.server_node(), kText, echo));
    std::vector<TextOpener> peers;
    for (int i = 0; i < 4; ++i)
      peers.push_back(co_await ok(open(pair.client_node(), kText, pair.to_server)));
    auto fifth = co_await open(pair.client_node(), kText, pair.to_server);
    CHECK(fifth.code() == Code::resource_exhausted);
    CHECK(fifth.error().detail().contains("the peer allows 4"));
    peers.clear();
    co_await ok(sleep(1ms));
    co_await ok(talk_once(pair.client_node(), pair.to_server));
    co_return {};
  });
}
