// Channels in message mode keep the contract of channel::Network over a healthy network.
#include "tubing/sim/network.h"

#include "tests/sim/network_world.h"

using namespace tubing;
using namespace tubing::sim;
using namespace tubing::sim::test;
using namespace std::chrono_literals;

namespace {

struct Job {
  std::uint64_t number = 0;
  Duplex<std::string, std::string> reply;
  static constexpr std::string_view type_name = "network_test.Job";
  static constexpr auto fields = tubing::fields("number", &Job::number, "reply", &Job::reply);
};

inline constexpr Service<Job, std::string> kJobs{"jobs.v1", 4};

}  // namespace

TEST_CASE("a value goes to another simulated process and back") {
  TwoHosts hosts;
  hosts.b().spawn("server", echo);
  hosts.run([](Process& self) -> Task<> {
    auto peer = co_await ok(open(self.network(), kText, {"b"}));
    CHECK(peer.peer().name == "b");
    CHECK(peer.peer().address == "b/server");
    for (int i = 0; i < 100; ++i) {
      co_await ok(peer.tx.send(std::to_string(i)));
      const std::string answer = co_await ok(peer.rx.recv());
      CHECK(answer == std::to_string(i));
    }
    peer.tx.close();
    const auto last = co_await peer.rx.recv();
    CHECK(last.code() == Code::closed);
    co_return {};
  });
}

TEST_CASE("a simulated acceptor sees who opened as its host was declared") {
  TwoHosts hosts;
  PeerInfo seen;
  hosts.b().spawn("server", [&seen](Process& self) -> Task<> {
    auto incoming = co_await ok(accept(self.network(), kText));
    const auto opened = co_await ok(incoming.recv());
    seen = opened.port->peer();
    co_return {};
  });
  hosts.run([](Process& self) -> Task<> {
    auto peer = co_await ok(open(self.network(), kText, {"b@10.0.0.2:7000"}));
    const auto refused = co_await peer.rx.recv();
    CHECK(refused.code() == Code::reset);
    co_return {};
  });
  CHECK(seen.name == "a");
  CHECK(seen.usage == "client");
  CHECK(seen.roles == std::vector<std::string>{"reader"});
  CHECK_FALSE(seen.key.empty());
}

TEST_CASE("no more simulated values wait than the receiver has room for") {
  TwoHosts hosts;
  hosts.b().spawn("server", [](Process& self) -> Task<> {
    auto incoming = co_await ok(accept(self.network(), kNumbers));
    auto end = co_await ok(serve_end(kNumbers, co_await ok(incoming.recv())));
    co_await ok(sleep(1s));
    for (std::uint64_t next = 0;; ++next) {
      auto value = co_await end.rx.recv();
      if (!value) co_return end.rx.end();
      CHECK(*value == next);
    }
  });
  hosts.run([](Process& self) -> Task<> {
    auto end = co_await ok(open(self.network(), kNumbers, {"b"}));
    co_await ok(sleep(10ms));
    std::uint64_t next = 0;
    for (;;) {
      const Result<bool> sent = end.tx.try_send(next);
      if (!sent || !*sent) break;
      ++next;
    }
    CHECK(next == 8);
    while (next < 100) co_await ok(end.tx.send(next++));
    CHECK(self.scheduler().now() >= Time(1s));
    co_await ok(end.tx.flush());
    end.tx.close();
    co_return {};
  });
}

TEST_CASE("a simulated flush is done once the peer's code has taken everything") {
  TwoHosts hosts;
  std::uint64_t taken = 0;
  hosts.b().spawn("server", [&taken](Process& self) -> Task<> {
    auto incoming = co_await ok(accept(self.network(), kNumbers));
    auto end = co_await ok(serve_end(kNumbers, co_await ok(incoming.recv())));
    co_await ok(sleep(2s));
    while (co_await end.rx.recv()) ++taken;
    co_return {};
  });
  hosts.run([&taken](Process& self) -> Task<> {
    auto end = co_await ok(open(self.network(), kNumbers, {"b"}));
    for (std::uint64_t i = 0; i < 7; ++i) co_await ok(end.tx.send(i));
    CHECK(taken == 0);
    co_await ok(end.tx.flush());
    CHECK(taken == 7);
    co_await ok(end.tx.send(7));
    end.tx.close();
    co_await ok(end.tx.flush());
    CHECK(taken == 8);
    co_return {};
  });
}

TEST_CASE("a simulated service that nobody serves is unimplemented") {
  TwoHosts hosts;
  hosts.b().spawn("server", echo);
  hosts.run([](Process& self) -> Task<> {
    auto end = co_await ok(open(self.network(), kNumbers, {"b"}));
    const auto refused = co_await end.rx.recv();
    CHECK(refused.error().status() == Code::unimplemented);
    CHECK(refused.error().detail().contains("no service named numbers.v1 is served here"));
    co_return {};
  });
}

