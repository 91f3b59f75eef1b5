#include "tubing/sim/wires.h"

#include <doctest/doctest.h>

#include "tests/rpc/node_hosts.h"
#include "tubing/sim/world.h"

using namespace tubing;
using namespace tubing::sim;
using namespace std::chrono_literals;

namespace {

Task<> serve_echo(Process& self) {
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, self.network(), test::kText, test::echo));
    co_return co_await sleep(Duration::max());
  });
}

Task<> talk_with(Process& self, std::vector<std::string> peers) {
  for (const std::string& peer : peers) co_await ok(test::talk_once(self.network(), {peer}));
  co_return {};
}

/// Runs a process of a new host that talks once with each of these. Returns: how it ended.
Result<> talk(World& world, std::string host, std::vector<std::string> peers) {
  Process& user =
      world.add_host({.name = std::move(host)}).spawn("user", [peers](Process& self) -> Task<> {
        return talk_with(self, peers);
      });
  return world.run_until_ended(user);
}

}  // namespace

TEST_CASE("two processes of a world talk over typed channels in byte mode") {
  World world(1, {.mode = Mode::byte});
  world.add_host({.name = "b"}).spawn("server", serve_echo);
  CHECK(talk(world, "a", {"b"}));
  CHECK(world.now() < Time(10ms));
}

TEST_CASE("a host that is added later is known by its name to the nodes that run already") {
  World world(1, {.mode = Mode::byte});
  Process& user = world.add_host({.name = "a"}).spawn("user", [](Process& self) -> Task<> {
    const Result<> unknown = co_await test::talk_once(self.network(), {"b"});
    CHECK(unknown.code() == Code::unavailable);
    co_await ok(sleep(1s));
    auto peer = co_await ok(open(self.network(), test::kText, {"b"}, within(5s)));
    co_await ok(peer.tx.send("ping"));
    co_await ok(peer.rx.recv());
    co_return {};
  });
  world.run_for(500ms);
  // It is dialled before its program has asked for its network.
  world.add_host({.name = "b"}).spawn("server", [](Process& self) -> Task<> {
    co_await ok(sleep(2s));
    co_return co_await serve_echo(self);
  });
  const Result<> ran = world.run_until_ended(user);
  CHECK_MESSAGE(ran, (ran ? "" : ran.error().text()));
}

TEST_CASE("each process of a host listens at a port of its own and keeps it over a crash") {
  World world(1, {.mode = Mode::byte});
  Host& host = world.add_host({.name = "b"});
  host.spawn("idle", [](Process&) -> Task<> { co_return co_await sleep(Duration::max()); });
  Process& first = host.spawn("first", serve_echo);
  Process& second = host.spawn("second", serve_echo);
  world.run_for(1s);
  first.crash();
  second.crash();
  second.start();
  world.run_for(1s);
  CHECK(host.node_count() == 2);
  CHECK(talk(world, "c", {"b@b:7001"}));
  CHECK(talk(world, "d", {"b"}));  // Its first address refuses, the second one answers.
  CHECK(talk(world, "e", {"b@b:7000"}).code() == Code::unavailable);
}

TEST_CASE("a peer in byte mode is who its host was declared to be, also after a crash") {
  World world(1, {.mode = Mode::byte});
  std::vector<PeerInfo> seen;
  Host& host = world.add_host({.name = "b", .roles = {"storage"}, .usage = "server"});
  Process& server = host.spawn("server", serve_echo);
  const auto look = [&seen](Process& self) -> Task<> {
    auto peer = co_await ok(open(self.network(), test::kText, {"b"}));
    seen.push_back(self.node().peers().at(0));
    co_return {};
  };
  CHECK(world.run_until_ended(world.add_host({.name = "a"}).spawn("user", look)));
  server.crash();
  server.start();
  CHECK(world.run_until_ended(world.host("a").spawn("again", look)));
  REQUIRE(seen.size() == 2);
  CHECK(seen[0].name == "b");
  CHECK(seen[0].roles == std::vector<std::string>{"storage"});
  CHECK(seen[0].usage == "server");
  CHECK(seen[0].key == seen[1].key);
}

TEST_CASE("a bit that flips on its way breaks the session and changes no value") {
  World world(1, {.mode = Mode::byte});
  Host& b = world.add_host({.name = "b"});
  b.spawn("server", serve_echo);
  Host& a = world.add_host({.name = "a"});
  std::vector<Code> ends;
  Process& user = a.spawn("user", [&ends](Process& self) -> Task<> {
    for (int i = 0; i < 2; ++i) {
      auto peer = co_await ok(open(self.network(), test::kText, {"b"}, within(10s)));
      Result<> last;
      for (int sent = 0; sent < 20 && last; ++sent) {
        co_await ok(sleep(100ms));
        (void)co_await peer.tx.send("ping");
        const Result<std::string> answer = co_await peer.rx.recv();
        if (answer) CHECK(*answer == "ping");
        if (!answer) last = answer.error();
      }
      ends.push_back(last.code());
      co_await ok(sleep(1s));
    }
    co_return {};
  });
  world.run_for(1s);
  world.links().set_faults(a.id(), b.id(), {.corrupt_ppm = kPpm});
  world.run_for(200ms);
  world.links().repair_all();
  const Result<> ran = world.run_until_ended(user);
  CHECK_MESSAGE(ran, (ran ? "" : ran.error().text()));
  CHECK(ends == std::vector{Code::lost, Code::ok});
  CHECK(world.links().counts().of(FaultKind::corrupted) > 0);
}

TEST_CASE("one nanosecond of latency and one byte of a message change the hash in byte mode") {
  const auto hash_of = [](Duration more, std::string_view said) {
    World world(1, {.mode = Mode::byte});
    world.links().set_conditions({.latency_min = 1ms + more, .latency_max = 1ms + more});
    world.add_host({.name = "b"}).spawn("server", serve_echo);
    const std::string text(said);
    Process& user = world.add_host({.name = "a"}).spawn("user", [text](Process& self) -> Task<> {
      auto peer = co_await ok(open(self.network(), test::kText, {"b"}));
      co_await ok(peer.tx.send(text));
      co_await ok(peer.rx.recv());
      co_return {};
    });
    CHECK(world.run_until_ended(user));
    return world.hash();
  };
  CHECK(hash_of(0ns, "ping") == hash_of(0ns, "ping"));
  CHECK(hash_of(0ns, "ping") != hash_of(1ns, "ping"));
  CHECK(hash_of(0ns, "ping") != hash_of(0ns, "pinh"));
}
