// The scenario `echo`, under many seeds: the rules of channels hold in each, and each repeats.
#include "tubing/sim/scenarios/echo.h"

#include <doctest/doctest.h>

#include "tubing/sim/world.h"

namespace tubing::sim {
namespace {

#ifdef TUBING_LONG_PROGRAMS
constexpr std::uint64_t kSeeds = 2'000;
constexpr std::uint64_t kRepeated = kSeeds;
#else
constexpr std::uint64_t kSeeds = 200;
constexpr std::uint64_t kRepeated = 20;
#endif

/// What byte streams meet; nothing overtakes there, nor comes twice or late on purpose.
constexpr FaultKind kKinds[] = {
    FaultKind::dropped,       FaultKind::deaf,         FaultKind::corrupted,
    FaultKind::reset,         FaultKind::cut,          FaultKind::held,
    FaultKind::isolated,      FaultKind::dial_refused, FaultKind::dial_unanswered,
    FaultKind::write_blocked, FaultKind::half_open,    FaultKind::process_crash,
    FaultKind::power_loss,    FaultKind::restart,      FaultKind::pause};

EchoCounts run_seeds() {
  EchoCounts counts;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    std::string hash;
    const std::string fault = run_echo(seed, counts, {.hash = &hash});
    CHECK_MESSAGE(fault.empty(), "seed " << seed << " of echo: " << fault);
    if (!fault.empty()) break;
    if (seed > kRepeated) continue;
    EchoCounts again;
    std::string second;
    (void)run_echo(seed, again, {.hash = &second});
    CHECK_MESSAGE(hash == second, "seed " << seed << " of echo does not repeat");
  }
  return counts;
}

/// No operation may silently never happen.
void check_all_happened() {
  const EchoCounts counts = run_seeds();
  CHECK(counts.opened > 10 * kSeeds);
  CHECK(counts.unopened > kSeeds / 10);
  CHECK(counts.probed >= 2 * kSeeds);
  CHECK(counts.sent > 100 * kSeeds);
  CHECK(counts.received > 100 * kSeeds);
  CHECK(counts.closed > kSeeds);
  CHECK(counts.stopped > kSeeds);
  CHECK(counts.reset > kSeeds);
  CHECK(counts.lost > kSeeds);
  CHECK(counts.cancelled > kSeeds);
  CHECK(counts.timed_out > kSeeds);
  CHECK(counts.flushed > kSeeds);
  CHECK(counts.selected > kSeeds);
  CHECK(counts.passed > kSeeds);
  for (const FaultKind kind : kKinds) {
    CAPTURE(fault_name(kind));
    CHECK(counts.faults.of(kind) > kSeeds / 10);
  }
}

}  // namespace

#ifdef TUBING_LONG_PROGRAMS
TEST_CASE("two thousand worlds of talks keep every rule of channels and repeat bit for bit") {
  check_all_happened();
}
#else
TEST_CASE("worlds of talks in byte mode keep every rule of channels and repeat bit for bit") {
  check_all_happened();
}

TEST_CASE("talks between two hosts without faults lose nothing") {
  EchoCounts counts;
  for (std::uint64_t seed = 1; seed <= 10; ++seed)
    CHECK(run_echo(seed, counts, {.hosts = 2, .faults = false}) == "");
  CHECK(counts.lost == 0);
  CHECK(counts.unopened == 0);
  CHECK(counts.probed == 20);
}

TEST_CASE("faults that are ordered strike an echo instead of drawn ones") {
  EchoCounts counts;
  const auto cut_once = [](World& world) {
    world.at(Time(std::chrono::seconds(1)), [&world] { world.links().cut(0, 1); });
    world.at(kEchoHealed, [&world] { world.links().repair_all(); });
  };
  CHECK(run_echo(1, counts, {.hosts = 2, .disturb = cut_once}) == "");
  CHECK(counts.faults.of(FaultKind::cut) == 2);
  CHECK(counts.faults.of(FaultKind::process_crash) == 0);
  CHECK(counts.lost > 0);
}
#endif

}  // namespace tubing::sim
