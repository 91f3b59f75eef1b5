// How fast does the simulator run? Messages and events a second, the hash always on.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdlib>

#include "judge_rows.h"
#include "report.h"
#include "resident.h"
#include "tubing/channel/nursery.h"
#include "tubing/channel/timers.h"
#include "tubing/sim/run_check.h"
#include "tubing/sim/scenarios/grid.h"
#include "tubing/sim/world.h"

namespace {

using namespace tubing;
using bench::resident_bytes;
using sim::Process;
using sim::World;

constexpr std::uint64_t kSeed = 1;
constexpr std::uint32_t kGridHosts = 7;
constexpr std::uint64_t kGridPairs = kGridHosts * (kGridHosts - 1);

[[noreturn]] void fail(std::string_view why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(1);
}

/// The processor's time that `work` takes, in seconds.
template <class F>
double seconds_of(F work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Seven processes with eight tasks each that sleep drawn times.
double sleeps_per_s() {
  constexpr int kHosts = 7;
  constexpr int kTasks = 8;
  constexpr int kSleeps = 20'000;
  World world(kSeed);
  for (int host = 0; host < kHosts; ++host) {
    world.add_host({.name = fmt::format("host-{}", host)})
        .spawn("sleepers", [](Process& self) -> Task<> {
          co_return co_await nursery([&self](Nursery& n) -> Task<> {
            for (int task = 0; task < kTasks; ++task) {
              n.spawn("sleeper", [&self]() -> Task<> {
                for (int i = 0; i < kSleeps; ++i) {
                  const std::uint64_t drawn = self.workload().below(1'000'000);
                  co_await ok(sleep(Duration(static_cast<std::int64_t>(drawn))));
                }
                co_return {};
              });
            }
            co_return {};
          });
        });
  }
  const double seconds = seconds_of([&] {
    if (!world.run_until_idle()) fail("the sleepers did not end");
  });
  return kHosts * kTasks * kSleeps / seconds;
}

/// The fastest there is: healthy links, no pauses, no faults, all messages at once.
sim::GridPlan plan_of(std::uint64_t messages, bool byte_mode) {
  return {.world = {.mode = byte_mode ? sim::Mode::byte : sim::Mode::message},
          .hosts = kGridHosts,
          .messages = messages};
}

/// What a run of it came to, and the time that it took.
struct Grid {
  sim::Outcome outcome;
  double seconds = 0;
};

Grid run_grid(std::uint64_t messages, bool byte_mode) {
  Grid grid;
  grid.seconds = seconds_of(
      [&] { grid.outcome = sim::run_planned_grid(kSeed, plan_of(messages, byte_mode), {}); });
  if (!grid.outcome.violation.empty()) fail(grid.outcome.violation);
  if (grid.outcome.operations != kGridPairs * messages) fail("not every message arrived");
  return grid;
}

/// Each message is encoded by itself, sent through a channel, and received and judged by itself.
/// In byte mode it crosses the wire encrypted, in a record with as many others as there is credit
/// for: byte_mode_wire_bytes counts what arrives, with keys' and credit's share.
double messages_per_s(std::uint64_t messages, bool byte_mode) {
  const Grid grid = run_grid(messages, byte_mode);
  return static_cast<double>(grid.outcome.operations) / grid.seconds;
}

/// Entries in the hash: each arrival, each resumption of a strand, each fault. In byte mode an
/// event is a chunk of bytes in which many messages travel, so that fewer events carry as much:
/// compare messages between the modes, and events within one.
double events_per_s(std::uint64_t messages, bool byte_mode) {
  const Grid grid = run_grid(messages, byte_mode);
  return static_cast<double>(grid.outcome.events) / grid.seconds;
}

/// The longest run that the seed system has told of: a million messages in each pair.
double grid_of_42_million_s() { return run_grid(1'000'000, false).seconds; }

/// A second of a busy world, in seconds of ours: the grid, each link with a tenth of a millisecond.
double simulated_to_real(std::uint64_t messages, bool byte_mode) {
  const Grid grid = run_grid(messages, byte_mode);
  return std::chrono::duration<double>(grid.outcome.simulated).count() / grid.seconds;
}

/// An idle world: seven processes that look at the clock once a second, for a week.
double idle_to_real() {
  constexpr std::int64_t kWeek = 7 * 24 * 3600;
  World world(kSeed, {.time_max = std::chrono::hours(24 * 8)});
  for (int host = 0; host < static_cast<int>(kGridHosts); ++host) {
    world.add_host({.name = fmt::format("host-{}", host)}).spawn("idler", [](Process&) -> Task<> {
      for (std::int64_t i = 0; i < kWeek; ++i) co_await ok(sleep(std::chrono::seconds(1)));
      co_return {};
    });
  }
  const double seconds = seconds_of([&] {
    if (!world.run_until_idle()) fail("the idle world did not end");
  });
  return kWeek / seconds;
}

/// Seeds of a scenario as a campaign runs them, one after another, in an hour.
double seeds_per_hour(std::string_view name) {
  constexpr std::uint64_t kSeeds = 100;
  const sim::Scenario& scenario = *sim::find_scenario(name);
  const double seconds = seconds_of([&] {
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed)
      if (const sim::Outcome o = scenario.run(seed, {}, {}); !o.violation.empty())
        fail(o.violation);
  });
  return kSeeds * 3600 / seconds;
}

/// The processor's time for a word of the hash, and for the words of a message with 64 bytes.
double hash_ns_of_64_bytes() {
  constexpr int kMessages = 5'000'000;
  const std::array<std::byte, 64> payload{};
  sim::RunningHash hash;
  const double seconds = seconds_of([&] {
    for (int i = 0; i < kMessages; ++i) hash.add(payload);
  });
  if (hash.high() == 0) fail("the hash did nothing");
  return seconds * 1e9 / kMessages;
}

/// Counts the bytes of streams that arrive.
struct WireBytes final : sim::TraceSink {
  void on_event(const sim::TraceEvent& event) override {
    if (event.kind.text() == "bytes") bytes += event.payload_bytes;
  }
  std::uint64_t bytes = 0;
};

double wire_bytes_per_message(std::uint64_t messages) {
  WireBytes sink;
  const sim::Outcome outcome =
      sim::run_planned_grid(kSeed, plan_of(messages, true), {.trace = &sink});
  return static_cast<double>(sink.bytes) / static_cast<double>(outcome.operations);
}

/// A trace of every event that nobody keeps: what --check adds to one of its two runs.
struct NoTrace final : sim::TraceSink {
  void on_event(const sim::TraceEvent& event) override { events += event.number != 0; }
  std::uint64_t events = 0;
};

/// Twice the same run on two threads, compared event by event, against one run alone.
double check_cost(std::uint64_t messages) {
  const double alone = run_grid(messages, false).seconds;
  const double checked = seconds_of([&] {
    const auto difference = sim::run_check([&](std::size_t, sim::TraceSink& sink) {
      (void)sim::run_planned_grid(kSeed, plan_of(messages, false), {.trace = &sink});
    });
    if (difference) fail(difference->text());
  });
  return checked / alone;
}

double trace_cost(std::uint64_t messages) {
  const double alone = run_grid(messages, false).seconds;
  NoTrace sink;
  const double traced = seconds_of(
      [&] { (void)sim::run_planned_grid(kSeed, plan_of(messages, false), {.trace = &sink}); });
  if (sink.events == 0) fail("nothing was traced");
  return traced / alone;
}

/// Bytes that an idle host with one process takes, in each mode with a network of its own.
double bytes_per_host(sim::Mode mode) {
  constexpr std::uint32_t kHosts = 500;
  World world(kSeed, {.mode = mode});
  const std::uint64_t before = resident_bytes();
  for (std::uint32_t host = 0; host < kHosts; ++host) {
    world.add_host({.name = fmt::format("host-{}", host)})
        .spawn("idler", [](Process& self) -> Task<> {
          (void)self.network();
          co_return co_await sleep(std::chrono::hours(100));
        });
  }
  world.run_for(std::chrono::seconds(1));
  return static_cast<double>(resident_bytes() - before) / kHosts;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("Simulated worlds: one core, every event in the hash, 7 hosts, 42 pairs",
                       argc, argv);
  const char* const seed_system = "the seed system 11,100 without encryption";
  report.row("message_mode_per_s", "1/s", seed_system,
             [] { return messages_per_s(20'000, false); });
  report.row("byte_mode_per_s", "1/s", seed_system, [] { return messages_per_s(2'000, true); });
  report.row("byte_mode_wire_bytes", "B each", "", [] { return wire_bytes_per_message(2'000); });
  report.row("events_per_s", "1/s", "", [] { return events_per_s(20'000, false); });
  report.row("byte_mode_events_per_s", "1/s", "", [] { return events_per_s(2'000, true); });
  report.row("grid_of_42_million_s", "s", "the seed system 3,785", grid_of_42_million_s);
  report.row("sleeps_per_s", "1/s", "", sleeps_per_s);
  report.row("busy_message_mode", "x real time", "FoundationDB 36 busy",
             [] { return simulated_to_real(20'000, false); });
  report.row("busy_byte_mode", "x real time", "", [] { return simulated_to_real(2'000, true); });
  report.row("idle", "x real time", "the seed system about 7", idle_to_real);
  for (const sim::Scenario& scenario : sim::scenarios())
    report.row(fmt::format("{}_seeds_per_hour", scenario.name), "1/h", "",
               [&] { return seeds_per_hour(scenario.name); });
  report.row("hash_64_bytes_ns", "ns", "", hash_ns_of_64_bytes);
  report.row("trace_cost", "x", "", [] { return trace_cost(5'000); });
  report.row("check_cost", "x, two threads", "", [] { return check_cost(5'000); });
  report.row("idle_host_message_bytes", "bytes", "",
             [] { return bytes_per_host(sim::Mode::message); });
  report.row("idle_host_byte_bytes", "bytes", "", [] { return bytes_per_host(sim::Mode::byte); });
  bench::add_judge_rows(report);
  return report.finish();
}