TEST_CASE("opening to a simulated host on which nobody listens is unavailable") {
  TwoHosts hosts;
  hosts.run([](Process& self) -> Task<> {
    const auto nobody = co_await open(self.network(), kText, {"b"});
    CHECK(nobody.code() == Code::unavailable);
    CHECK(nobody.error().detail() == "b refused: nobody listens there");
    const auto unknown = co_await open(self.network(), kText, {"c"});
    CHECK(unknown.code() == Code::unavailable);
    const auto nameless = co_await open(self.network(), kText, {"@b:1"});
    CHECK(nameless.code() == Code::invalid_argument);
    co_return {};
  });
  CHECK(hosts.count(FaultKind::dial_refused) == 1);
}

TEST_CASE("an open with a deadline goes on dialling until somebody listens") {
  TwoHosts hosts;
  hosts.world.at(Time(3s), [&] { hosts.b().spawn("server", echo); });
  hosts.run([](Process& self) -> Task<> {
    const auto late = co_await open(self.network(), kText, {"b"}, within(1s));
    CHECK(late.code() == Code::deadline_exceeded);
    auto end = co_await ok(open(self.network(), kText, {"b"}, within(20s)));
    CHECK(self.scheduler().now() >= Time(3s));
    co_await ok(end.tx.send("hello"));
    const std::string answer = co_await ok(end.rx.recv());
    CHECK(answer == "hello");
    co_return {};
  });
}

TEST_CASE("stop tells the simulated sender and discards what still comes") {
  TwoHosts hosts;
  hosts.b().spawn("server", [](Process& self) -> Task<> {
    auto incoming = co_await ok(accept(self.network(), kNumbers));
    auto end = co_await ok(serve_end(kNumbers, co_await ok(incoming.recv())));
    co_await ok(end.rx.recv());
    end.rx.stop();
    co_await ok(end.tx.send(77));
    const auto after = co_await end.rx.recv();
    CHECK(after.code() == Code::stopped);
    co_await ok(end.tx.flush());
    co_return {};
  });
  hosts.run([](Process& self) -> Task<> {
    auto end = co_await ok(open(self.network(), kNumbers, {"b"}));
    co_await ok(end.tx.send(0));
    Result<> sent;
    while (sent) sent = co_await end.tx.send(1);
    CHECK(sent.code() == Code::stopped);
    const std::uint64_t answer = co_await ok(end.rx.recv());
    CHECK(answer == 77);
    co_return {};
  });
}

TEST_CASE("a simulated reset ends both directions with its status at the peer") {
  TwoHosts hosts;
  hosts.b().spawn("server", [](Process& self) -> Task<> {
    auto incoming = co_await ok(accept(self.network(), kNumbers));
    auto end = co_await ok(serve_end(kNumbers, co_await ok(incoming.recv())));
    end.reset(Code::not_found, "no such number");
    co_await ok(sleep(1s));
    co_return {};
  });
  hosts.run([](Process& self) -> Task<> {
    auto end = co_await ok(open(self.network(), kNumbers, {"b"}));
    const auto received = co_await end.rx.recv();
    CHECK(received.error().status() == Code::not_found);
    CHECK(received.error().detail() == "no such number");
    const auto sent = co_await end.tx.send(1);
    CHECK(sent.error().status() == Code::not_found);
    co_return {};
  });
}

TEST_CASE("a program that ends in order leaves all that it sent to its simulated peer") {
  TwoHosts hosts;
  Seen& seen = hosts.new_seen();
  hosts.b().spawn("server", collect(kNumbers, seen));
  hosts.run([](Process& self) -> Task<> {
    auto end = co_await ok(open(self.network(), kNumbers, {"b"}));
    co_await ok(sleep(10ms));
    for (std::uint64_t i = 0; i < 8; ++i) co_await ok(end.tx.send(i));
    end.tx.close();
    co_return {};
  });
  hosts.world.run_for(1s);
  CHECK(seen.values.size() == 8);
  REQUIRE(seen.end);
  CHECK(seen.end->code() == Code::closed);
}

TEST_CASE("a channel travels inside a simulated message, and an unclaimed one is reset") {
  TwoHosts hosts;
  hosts.b().spawn("server", [](Process& self) -> Task<> {
    auto incoming = co_await ok(accept(self.network(), kJobs));
    auto end = co_await ok(serve_end(kJobs, co_await ok(incoming.recv())));
    auto job = co_await ok(end.rx.recv());
    for (int i = 0; i < 10; ++i) co_await ok(job.reply.tx.send(std::to_string(i)));
    const std::string last = co_await ok(job.reply.rx.recv());
    CHECK(last == "thanks");
    end.rx.stop();
    co_await ok(sleep(1s));
    co_return {};
  });
  hosts.run([](Process& self) -> Task<> {
    auto end = co_await ok(open(self.network(), kJobs, {"b"}));
    auto [stays, travels] = make_duplex<std::string, std::string>(4);
    auto [second, dropped] = make_duplex<std::string, std::string>(4);
    co_await ok(end.tx.send({.number = 1, .reply = std::move(travels)}));
    co_await ok(end.tx.send({.number = 2, .reply = std::move(dropped)}));
    for (int i = 0; i < 10; ++i) {
      const std::string text = co_await ok(stays.rx.recv());
      CHECK(text == std::to_string(i));
    }
    co_await ok(stays.tx.send("thanks"));
    const auto unclaimed = co_await second.rx.recv();
    CHECK(unclaimed.error().status() == Code::cancelled);
    co_return {};
  });
}

