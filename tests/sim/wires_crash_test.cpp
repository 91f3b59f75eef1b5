// What peers see of a process that ends, crashes, or loses its power.
#include <doctest/doctest.h>

#include "tests/sim/world_wire_pair.h"

using namespace tubing;
using namespace tubing::sim;
using namespace std::chrono_literals;

TEST_CASE("the connections of a process that was killed are broken off by its host") {
  WorldWirePair pair;
  const Time start = pair.world.now();
  CHECK(pair.server->write("last words"));
  pair.crash_listener();
  pair.world.run_for(1s);
  CHECK(pair.client->received == "last words");
  CHECK(pair.client->how_ended() == Code::lost);
  CHECK(pair.client->end_time == start + 1ms);
  pair.dial();
  pair.world.run_for(1s);
  REQUIRE(pair.dial_error);
  CHECK(pair.dial_error->text().contains("refuses connections"));
  pair.listener.start();
  pair.listen();
  pair.dial();
  pair.world.run_for(1s);
  CHECK(pair.client->write("again"));
  pair.world.run_for(1s);
  CHECK(pair.server->received == "again");
}

TEST_CASE("nothing of a host that lost its power is heard until it has it back") {
  WorldWirePair pair;
  CHECK(pair.server->write("last words"));
  pair.darken_listener();
  CHECK(pair.count(FaultKind::half_open) == 1);
  CHECK(pair.client->write("hello?"));
  pair.world.run_for(60s);
  CHECK(pair.client->received == "last words");
  CHECK_FALSE(pair.client->end);
  pair.b.power_on();
  pair.world.run_for(11s);
  CHECK(pair.client->how_ended() == Code::lost);
}

TEST_CASE("a half-open connection shows itself at the next write alone") {
  WorldWirePair pair;
  pair.darken_listener();
  pair.b.power_on();
  pair.world.run_for(1h);
  CHECK_FALSE(pair.client->end);
  CHECK(pair.client->write("hello?"));
  pair.world.run_for(2ms);
  CHECK(pair.client->how_ended() == Code::lost);
}

TEST_CASE("a reset that is lost on its way leaves the connection half-open") {
  WorldWirePair pair;
  pair.world.links().cut(pair.a.id(), pair.b.id());
  CHECK(pair.server->write("never heard"));
  pair.crash_listener();
  pair.world.run_for(10s);
  CHECK(pair.count(FaultKind::half_open) == 1);
  pair.world.links().repair_all();
  pair.world.run_for(1h);
  CHECK(pair.client->received.empty());
  CHECK_FALSE(pair.client->end);
  CHECK(pair.client->write("hello?"));
  pair.world.run_for(2ms);
  CHECK(pair.client->how_ended() == Code::lost);
}

TEST_CASE("what a process wrote before it ended in order arrives, and then its end") {
  World world(1);
  Host& a = world.add_host({.name = "a"});
  Process& reader = a.spawn("reader", sleep_for_ever);
  std::unique_ptr<WirePeer> server;
  auto listening = *reader.transport().listen({"a", 7000}, [&](std::unique_ptr<rpc::Link> link) {
    server = std::make_unique<WirePeer>(reader.reactor(), std::move(link));
  });
  world.links().set_conditions({.bytes_per_second = 100'000});
  world.add_host({.name = "b"}).spawn("writer", [](Process& self) -> Task<> {
    Channel<char> dialed{1};
    std::unique_ptr<WirePeer> client;
    auto dialing = self.transport().dial({"a", 7000}, [&](Result<std::unique_ptr<rpc::Link>> link) {
      client = std::make_unique<WirePeer>(self.reactor(), *std::move(link));
      dialed.close();
    });
    (void)co_await dialed.recv();
    (void)client->write(std::string(100'000, 'x'));
    co_return {};
  });
  world.run_for(10s);
  REQUIRE(server);
  CHECK(server->received.size() == 100'000);
  CHECK(server->how_ended() == Code::closed);
}

TEST_CASE("what a process does behind its crash reaches neither its peers nor the hash") {
  const auto run = [](bool speaks) {
    WorldWirePair pair;
    // A program that, told to stop, still wants to say something.
    Process& speaker = pair.b.spawn("speaker", [&pair, speaks](Process& self) -> Task<> {
      Result<> stopped = co_await sleep(Duration::max());
      if (!speaks) co_return stopped;
      (void)pair.server->write("from beyond");
      CHECK(self.transport().listen({"b", 8000}, nullptr).code() == Code::unavailable);
      auto dialing = self.transport().dial({"a", 1}, nullptr);
      co_return stopped;
    });
    pair.world.run_for(1s);
    pair.listening.reset();
    (void)speaker;
    pair.b.power_off();
    pair.server.reset();
    pair.world.run_for(10s);
    CHECK(pair.client->received.empty());
    return pair.world.hash();
  };
  CHECK(run(true) == run(false));
}
