// Every fault of a link as byte streams meet it: what it does, and that it ends.
#include <doctest/doctest.h>

#include "tests/sim/world_wire_pair.h"

using namespace tubing;
using namespace tubing::sim;
using namespace std::chrono_literals;

TEST_CASE("a chunk that is dropped is sent again, later each time, and arrives once it is not") {
  WorldWirePair pair;
  const Time start = pair.world.now();
  pair.set_faults({.drop_ppm = kPpm});
  CHECK(pair.client->write("ping"));
  CHECK(pair.server->write("pong"));
  pair.world.run_until(start + 1s);
  CHECK(pair.server->received.empty());
  CHECK(pair.client->received == "pong");
  CHECK(pair.count(FaultKind::dropped) == 3);  // after 1, 201, 601 ms
  pair.set_faults({});
  pair.world.run_for(1s);
  CHECK(pair.server->received == "ping");
  CHECK(pair.server->times == std::vector{start + 1401ms});
}

TEST_CASE("a chunk that is not heard is sent again") {
  WorldWirePair pair;
  pair.world.links().set_card(pair.b.id(), {.deaf_ppm = kPpm});
  CHECK(pair.client->write("ping"));
  pair.world.run_for(1s);
  CHECK(pair.server->received.empty());
  CHECK(pair.count(FaultKind::deaf) == 3);
  pair.world.links().repair_host(pair.b.id());
  pair.world.run_for(1s);
  CHECK(pair.server->received == "ping");
}

TEST_CASE("chunks that are lost now and then arrive late, all of them and in their order") {
  WorldWirePair pair({.wires = {.chunk_bytes_min = 1, .chunk_bytes_max = 9}});
  pair.set_faults({.drop_ppm = 200'000, .deaf_ppm = 100'000});
  std::string sent;
  for (int i = 0; i < 100; ++i) {
    sent += std::to_string(i) + " ";
    CHECK(pair.client->write(std::to_string(i) + " "));
  }
  pair.world.run_for(1h);
  CHECK(pair.server->received == sent);
  CHECK(pair.count(FaultKind::dropped) > 5);
  CHECK(pair.count(FaultKind::deaf) > 2);
}

TEST_CASE("nothing passes a cut in its direction, and all goes on at a retransmission behind it") {
  WorldWirePair pair;
  const Time start = pair.world.now();
  pair.set_faults({.cut = true});
  CHECK(pair.client->write("one "));
  CHECK(pair.client->write("two"));
  CHECK(pair.server->write("back"));
  pair.world.run_until(start + 3s);
  CHECK(pair.server->received.empty());
  CHECK(pair.client->received == "back");
  pair.set_faults({});
  pair.world.run_for(10s);
  CHECK(pair.server->received == "one two");
  // Tried after 1 ms, and in vain 200, 600, 1400 ms after that.
  CHECK(pair.server->times.front() == start + 3001ms);
}

TEST_CASE("an isolated host exchanges nothing with others, and goes on once it is not") {
  WorldWirePair pair;
  pair.world.links().isolate(pair.b.id());
  CHECK(pair.client->write("ping"));
  CHECK(pair.server->write("pong"));
  pair.world.run_for(60s);
  CHECK(pair.server->received.empty());
  CHECK(pair.client->received.empty());
  pair.world.links().unisolate(pair.b.id());
  pair.world.run_for(11s);
  CHECK(pair.server->received == "ping");
  CHECK(pair.client->received == "pong");
}

TEST_CASE("what is held on a link arrives in the instant in which it is released") {
  WorldWirePair pair;
  pair.set_faults({.held = true});
  CHECK(pair.client->write("one "));
  pair.world.run_for(5s);
  CHECK(pair.client->write("two"));
  pair.world.run_for(5s);
  CHECK(pair.server->received.empty());
  const Time released = pair.world.now();
  pair.set_faults({});
  pair.world.run_for(1s);
  CHECK(pair.server->received == "one two");
  CHECK(pair.server->times == std::vector{released, released});
}

TEST_CASE("corruption flips one bit of a chunk, and none once it has ended") {
  WorldWirePair pair;
  pair.set_faults({.corrupt_ppm = kPpm});
  CHECK(pair.client->write(std::string(1000, 'x')));
  pair.world.run_for(1s);
  REQUIRE(pair.server->received.size() == 1000);
  int flipped = 0;
  for (const char c : pair.server->received)
    flipped += std::popcount(static_cast<unsigned char>(c ^ 'x'));
  CHECK(flipped == 1);
  CHECK(pair.count(FaultKind::corrupted) == 1);
  pair.set_faults({});
  CHECK(pair.client->write("clean"));
  pair.world.run_for(1s);
  CHECK(pair.server->received.ends_with("clean"));
}