TEST_CASE(
    "a simulated host is reached at the process that accepts the service, or at a named one") {
  TwoHosts hosts;
  Seen& seen = hosts.new_seen();
  hosts.b().spawn("first", echo);
  hosts.b().spawn("second", collect(kNumbers, seen));
  hosts.run([](Process& self) -> Task<> {
    auto text = co_await ok(open(self.network(), kText, {"b"}));
    CHECK(text.peer().address == "b/first");
    auto numbers = co_await ok(open(self.network(), kNumbers, {"b"}));
    CHECK(numbers.peer().address == "b/second");
    co_await ok(numbers.tx.send(5));
    co_await ok(numbers.tx.flush());
    auto wrong = co_await ok(open(self.network(), kText, {"b/second"}));
    const auto refused = co_await wrong.rx.recv();
    CHECK(refused.error().status() == Code::unimplemented);
    co_return {};
  });
  CHECK(seen.values == std::vector<std::uint64_t>{5});
}

TEST_CASE("a simulated server opens channels to a client that connected, by its name alone") {
  TwoHosts hosts;
  hosts.b().spawn("server", [](Process& self) -> Task<> {
    const auto early = co_await open(self.network(), kNumbers, {"a"});
    CHECK(early.code() == Code::unavailable);
    auto incoming = co_await ok(accept(self.network(), kText));
    auto asked = co_await ok(serve_end(kText, co_await ok(incoming.recv())));
    auto back = co_await ok(open(self.network(), kNumbers, {asked.peer().name}));
    co_await ok(back.tx.send(42));
    co_await ok(back.tx.flush());
    asked.tx.close();
    co_return {};
  });
  hosts.run([](Process& self) -> Task<> {
    auto asked = co_await ok(open(self.network(), kText, {"b"}, within(5s)));
    auto incoming = co_await ok(accept(self.network(), kNumbers));
    auto back = co_await ok(serve_end(kNumbers, co_await ok(incoming.recv())));
    const std::uint64_t value = co_await ok(back.rx.recv());
    CHECK(value == 42);
    const auto done = co_await asked.rx.recv();
    CHECK(done.code() == Code::closed);
    co_return {};
  });
}

TEST_CASE("a simulated opener has early credit before its channel is accepted, and no more") {
  TwoHosts hosts;
  std::size_t came = 0;
  hosts.b().spawn("server", [&came](Process& self) -> Task<> {
    auto ordered = co_await ok(accept(self.network(), kNumbers));
    auto opened = co_await ok(ordered.recv());
    co_await ok(sleep(1s));
    auto end = co_await ok(serve_end(kNumbers, std::move(opened)));
    while (co_await end.rx.recv()) ++came;
    co_return {};
  });
  hosts.run([](Process& self) -> Task<> {
    auto end = co_await ok(open(self.network(), kNumbers, {"b"}));
    std::uint64_t sent = 0;
    for (;;) {
      const Result<bool> tried = end.tx.try_send(sent);
      if (!tried || !*tried) break;
      ++sent;
    }
    CHECK(sent == 16);
    co_await ok(end.tx.send(sent));
    CHECK(self.scheduler().now() >= Time(1s));
    end.tx.close();
    co_await ok(end.tx.flush());
    co_return {};
  });
  CHECK(came == 17);
}

TEST_CASE("limits of a simulated network are refused with what they are") {
  TwoHosts hosts(1, {.network = {.channels_max = 3, .message_bytes_max = 100}});
  hosts.b().spawn("server", [](Process& self) -> Task<> {
    auto incoming = co_await ok(accept(self.network(), kText, 2));
    const auto again = accept(self.network(), kText);
    CHECK(again.code() == Code::already_exists);
    co_return co_await sleep(10s);
  });
  hosts.run([](Process& self) -> Task<> {
    std::vector<Duplex<std::string, std::string>> ends;
    for (int i = 0; i < 3; ++i) ends.push_back(co_await ok(open(self.network(), kText, {"b"})));
    const auto fourth = co_await open(self.network(), kText, {"b"});
    CHECK(fourth.code() == Code::resource_exhausted);
    co_await ok(sleep(100ms));
    std::size_t refused = 0;
    std::size_t whole = 0;  // One that waits to be accepted.
    for (std::size_t i = 0; i < ends.size(); ++i) {
      const auto tried = ends[i].rx.try_recv();
      if (tried) {
        whole = i;
      } else {
        refused += tried.error().status() == Code::resource_exhausted;
      }
    }
    CHECK(refused == 1);
    const auto large = co_await ends[whole].tx.send(std::string(200, 'x'));
    CHECK(large.code() == Code::invalid_argument);
    co_await ok(ends[whole].tx.send("small"));
    const Result<> nameless = self.network().learn({""}, {});
    CHECK(nameless.code() == Code::invalid_argument);
    CHECK(self.network().learn({"b"}, {"10.0.0.2:7000"}));
    co_return {};
  });
}
