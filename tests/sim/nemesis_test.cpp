#include "tubing/sim/nemesis.h"

#include <doctest/doctest.h>

#include "tests/rpc/node_hosts.h"
#include "tubing/channel/timers.h"

using tubing::Duration;
using tubing::Task;
using tubing::Time;
using namespace tubing::sim;
using namespace std::chrono_literals;

namespace {

Task<> wait_for_ever(Process&) { co_return co_await tubing::sleep(Duration::max()); }

Task<> serve_echo(Process& self) {
  co_return co_await tubing::nursery([&](tubing::Nursery& n) -> Task<> {
    co_await tubing::ok(tubing::serve(n, self.network(), tubing::test::kText, tubing::test::echo));
    co_return co_await wait_for_ever(self);
  });
}

// Three hosts with a process each, and a schedule that is carried out.
struct Scene {
  explicit Scene(std::string_view text, Program program = wait_for_ever) {
    for (const char* name : {"a", "b", "c"}) world.add_host({.name = name}).spawn("p", program);
    auto schedule = read_schedule(text, {"a", "b", "c"});
    REQUIRE(schedule);
    nemesis.emplace(world, *std::move(schedule));
  }
  Links& links() { return world.links(); }
  Process& process(std::string_view host) { return world.host(host).process("p"); }
  void until(Duration at) { world.run_until(Time(at)); }

  World world{1};
  std::optional<Nemesis> nemesis;
};

}  // namespace