TEST_CASE("a reset on the way breaks the connection for both ends, each when it hears of it") {
  WorldWirePair pair;
  const Time start = pair.world.now();
  pair.set_faults({.reset_ppm = kPpm});
  CHECK(pair.client->write("ping"));
  pair.world.run_for(1s);
  CHECK(pair.server->how_ended() == Code::lost);
  CHECK(pair.server->end_time == start + 1ms);
  CHECK(pair.client->how_ended() == Code::lost);
  CHECK(pair.client->end_time == start + 2ms);
  CHECK(pair.server->received.empty());
  CHECK(pair.count(FaultKind::reset) == 1);
  pair.set_faults({});
  pair.dial();
  pair.world.run_for(1s);
  CHECK(pair.client->write("again"));
  pair.world.run_for(1s);
  CHECK(pair.server->received == "again");
}

TEST_CASE("a link has a tail of latencies that a few chunks meet") {
  WorldWirePair pair;
  pair.world.links().set_conditions(
      pair.a.id(), pair.b.id(),
      {.latency_min = 1ms, .latency_max = 1ms, .tail_ppm = kPpm, .latency_tail_max = 1s});
  const Time start = pair.world.now();
  CHECK(pair.client->write("ping"));
  pair.world.run_for(2s);
  REQUIRE(pair.server->times.size() == 1);
  CHECK(pair.server->times[0] > start + 10ms);
  CHECK(pair.server->times[0] <= start + 1s);
}

TEST_CASE("bandwidth of a link is kept to by connections that are open already") {
  WorldWirePair pair;
  const LinkConditions slow{.latency_min = 1ms, .latency_max = 1ms, .bytes_per_second = 1000};
  const Time start = pair.world.now();
  pair.world.links().set_conditions(pair.a.id(), pair.b.id(), slow);
  CHECK(pair.client->write(std::string(500, 'x')));
  pair.world.run_for(1s);
  CHECK(pair.server->times == std::vector{start + 501ms});
  pair.world.links().set_conditions(pair.a.id(), pair.b.id(),
                                    {.latency_min = 1ms, .latency_max = 1ms});
  CHECK(pair.client->write(std::string(500, 'x')));
  pair.world.run_for(1s);
  CHECK(pair.server->times.back() == start + 1001ms);
}

TEST_CASE("chunks that a bad link delays arrive once it is good again") {
  const LinkConditions good{.latency_min = 1ms, .latency_max = 1ms};
  for (const LinkConditions& bad :
       {LinkConditions{.latency_min = 1ms, .latency_max = 1ms, .bytes_per_second = 1},
        LinkConditions{.latency_min = 3600s, .latency_max = 7200s}}) {
    WorldWirePair pair;
    pair.world.links().set_conditions(pair.a.id(), pair.b.id(), bad);
    std::string sent;
    for (int i = 0; i < 50; ++i) {
      sent += std::string(100, static_cast<char>('0' + i));
      CHECK(pair.client->write(std::string(100, static_cast<char>('0' + i))));
    }
    pair.world.run_for(1s);
    CHECK(pair.server->received.empty());
    pair.world.links().set_conditions(pair.a.id(), pair.b.id(), good);
    pair.world.run_for(10ms);
    CHECK(pair.server->received == sent);
  }
}

TEST_CASE("a write blocks where the peer takes nothing, and goes on when it does") {
  WorldWirePair pair({.wires = {.send_buffer_bytes = 1000, .window_bytes = 1000}});
  const std::string sent(5000, 'x');
  SUBCASE("because its link is held") { pair.set_faults({.held = true}); }
  SUBCASE("because its link is cut") { pair.set_faults({.cut = true}); }
  SUBCASE("because its process is paused") { pair.listener.pause(); }
  CHECK_FALSE(pair.client->write(sent));
  pair.world.run_for(5s);
  CHECK(pair.client->writable == 0);
  CHECK(pair.count(FaultKind::write_blocked) == 1);
  pair.set_faults({});
  pair.listener.resume();
  pair.world.run_for(20s);
  CHECK(pair.client->writable == 1);
  CHECK(pair.server->received == sent);
}

