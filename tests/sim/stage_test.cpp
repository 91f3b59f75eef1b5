#include "tubing/sim/scenarios/stage.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "tubing/channel/timers.h"
#include "tubing/sim/swarm.h"

namespace tubing::sim {
namespace {

using namespace std::chrono_literals;

StagePlan plan_of_two() {
  return {.names = host_names(2),
          .schedule = *read_schedule("1s cut n0 -> n1 for 1s\n2s power n1 for 1s", host_names(2)),
          .workload = "c1 1s sing\n"};
}

std::uint64_t count_of(const Outcome& outcome, std::string_view name) {
  const auto found = std::ranges::find(outcome.faults, name, &Tally::name);
  return found == outcome.faults.end() ? 0 : found->count;
}

}  // namespace

TEST_CASE("what a run will suffer is told before anything begins") {
  std::vector<Outcome> told;
  const std::function<void(const Outcome&)> planned = [&](const Outcome& plan) {
    told.push_back(plan);
  };
  Stage stage(1, plan_of_two(), {.planned = &planned});
  REQUIRE(told.size() == 1);
  CHECK(told[0].schedule == "1s cut n0 -> n1 for 1s\n2s power n1 for 1s\n");
  CHECK(told[0].story.starts_with("After 1s, nothing passes from n0 to n1, for 1s."));
  CHECK(told[0].workload == "c1 1s sing\n");
  CHECK(told[0].hash == "");
}

TEST_CASE("a run that failed tells its faults as text and in words and which took effect") {
  Stage stage(1, plan_of_two(), {});
  stage.world().host("n0").spawn("p", [](Process& self) -> Task<> {
    (void)co_await self.disk().open("f", channel::OpenMode::create);
    co_return co_await sleep(Duration::max());
  });
  CHECK(stage.healed() == Time(3s));
  stage.world().host("n0").disk().order(DiskFault::no_space);
  stage.world().run_until(stage.healed());
  stage.close();
  const Outcome outcome = stage.outcome("it broke");
  CHECK(outcome.violation == "it broke");
  CHECK(outcome.schedule == "1s cut n0 -> n1 for 1s\n2s power n1 for 1s\n");
  CHECK(outcome.story ==
        "After 1s, nothing passes from n0 to n1, for 1s.\nAfter 2s, n1: the power goes, for 1s.\n");
  CHECK(count_of(outcome, "cut") == 1);
  CHECK(count_of(outcome, "power_loss") == 1);
  CHECK(count_of(outcome, "no_space") == 1);
  CHECK(count_of(outcome, "process_crash") == 0);  // The end is no fault.
  CHECK(outcome.simulated == 3s);
  CHECK(outcome.hash == stage.world().hash());
}

TEST_CASE("a task that is left at the end of a run is a violation that names it") {
  bool stubborn = true;
  Stage stage(1, {.names = host_names(1)}, {});
  stage.world().host("n0").spawn("p", [&stubborn](Process&) -> Task<> {
    while (stubborn) (void)co_await sleep(1s);  // takes no notice
    co_return {};
  });
  stage.world().run_for(1s);
  stage.close();
  const Outcome outcome = stage.outcome("");
  CHECK(outcome.violation.contains("n0/p did not end when it crashed"));
  stubborn = false;
}

TEST_CASE("a schedule without an end is healed when its span is over or with its last fault") {
  const auto chosen = [](std::string text) {
    const Result<Schedule> schedule = choose_schedule(
        {.schedule = std::move(text)}, {}, {.names = host_names(2), .span = Duration(5s)});
    REQUIRE(schedule);
    return schedule_text(*schedule, host_names(2));
  };
  CHECK(chosen("1s crash n0") == "1s crash n0\n5s heal\n");
  CHECK(chosen("1s crash n0\n9s cut n0 -> n1") == "1s crash n0\n9s cut n0 -> n1\n9s heal\n");
  CHECK(chosen("9s crash n0\n1s cut n0 -> n1") == "9s crash n0\n1s cut n0 -> n1\n9s heal\n");
  CHECK(chosen("9s crash n0 for 1s") == "9s crash n0 for 1s\n");
  CHECK(chosen("9s crash n0\n10s heal late") == "9s crash n0\n10s heal late\n");
  CHECK(chosen("") == "");
}

TEST_CASE("a schedule that goes on for longer than its scenario can bear is refused") {
  const auto refused = [](std::string text) {
    const ScheduleRules rules{.names = host_names(1), .span = Duration(1s), .healed_max = 60s};
    const Result<> checked = check_given_schedule({.schedule = std::move(text)}, rules);
    return checked ? "" : checked.error().text();
  };
  CHECK(refused("60s heal") == "");
  CHECK(refused("60s crash n0") == "");
  CHECK(refused("1s crash n0 for 3600s\n2s heal") == "");
  CHECK(refused("59s crash n0 for 1s") == "");
  CHECK(refused("59s crash n0 for 1001ms").contains("it goes on until 60001ms"));
  CHECK(refused("61s crash n0").contains("it goes on until 61s; the scenario works on until all"));
  CHECK(refused("61s heal").contains("which has to be by 60s: order what strikes later"));
}

TEST_CASE("scenarios end well though clocks run slowly or fast for long") {
  const auto run = [](const char* scenario, std::uint64_t seed, std::string schedule) {
    return find_scenario(scenario)
        ->run(seed, {.hosts = 2, .schedule = std::move(schedule)}, {})
        .violation;
  };
  CHECK(run("echo", 1, "1s clock_rate n0 -990000000ppb for 30s") == "");
  CHECK(run("echo", 438, "1s clock_rate n0 99000000000ppb for 99s") == "");
  CHECK(run("grid", 1, "1ms clock_rate n0 -990000000ppb for 1000s") == "");
}

TEST_CASE("seeds have worlds of many kinds and in message mode no more is drawn than it takes") {
  int paused = 0;
  int chunked = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Prng prng = nemesis_stream(seed);
    const WorldOptions byte = draw_world(prng, Mode::byte);
    paused += byte.pace.pause_ppm > 0;
    chunked += byte.wires.chunk_bytes_max < WireOptions{}.chunk_bytes_max;
    CHECK(byte.node.mux.dead_after_ms > byte.node.mux.ping_after_ms);
    Prng again = nemesis_stream(seed);
    const WorldOptions message = draw_world(again, Mode::message);
    CHECK((message.links == byte.links));
    CHECK(message.wires.window_bytes == WireOptions{}.window_bytes);
    const World sound(seed, byte);
  }
  CHECK(paused > 10);
  CHECK(paused < 90);
  CHECK(chunked > 10);
  CHECK(chunked < 90);
}

}  // namespace tubing::sim
