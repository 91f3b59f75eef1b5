#include "tubing/sim/world.h"

#include <doctest/doctest.h>

#include <optional>

#include "tubing/channel/channel.h"
#include "tubing/channel/nursery.h"
#include "tubing/channel/timers.h"

using tubing::Code;
using tubing::Duration;
using tubing::Result;
using tubing::sleep;
using tubing::Task;
using tubing::Time;
using tubing::channel::OpenMode;
using tubing::sim::Crash;
using tubing::sim::Host;
using tubing::sim::Process;
using tubing::sim::Program;
using tubing::sim::World;
using namespace std::chrono_literals;

namespace {

Task<> sleep_twice(Process& self) {
  co_await tubing::ok(sleep(1s));
  co_return co_await sleep(Duration(static_cast<std::int64_t>(self.workload().below(1'000'000))));
}

tubing::Bytes bytes_of(std::string_view text) {
  const tubing::ByteView bytes = tubing::as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

Task<> wait_for_ever(Process&) { co_return co_await sleep(Duration::max()); }

}  // namespace

TEST_CASE("a process runs on its host until its program ends") {
  World world(1);
  Host& host = world.add_host({.name = "a"});
  Process& process = host.spawn("sleeper", sleep_twice);
  CHECK(process.name() == "a/sleeper");
  CHECK(process.running());
  CHECK(world.run_until_ended(process));
  CHECK_FALSE(process.running());
  CHECK(world.now() >= Time(1s));
  CHECK(world.now() < Time(1s + 2ms));
  CHECK(world.run_until_idle());
}

TEST_CASE("a world in which every task waits says who waits for what") {
  World world(1);
  world.add_host({.name = "a"}).spawn("waiter", [](Process&) -> Task<> {
    tubing::Channel<int> nobody{0};
    co_await tubing::ok(nobody.recv());
    co_return {};
  });
  const Result<> idle = world.run_until_idle();
  REQUIRE_FALSE(idle);
  CHECK(idle.error().code() == Code::failed_precondition);
  CHECK(idle.error().text().contains("a/waiter:\n  main #0: waits in recv"));
}

TEST_CASE("a process that was killed ends in the same instant and can be started again") {
  int ended = 0;
  World world(1);
  Process& process = world.add_host({.name = "a"}).spawn("p", [&ended](Process&) -> Task<> {
    Result<> slept = co_await sleep(Duration::max());
    ended += slept.code() == Code::cancelled;
    co_return slept;
  });
  world.run_for(1s);
  process.crash();
  CHECK_FALSE(process.running());
  CHECK(ended == 1);
  CHECK_FALSE(process.result());
  CHECK(world.now() == Time(1s));
  process.start();
  world.run_for(1s);
  CHECK(process.running());
  CHECK(process.starts() == 2);
}

TEST_CASE("a process that is killed and started in one instant starts again in every seed") {
  int dying = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    World world(seed, {.pace = {.pause_ppm = 300'000, .pause_max = 5ms}});
    Process& process = world.add_host({.name = "a"}).spawn("p", [](Process& self) -> Task<> {
      while (self.starts() == 1) co_await tubing::ok(sleep(1ms));
      co_return co_await wait_for_ever(self);
    });
    world.at(Time(world.workload().below(50'000) * 1us), [&] {
      process.crash();
      dying += process.dying();
      process.start();
    });
    world.run_for(1s);
    CHECK(process.running());
    CHECK_FALSE(process.dying());
    CHECK(process.starts() == 2);
  }
  CHECK(dying > 50);
  CHECK(dying < 200);
}

namespace {

// A host whose process is in the middle of a step of a second.
struct LongStep {
  explicit LongStep(Program program = wait_for_ever) {
    process = &host.spawn("p", std::move(program));
    world.run_for(1ms);
  }
  World world{1, {.pace = {.step_min = 1s, .step_max = 1s}}};
  Host& host = world.add_host({.name = "a"});
  Process* process = nullptr;
};

struct CutSeam final : tubing::sim::Seam {
  void cut(Crash how) override { cut_by = how; }
  std::optional<Crash> cut_by;
};

}  // namespace

TEST_CASE("of what a dying process is told the last counts") {
  LongStep killed;
  killed.process->crash();
  CHECK(killed.process->dying());
  CHECK(killed.process->running());
  killed.process->start();
  killed.process->crash();
  killed.world.run_for(9s);
  CHECK_FALSE(killed.process->running());

  LongStep dark;
  dark.process->crash();
  dark.process->start();
  dark.host.power_off();
  dark.world.run_for(9s);
  CHECK_FALSE(dark.process->running());
  dark.host.power_on();
  CHECK(dark.process->running());
  CHECK(dark.process->starts() == 2);

  LongStep again;
  again.host.power_off();
  again.host.power_on();
  CHECK(again.process->dying());
  again.world.run_for(9s);
  CHECK(again.process->running());
  CHECK(again.process->starts() == 2);
}

TEST_CASE("a program that ends in the step in which it was killed starts again if it was to") {
  LongStep step([](Process& self) -> Task<> {
    if (self.starts() > 1) co_return co_await wait_for_ever(self);
    self.crash();
    self.start();
    co_return {};
  });
  step.world.run_for(9s);
  CHECK(step.process->running());
  CHECK(step.process->starts() == 2);
}

TEST_CASE("a dying process whose host goes dark falls silent with it") {
  CutSeam seam;
  World world(1, {.pace = {.step_min = 1s, .step_max = 1s}});
  Host& host = world.add_host({.name = "a"});
  Process& process = host.spawn("p", [&seam](Process& self) -> Task<> {
    self.add_seam(seam);
    co_return co_await wait_for_ever(self);
  });
  world.run_for(1ms);
  process.crash();
  host.power_off();
  CHECK_FALSE(seam.cut_by);
  world.run_for(9s);
  CHECK(seam.cut_by == Crash::power);
}

TEST_CASE("a paused process hears of nothing until it goes on") {
  World world(1);
  std::vector<Time> woke;
  Process& process = world.add_host({.name = "a"}).spawn("p", [&woke](Process& self) -> Task<> {
    for (int i = 0; i < 3; ++i) {
      co_await tubing::ok(sleep(1s));
      woke.push_back(self.scheduler().now());
    }
    co_return {};
  });
  world.run_for(500ms);
  process.pause_for(10s);
  CHECK(world.run_until_ended(process));
  REQUIRE(woke.size() == 3);
  CHECK(woke[0] >= Time(10'500ms));
  CHECK(woke[0] < Time(10'501ms));
}

TEST_CASE("a pause lasts its whole span from where the step is that orders it") {
  std::optional<Time> woke;
  World world(1, {.pace = {.step_min = 5ms, .step_max = 5ms}});
  Process& process = world.add_host({.name = "a"}).spawn("p", [&woke](Process& self) -> Task<> {
    CHECK(self.reactor().world_now() == Time(5ms));
    self.pause_for(10ms);
    co_await tubing::ok(sleep(1ns));
    woke = self.reactor().world_now();
    co_return {};
  });
  CHECK(world.run_until_ended(process));
  CHECK(woke == Time(5ms + 10ms + 5ms));
}

TEST_CASE("a clock that runs fast reaches a deadline early, and no other host's does") {
  World world(1);
  Host& fast = world.add_host({.name = "fast"});
  Host& even = world.add_host({.name = "even"});
  fast.set_clock_rate(100'000'000);  // a tenth faster
  std::vector<std::string> order;
  const auto note = [&order](Process& self) -> Task<> {
    co_await tubing::ok(sleep(10s));
    order.push_back(self.name());
    co_return {};
  };
  even.spawn("p", note);
  Process& first = fast.spawn("p", note);
  CHECK(world.run_until_ended(first));
  CHECK(world.now() >= Time(9'090ms));
  CHECK(world.now() < Time(9'092ms));
  CHECK(world.run_until_idle());
  CHECK(order == std::vector<std::string>{"fast/p", "even/p"});
}

TEST_CASE("a disk takes its time by the world whatever its host's clock says") {
  World world(1);
  Host& host = world.add_host({.name = "host"});
  host.jump_clock(1min);
  Process& process = host.spawn("p", [](Process& self) -> Task<> {
    auto file = co_await tubing::ok(self.disk().open("f", OpenMode::create));
    co_await tubing::ok(file.write(0, tubing::Bytes(1)));
    co_return co_await file.sync();
  });
  CHECK(world.run_until_ended(process));
  CHECK(world.now() < Time(100ms));
}

TEST_CASE("a wall clock that leaps back leaves the monotonic clock alone") {
  World world(1);
  Host& host = world.add_host({.name = "a"});
  Process& process = host.spawn("p", wait_for_ever);
  world.run_for(5s);
  const auto before = process.reactor().wall_now();
  const Time mono = process.reactor().now();
  host.jump_wall_clock(-3s);
  CHECK(process.reactor().wall_now().since_epoch_ns == before.since_epoch_ns - 3'000'000'000);
  CHECK(process.reactor().now() == mono);
  host.jump_clock(7s);
  CHECK(process.reactor().now() == mono + 7s);
}

TEST_CASE("pauses that strike at random make a process late, and it goes on") {
  const auto lateness = [](std::uint32_t pause_ppm) {
    World world(1, {.pace = {.pause_ppm = pause_ppm}});
    Process& process = world.add_host({.name = "a"}).spawn("p", [](Process&) -> Task<> {
      for (int i = 0; i < 100; ++i) co_await tubing::ok(sleep(1ms));
      co_return {};
    });
    CHECK(world.run_until_ended(process));
    return world.now() - Time(100ms);
  };
  CHECK(lateness(0) < 1ms);
  CHECK(lateness(50'000) > 100ms);
}

TEST_CASE("power that is lost ends every process, and starts them again when it returns") {
  World world(1);
  Host& host = world.add_host({.name = "a"});
  Process& one = host.spawn("one", wait_for_ever);
  Process& two = host.spawn("two", wait_for_ever);
  world.run_for(1s);
  host.power_off();
  CHECK_FALSE(host.powered());
  CHECK_FALSE(one.running());
  CHECK_FALSE(two.running());
  world.run_for(1s);
  host.power_on();
  CHECK(one.running());
  CHECK(two.starts() == 2);
}

TEST_CASE("what was synced survives a loss of power, and what was written a crash") {
  World world(1);
  Host& host = world.add_host({.name = "a"});
  host.disk().set_conditions(
      {.lost_write = 1'000'000, .reordered_write = 0, .lost_name = 1'000'000});
  std::vector<std::string> found;
  host.spawn("p", [&found](Process& self) -> Task<> {
    auto file = co_await tubing::ok(self.disk().open("log", OpenMode::create));
    const auto bytes = co_await tubing::ok(file.read(0, 100));
    found.emplace_back(tubing::as_text(bytes));
    if (self.starts() == 1) {
      co_await tubing::ok(file.write(0, bytes_of("synced")));
      co_await tubing::ok(file.sync());
      co_await tubing::ok(self.disk().sync_dir(""));
      co_await tubing::ok(file.write(6, bytes_of(" and written")));
    }
    co_return co_await sleep(Duration::max());
  });
  world.run_for(1s);
  host.process("p").crash();
  host.process("p").start();
  world.run_for(1s);
  host.power_off();
  host.power_on();
  world.run_for(1s);
  CHECK(found == std::vector<std::string>{"", "synced and written", "synced"});
}

TEST_CASE("a task that does not end when its process is killed is told of") {
  bool stubborn = true;
  World world(1);
  Process& process = world.add_host({.name = "a"}).spawn("p", [&stubborn](Process&) -> Task<> {
    while (stubborn) (void)co_await sleep(1s);  // takes no notice
    co_return {};
  });
  world.run_for(10s);
  process.crash();
  CHECK_FALSE(process.running());
  REQUIRE(world.problems().size() == 1);
  CHECK(world.problems()[0].contains("a/p did not end when it crashed"));
  stubborn = false;
}

TEST_CASE("one world has one hash, and a nanosecond or another seed changes it") {
  const auto hash_of = [](std::uint64_t seed, Duration more) {
    World world(seed);
    Process& p = world.add_host({.name = "a"}).spawn("p", sleep_twice);
    world.add_host({.name = "b"}).spawn("p", [more](Process&) -> Task<> {
      co_return co_await sleep(2s + more);
    });
    CHECK(world.run_until_ended(p));
    CHECK(world.run_until_idle());
    return world.hash();
  };
  CHECK(hash_of(1, 0ns) == hash_of(1, 0ns));
  CHECK(hash_of(1, 0ns) != hash_of(2, 0ns));
  CHECK(hash_of(1, 0ns) != hash_of(1, 1ns));
}