TEST_CASE("a fault of a link begins when it is due and ends when its span is over") {
  Scene scene("1s cut a -> b for 2s\n1s drop a -> c 1000ppm for 1s\n2s hold c -> a,b for 1s");
  scene.until(999ms);
  CHECK_FALSE(scene.nemesis->active());
  scene.until(1s);
  CHECK(scene.links().faults(0, 1) == LinkFaults{.cut = true});
  CHECK(scene.links().faults(1, 0) == LinkFaults{});
  CHECK(scene.links().faults(0, 2) == LinkFaults{.drop_ppm = 1'000});
  scene.until(2s);
  CHECK(scene.links().faults(0, 2) == LinkFaults{});
  CHECK(scene.links().faults(2, 0).held);
  CHECK(scene.links().faults(2, 1).held);
  CHECK(scene.links().faults(0, 1).cut);
  scene.until(3s);
  CHECK_FALSE(scene.links().faults(0, 1).cut);
  CHECK_FALSE(scene.links().faults(2, 0).held);
  CHECK_FALSE(scene.nemesis->active());
  CHECK(scene.nemesis->begun(FaultAction::cut) == 1);
}

TEST_CASE("faults that overlap add up to the worst, and the end of one leaves the other") {
  Scene scene(
      "1s drop a -> b 1000ppm for 4s\n2s drop a -> b 9000ppm for 1s\n2s corrupt a -> b 7ppm for "
      "1s");
  scene.until(2s);
  CHECK(scene.links().faults(0, 1) == LinkFaults{.drop_ppm = 9'000, .corrupt_ppm = 7});
  scene.until(3s);
  CHECK(scene.links().faults(0, 1) == LinkFaults{.drop_ppm = 1'000});
  scene.until(5s);
  CHECK_FALSE(scene.links().faults(0, 1).any());
}

TEST_CASE("every rate of a link reaches the fault that it names") {
  Scene scene(
      "1s deaf a -> b 1ppm\n1s duplicate a -> b 2ppm\n1s reorder a -> b 3ppm\n"
      "1s reset a -> b 4ppm\n1s drop c 5ppm\n1s deaf c 6ppm\n1s isolate b\n"
      "1s corrupt b -> c 7ppm\n1s drop b -> c 8ppm\n1s hold c -> a\n1s cut c -> b\n"
      "1s refuse c 9ppm");
  scene.until(1s);
  CHECK(scene.links().faults(0, 1) ==
        LinkFaults{.deaf_ppm = 1, .duplicate_ppm = 2, .reorder_ppm = 3, .reset_ppm = 4});
  CHECK(scene.links().card(2) == CardFaults{.drop_ppm = 5, .deaf_ppm = 6});
  CHECK(scene.links().card(1) == CardFaults{.isolated = true});
  CHECK(scene.links().faults(1, 2) == LinkFaults{.drop_ppm = 8, .corrupt_ppm = 7});
  CHECK(scene.links().faults(2, 0) == LinkFaults{.held = true});
  CHECK(scene.links().faults(2, 1) == LinkFaults{.cut = true});
  CHECK(scene.world.wires().refused_ppm(2) == 9);
}

TEST_CASE("in a partition hosts of one group reach each other, as a bridge does both sides") {
  Scene scene("1s partition a,b | b,c for 1s");
  scene.until(1s);
  CHECK(scene.links().connected(0, 1));
  CHECK(scene.links().connected(1, 2));
  CHECK_FALSE(scene.links().connected(0, 2));
  CHECK_FALSE(scene.links().connected(2, 0));
  scene.until(2s);
  CHECK(scene.links().connected(0, 2));
}

TEST_CASE("a killed host starts again when the fault is over, and dark ones when power returns") {
  Scene scene("1s crash a for 2s\n2s crash a for 3s\n1s power b for 2s\n2s power b for 2s");
  scene.until(1s);
  CHECK_FALSE(scene.process("a").running());
  CHECK_FALSE(scene.world.host("b").powered());
  scene.until(3s);
  CHECK_FALSE(scene.process("a").running());
  CHECK_FALSE(scene.world.host("b").powered());
  scene.until(4s);
  CHECK(scene.process("b").running());
  scene.until(5s);
  CHECK(scene.process("a").running());
  CHECK(scene.process("a").starts() == 2);
  CHECK(scene.process("c").starts() == 1);
}

TEST_CASE("a process that is killed in the middle of a long step starts again when it is dead") {
  Scene scene("1s crash a for 1ms", [](Process& self) -> Task<> {
    self.set_pace({.pause_ppm = kPpm, .pause_min = 300ms, .pause_max = 300ms});
    for (;;) co_await tubing::ok(tubing::sleep(900ms));
  });
  scene.until(990ms);
  REQUIRE(scene.process("a").reactor().world_now() > Time(1001ms));
  scene.until(3s);
  CHECK(scene.process("a").running());
  CHECK(scene.process("a").starts() == 2);
}

TEST_CASE("a program that ended by itself is not started by the end of a fault") {
  Scene scene("1s crash a for 1s\n3s heal",
              [](Process&) -> Task<> { co_return co_await tubing::sleep(500ms); });
  scene.until(4s);
  CHECK(scene.process("a").starts() == 1);
}

TEST_CASE("a paused host stands still until the last of its pauses is over") {
  std::vector<Time> woke;
  const auto tell = [](Process& self, std::vector<Time>& to) -> Task<> {
    co_await tubing::ok(tubing::sleep(1500ms));
    if (self.host().name() == "a") to.push_back(self.world().now());
    co_return {};
  };
  Scene scene("1s pause a for 2s\n2s pause a for 3s",
              [&](Process& self) { return tell(self, woke); });
  scene.until(4999ms);
  CHECK(woke.empty());
  CHECK(scene.process("a").paused());
  scene.until(6s);
  REQUIRE(woke.size() == 1);
  CHECK(woke[0] >= Time(5s));
}

TEST_CASE("clocks drift for the span of a fault and leap in an instant") {
  Scene scene("1s clock_rate a 100000000ppb for 10s\n2s clock_jump b 3s\n2s wall_jump c -1s");
  scene.until(1s);
  CHECK(scene.world.host("a").clock().rate_ppb() == 100'000'000);
  scene.until(12s);
  CHECK(scene.world.host("a").clock().rate_ppb() == 0);
  CHECK(scene.world.host("a").clock().read(Time(12s)) >= Time(13s));
  CHECK(scene.world.host("b").clock().read(Time(12s)) == Time(15s));
  CHECK(scene.world.host("c").clock().wall_offset() == -1s);
}

TEST_CASE("of clock rates that overlap the one that began last is in force") {
  Scene scene("1s clock_rate a 100000ppb for 10s\n2s clock_rate a 7ppb for 2s");
  scene.until(3s);
  CHECK(scene.world.host("a").clock().rate_ppb() == 7);
  scene.until(4s);
  CHECK(scene.world.host("a").clock().rate_ppb() == 100'000);
}

TEST_CASE("what starts on a host meets the faults that still last") {
  Scene crashed("1s crash a for 5s\n2s power a for 1s");
  crashed.until(4s);
  CHECK_FALSE(crashed.process("a").running());
  crashed.until(7s);
  CHECK(crashed.process("a").running());
  Scene paused("1s pause a for 5s\n2s crash a for 1s\n2s power b for 1s\n1s pause b for 5s");
  paused.until(4s);
  for (const char* host : {"a", "b"}) {
    CHECK(paused.process(host).running());
    CHECK(paused.process(host).paused());
  }
  paused.until(7s);
  for (const char* host : {"a", "b"}) CHECK_FALSE(paused.process(host).paused());
}

TEST_CASE("a disk has the rates of the schedule for their span, and its own again then") {
  World world(1);
  DiskMedium& medium = world.add_host({.name = "a"}).disk();
  medium.set_conditions({.read_error = 5});
  auto schedule = read_schedule("1s disk a sync_error 700ppm for 1s\n1s disk a hung 9ppm", {"a"});
  REQUIRE(schedule);
  Nemesis nemesis(world, *std::move(schedule));
  world.run_until(Time(1s));
  CHECK(medium.conditions().sync_error == 700);
  CHECK(medium.conditions().hung == 9);
  CHECK(medium.conditions().read_error == 5);
  world.run_until(Time(2s));
  CHECK(medium.conditions().sync_error == 0);
  CHECK(medium.conditions().hung == 9);
}

TEST_CASE("a slow link takes longer, a narrow one passes less, and both are then as they were") {
  World world(1);
  for (const char* name : {"a", "b"}) world.add_host({.name = name});
  const LinkConditions before{.latency_min = 1ms,
                              .latency_max = 2ms,
                              .tail_ppm = 5,
                              .latency_tail_max = 9ms,
                              .bytes_per_second = 5'000};
  world.links().set_conditions(0, 1, before);
  auto schedule = read_schedule(
      "1s slow a -> b 20ms for 2s\n2s slow a -> b 50ms for 2s\n1s throttle a -> b 9000B/s for 1s\n"
      "2s throttle a -> b 3000B/s for 3s\n3s throttle a -> b 4000B/s for 3s\n"
      "1s throttle b -> a 7B/s for 1s",
      {"a", "b"});
  REQUIRE(schedule);
  Nemesis nemesis(world, *std::move(schedule));
  const auto at = [&](Duration time, Duration longer, std::uint64_t bytes_per_second) {
    CAPTURE(time.count());
    world.run_until(Time(time));
    LinkConditions wanted = before;
    wanted.latency_max += longer;
    wanted.latency_tail_max += longer;
    wanted.bytes_per_second = bytes_per_second;
    CHECK((world.links().conditions(0, 1) == wanted));
  };
  at(1s, 20ms, 5'000);
  CHECK(world.links().conditions(1, 0).bytes_per_second == 7);
  at(2s, 50ms, 3'000);
  CHECK((world.links().conditions(1, 0) == LinkConditions{}));
  at(4s, 0ms, 3'000);
  at(5s, 0ms, 4'000);
  at(6s, 0ms, 5'000);
  CHECK(world.links().counts().of(FaultKind::slowed) == 2);
  CHECK(world.links().counts().of(FaultKind::throttled) == 4);
}

TEST_CASE("dials to a host that refuses them fail in both modes until it is over") {
  for (const Mode mode : {Mode::message, Mode::byte}) {
    CAPTURE(static_cast<int>(mode));
    World world(1, {.mode = mode});
    world.add_host({.name = "a"}).spawn("p", serve_echo);
    Process& user = world.add_host({.name = "b"}).spawn("p", [](Process& self) -> Task<> {
      while (self.world().now() < Time(1s)) co_await tubing::ok(tubing::sleep(100ms));
      const tubing::Result<> refused = co_await tubing::test::talk_once(self.network(), {"a"});
      CHECK(refused.code() == tubing::Code::unavailable);
      while (self.world().now() < Time(8s)) co_await tubing::ok(tubing::sleep(100ms));
      co_return co_await tubing::test::talk_once(self.network(), {"a"});
    });
    auto schedule = read_schedule("0s refuse a 1000000ppm for 5s", {"a", "b"});
    REQUIRE(schedule);
    Nemesis nemesis(world, *std::move(schedule));
    CHECK(world.run_until_ended(user));
    CHECK(world.links().counts().of(FaultKind::dial_refused) > 0);
  }
}

TEST_CASE("a host that is wiped is dark for the span and comes back with an empty disk") {
  int found = 0;
  const auto store = [](Process& self, int& files) -> Task<> {
    files += static_cast<int>(self.host().disk().image().size());
    auto file = co_await tubing::ok(self.disk().open("f", tubing::channel::OpenMode::create));
    co_await tubing::ok(file.sync());
    co_await tubing::ok(self.disk().sync_dir(""));
    co_return co_await wait_for_ever(self);
  };
  Scene scene("1s power a for 1s\n3s wipe a for 2s\n4s power a for 2s",
              [&](Process& self) { return store(self, found); });
  scene.until(2500ms);
  CHECK(found == 1);  // A loss of power takes nothing that was synced.
  scene.until(5500ms);
  CHECK_FALSE(scene.world.host("a").powered());
  CHECK(scene.world.host("a").disk().image().empty());
  CHECK(scene.world.host("b").disk().image().size() == 1);
  scene.until(7s);
  CHECK(scene.process("a").running());
  CHECK(scene.process("a").starts() == 3);
  CHECK(found == 1);
  CHECK(scene.world.host("a").disk().counts().of(DiskFault::wiped) == 1);
}

TEST_CASE("heal ends all that is in force, and no later end disturbs") {
  Scene scene(
      "1s partition a | b,c for 9s\n1s isolate c\n1s drop a 5ppm for 8s\n1s crash a\n"
      "1s power b for 7s\n1s pause c\n1s clock_rate c 1000ppb\n1s refuse a 5ppm\n1s slow a -> b "
      "1s\n"
      "1s throttle b -> a 9B/s\n1s disk a sync_error 5ppm\n1s disk c lost_name 999999ppm\n"
      "2s heal\n3s crash b\n9s heal late");
  scene.until(1500ms);
  CHECK(scene.world.host("a").disk().conditions().sync_error == 5);
  CHECK(scene.world.host("c").disk().conditions().lost_name == 999'999);
  CHECK(scene.links().conditions(1, 0).bytes_per_second == 9);
  scene.until(2s);
  CHECK_FALSE(scene.nemesis->active());
  for (HostId host = 0; host < 3; ++host) {
    CAPTURE(host);
    CHECK(scene.links().state(host) == LinkState::healthy);
    CHECK(scene.world.host(host).powered());
    CHECK(scene.world.host(host).process("p").running());
    CHECK(scene.world.host(host).clock().rate_ppb() == 0);
    CHECK(scene.world.wires().refused_ppm(host) == 0);
    CHECK(scene.world.host(host).disk().conditions().sync_error == 0);
    CHECK(scene.world.host(host).disk().conditions().lost_name == 500'000);
    for (HostId to = 0; to < 3; ++to)
      CHECK((scene.links().conditions(host, to) == LinkConditions{}));
  }
  CHECK_FALSE(scene.process("c").paused());
  scene.until(8500ms);  // What would have ended has ended already.
  CHECK_FALSE(scene.process("b").running());
  scene.until(9s);
  CHECK(scene.process("b").running());
}

TEST_CASE("one fault of a schedule changes the hash of a world") {
  const auto hash_with = [](std::string_view text) {
    Scene scene(text);
    scene.until(5s);
    return scene.world.hash();
  };
  CHECK(hash_with("1s cut a -> b") == hash_with("1s cut a -> b"));
  CHECK(hash_with("1s cut a -> b") != hash_with("1s cut a -> c"));
  CHECK(hash_with("1s drop a -> b 1ppm") != hash_with("1s drop a -> b 2ppm"));
}