TEST_CASE("a dial is refused where nobody listens, and by order, and taken again later") {
  WorldWirePair pair;
  SUBCASE("nobody listens") { pair.listening.reset(); }
  SUBCASE("by order") { pair.world.wires().refuse(pair.b.id(), kPpm); }
  const Time start = pair.world.now();
  pair.dial();
  pair.world.run_for(1s);
  REQUIRE(pair.dial_error);
  CHECK(pair.dial_error->code() == Code::unavailable);
  CHECK(pair.dial_error->text().contains("b:7000: it refuses connections"));
  CHECK(pair.count(FaultKind::dial_refused) == 1);
  if (!pair.listening) pair.listen();
  pair.world.wires().refuse(pair.b.id(), 0);
  pair.client.reset();
  pair.dial();
  pair.world.run_for(1s);
  CHECK(pair.client);
  CHECK(pair.world.now() == start + 2s);
}

TEST_CASE("a dial that nobody answers is tried again, and given up in the end") {
  WorldWirePair pair;
  pair.client.reset();
  SUBCASE("on a link that is cut") { pair.set_faults({.cut = true}); }
  SUBCASE("on a link whose answers are lost") {
    pair.listening.reset();
    pair.world.links().set_faults(pair.b.id(), pair.a.id(), {.drop_ppm = kPpm});
  }
  SUBCASE("to a host that is dark") { pair.darken_listener(); }
  pair.dial();
  pair.world.run_for(60s);
  CHECK_FALSE(pair.dial_error);
  CHECK(pair.count(FaultKind::dial_unanswered) == 1);
  pair.world.run_for(4s);
  REQUIRE(pair.dial_error);
  CHECK(pair.dial_error->code() == Code::unavailable);
  CHECK(pair.dial_error->text().contains("nobody answers"));
}

TEST_CASE("a dial is answered at its next try when the link is whole again") {
  WorldWirePair pair;
  pair.client.reset();
  pair.set_faults({.cut = true});
  pair.dial();
  pair.world.run_for(1500ms);
  pair.set_faults({});
  pair.world.run_for(1499ms);
  CHECK_FALSE(pair.client);
  pair.world.run_for(4ms);
  CHECK(pair.client);
}

TEST_CASE(
    "connections wait for a process that does not look, as many as its backlog has room for") {
  WorldWirePair pair({.wires = {.backlog_max = 2}});
  pair.client.reset();
  pair.server.reset();
  pair.listener.pause();
  std::vector<std::unique_ptr<WirePeer>> clients;
  std::vector<std::unique_ptr<rpc::Dialing>> dialings;
  for (int i = 0; i < 3; ++i)
    dialings.push_back(
        pair.dialer.transport().dial({"b", 7000}, [&](Result<std::unique_ptr<rpc::Link>> link) {
          clients.push_back(std::make_unique<WirePeer>(pair.dialer.reactor(), *std::move(link)));
        }));
  pair.world.run_for(500ms);
  CHECK(clients.size() == 2);
  CHECK_FALSE(pair.server);
  CHECK(pair.count(FaultKind::dial_unanswered) == 1);
  pair.listener.resume();
  pair.world.run_for(1s);
  CHECK(clients.size() == 3);
  CHECK(pair.server);
}

TEST_CASE("a dial of a host that the world does not have fails at once") {
  WorldWirePair pair;
  std::optional<Error> error;
  auto dialing = pair.dialer.transport().dial(
      {"c", 7000}, [&](Result<std::unique_ptr<rpc::Link>> link) { error = link.error(); });
  CHECK_FALSE(error);
  pair.world.run_for(1ns);
  REQUIRE(error);
  CHECK(error->code() == Code::not_found);
}

TEST_CASE("a chunk of a byte stream takes the latency of its link, and some take its tail") {
  WorldWirePair pair({.mode = Mode::byte});
  pair.world.links().set_conditions(
      {.latency_min = 1ms, .latency_max = 1ms, .tail_ppm = kPpm / 2, .latency_tail_max = 1s});
  int late = 0;
  for (int i = 0; i < 50; ++i) {
    const Time begin = pair.world.now();
    pair.client->write("x");
    pair.world.run_for(2s);
    REQUIRE(pair.server->times.size() == static_cast<std::size_t>(i) + 1);
    const Duration took = pair.server->times.back() - begin;
    CHECK(took >= 1ms);
    CHECK(took <= 1s + 1ms);
    late += took > 2ms;
  }
  CHECK(late > 10);
  CHECK(late < 40);
}
