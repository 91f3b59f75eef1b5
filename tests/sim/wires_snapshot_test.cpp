// What a snapshot of the network shows of byte streams.
#include <fmt/format.h>

#include "tests/sim/world_wire_pair.h"

using namespace tubing;
using namespace tubing::sim;
using namespace std::chrono_literals;

namespace {

ConnectionSnapshot only_connection(World& world) {
  const NetworkSnapshot shot = world.snapshot();
  REQUIRE(shot.connections.size() == 1);
  return shot.connections[0];
}

}  // namespace

TEST_CASE("a snapshot shows what of a byte stream has arrived, is under way, and waits") {
  WorldWirePair pair(
      {.mode = Mode::byte,
       .wires = {.chunk_bytes_min = 100, .chunk_bytes_max = 100, .window_bytes = 200}});
  CHECK(only_connection(pair.world).state == "open");
  pair.client->write(std::string(1000, 'x'));
  ConnectionSnapshot shot = only_connection(pair.world);
  CHECK(shot.dialer == "a:49152");
  CHECK(shot.listener == "b:7000");
  CHECK(shot.there.written == 1000);
  CHECK(shot.there.arrived == 0);
  CHECK(shot.there.in_flight == 200);
  CHECK(shot.there.waiting == 800);
  CHECK(shot.there.held_up == "window");
  CHECK(shot.back.written == 0);
  CHECK(pair.world.snapshot().text().contains(
      "a:49152 -> b:7000 open: 0 of 1000 arrived, 200 in flight, 800 wait (window); back: 0 of 0"));

  pair.world.run_for(1500us);
  shot = only_connection(pair.world);
  CHECK(shot.there.arrived == 200);
  CHECK(shot.there.written == shot.there.arrived + shot.there.in_flight + shot.there.waiting);
  const NetworkSnapshot whole = pair.world.snapshot();
  CHECK(whole.unit == "bytes");
  CHECK(whole.links[0].traffic.sent == 1000);
  CHECK(whole.links[0].traffic.delivered == 200);
  CHECK(whole.links[0].traffic.in_flight == 200);
  CHECK(whole.text().contains("200/1000"));
  CHECK(whole.hosts[0].processes == std::vector<std::string>{"a/p"});

  pair.world.run_for(1s);
  shot = only_connection(pair.world);
  CHECK(shot.there.arrived == 1000);
  CHECK(shot.there.held_up.empty());
  // The traffic of a link outlives its connections.
  pair.client.reset();
  pair.server.reset();
  pair.world.run_for(1s);
  CHECK(pair.world.snapshot().connections.empty());
  CHECK(pair.world.snapshot().links[0].traffic.delivered == 1000);
}

TEST_CASE("a snapshot names what holds a byte stream up") {
  WorldWirePair pair({.mode = Mode::byte});
  const auto held_up = [&](const LinkFaults& faults) {
    pair.set_faults(faults);
    pair.client->write("x");
    pair.world.run_for(10ms);
    const ConnectionSnapshot shot = only_connection(pair.world);
    pair.set_faults({});
    pair.world.run_for(10s);
    CHECK(only_connection(pair.world).there.held_up.empty());
    return shot.there.held_up;
  };
  CHECK(held_up({}).empty());
  CHECK(held_up({.cut = true}) == "cut");
  CHECK(held_up({.held = true}) == "held");
  CHECK(held_up({.drop_ppm = kPpm}) == "lost");
  const NetworkSnapshot shot = pair.world.snapshot();
  CHECK(shot.links[0].traffic.dropped > 0);
  CHECK(shot.text().contains(fmt::format("a -> b: {} dropped", shot.links[0].traffic.dropped)));
}

TEST_CASE("a snapshot tells a connection that is dialled, half-open, or closing from an open one") {
  WorldWirePair pair({.mode = Mode::byte});
  const auto state = [&] { return only_connection(pair.world).state; };
  CHECK(state() == "open");
  pair.darken_listener();
  CHECK(state() == "half-open");
  pair.world.run_for(1s);
  CHECK(state() == "half-open");
  // Power is back, and what the client writes is answered by a reset.
  pair.b.power_on();
  pair.client->write("x");
  pair.world.run_for(1500us);
  CHECK(state() == "closing");
  pair.client.reset();
  pair.world.run_for(1s);
  CHECK(pair.world.snapshot().connections.empty());

  pair.set_faults({.cut = true});
  pair.dial();
  pair.world.run_for(1500ms);
  const NetworkSnapshot shot = pair.world.snapshot();
  REQUIRE(shot.dials.size() == 1);
  CHECK(shot.dials[0].from == "a:49153");
  CHECK(shot.dials[0].to == "b:7000");
  CHECK(shot.dials[0].tries == 2);
  CHECK(shot.text().contains("a:49153 -> b:7000 dialling: tried 2 times"));
  CHECK(shot.text().contains("x 1/1"));
  CHECK(shot.json().contains(R"("dials":[{"from":"a:49153","to":"b:7000","tries":2}])"));
  pair.world.run_for(2min);
  CHECK(pair.dial_error);
  CHECK(pair.world.snapshot().dials.empty());
}

TEST_CASE("a connection is dialled until the answer of its listener has arrived") {
  WorldWirePair pair({.mode = Mode::byte});
  pair.client.reset();
  pair.server.reset();
  pair.world.run_for(10ms);
  pair.dial();
  pair.world.run_for(1500us);
  CHECK(only_connection(pair.world).state == "dialling");
  CHECK(pair.world.snapshot().dials.empty());
  pair.world.run_for(1ms);
  CHECK(only_connection(pair.world).state == "open");
  const std::string json = pair.world.snapshot().json();
  CHECK(json.contains(R"("unit":"bytes")"));
  CHECK(json.contains(R"("dialer":"a:49153","listener":"b:7000","state":"open","there":)"));
}

TEST_CASE("a snapshot changes nothing of what happens") {
  std::string hashes[2];
  for (const bool look : {false, true}) {
    WorldWirePair pair({.mode = Mode::byte});
    pair.client->write("x");
    if (look) (void)pair.world.snapshot();
    pair.world.run_for(10ms);
    hashes[look] = pair.world.hash();
  }
  CHECK(hashes[0] == hashes[1]);
}
