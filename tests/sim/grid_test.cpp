// The scenario `grid`: what its pace, its end and its bytes follow from.
#include "tubing/sim/scenarios/grid.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tubing/sim/trace.h"

namespace tubing::sim {
namespace {

using namespace std::chrono_literals;

/// How many messages arrived between two times.
struct Between final : TraceSink {
  Between(Time from, Time to) : from(from), to(to) {}
  void on_event(const TraceEvent& event) override {
    messages += event.at > from && event.at < to && event.kind.text() == "message";
  }

  const Time from;
  const Time to;
  std::uint64_t messages = 0;
};

/// The bytes of streams that arrive.
struct WireBytes final : TraceSink {
  void on_event(const TraceEvent& event) override {
    if (event.kind.text() == "bytes") bytes += event.payload_bytes;
  }
  std::uint64_t bytes = 0;
};

}  // namespace

TEST_CASE("a grid ends well under a schedule however late its last line is") {
  for (const bool byte_mode : {false, true})
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      CAPTURE(seed);
      const Outcome outcome = run_grid(
          seed, {.byte_mode = byte_mode, .schedule = "700s crash n1 for 5s\n900s heal"}, {});
      CHECK(outcome.violation == "");
      CHECK(outcome.simulated >= 900s);
      CHECK(std::ranges::count(outcome.faults, "process_crash", &Tally::name) == 1);
      CHECK(outcome.known >= outcome.begun - 8);  // What the crash took with it.
    }
}

TEST_CASE("the pace of a grid is that of its seed and not that of its schedule") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    Between idle(Time(60s), Time(899s));
    const Outcome outcome = run_grid(seed, {.schedule = "900s heal"}, {.trace = &idle});
    CHECK(outcome.violation == "");
    CHECK(outcome.operations == 20 * kGridMessages);
    CHECK(idle.messages == 0);
  }
}

TEST_CASE("a plan of a grid has the same world whether there are faults or not") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const Result<GridPlan> calm = plan_grid(seed, {.byte_mode = true, .faults = false});
    const Result<GridPlan> struck = plan_grid(seed, {.byte_mode = true});
    REQUIRE(calm);
    REQUIRE(struck);
    CHECK(calm->schedule.empty());
    CHECK_FALSE(struck->schedule.empty());
    CHECK((calm->world.links == struck->world.links));
    CHECK(calm->world.node.mux.ping_after_ms == struck->world.node.mux.ping_after_ms);
    CHECK(calm->span == struck->span);
    CHECK(calm->datagrams == struck->datagrams);
  }
}

TEST_CASE("a grid that is slow and goes on takes as long as it takes") {
  const Outcome outcome = run_planned_grid(
      1, {.world = {.links = {.bytes_per_second = 100}}, .hosts = 2, .messages = 4'000}, {});
  CHECK(outcome.violation == "");
  CHECK(outcome.operations == 8'000);
  CHECK(outcome.simulated > kGridPatience);
}

TEST_CASE("a grid in which nothing arrives any more is a violation that says who waits") {
  const Outcome outcome = run_planned_grid(
      1, {.world = {.links = {.latency_min = 1h, .latency_max = 1h}}, .hosts = 2, .messages = 1},
      {});
  CHECK(outcome.violation.starts_with(
      "2 of the pairs are not done, and nothing arrives for 600 s after all was healed\nn0/grid:"));
  CHECK(outcome.operations == 0);
}

TEST_CASE("in byte mode each message of a grid has its bytes on the wire") {
  constexpr std::uint64_t kMessages = 1'000;
  WireBytes wire;
  const Outcome outcome = run_planned_grid(
      1, {.world = {.mode = Mode::byte}, .hosts = 3, .messages = kMessages}, {.trace = &wire});
  CHECK(outcome.violation == "");
  CHECK(outcome.operations == 6 * kMessages);
  CHECK(wire.bytes > 17 * outcome.operations);
  CHECK(wire.bytes < 25 * outcome.operations);
}

}  // namespace tubing::sim
