#include "tubing/sim/run_check.h"

#include <doctest/doctest.h>

#include <atomic>
#include <vector>

#include "tubing/channel/timers.h"
#include "tubing/sim/world.h"

using tubing::as_bytes;
using tubing::Duration;
using tubing::Task;
using tubing::Time;
using tubing::sim::Divergence;
using tubing::sim::Process;
using tubing::sim::run_check;
using tubing::sim::TraceSink;
using tubing::sim::World;
using namespace std::chrono_literals;

namespace {

struct Odd {
  Duration by{};
  std::string payload = "ordinary";
};

constexpr int kRounds = 2'000;
constexpr int kOddRound = 1'500;

// Two processes that wake and tell of it; in round kOddRound one of them is odd.
void run_world(const Odd& odd, TraceSink* sink, std::string* hash = nullptr) {
  World world(7);
  world.run_hash().trace_to(sink);
  for (const char* name : {"a", "b"}) {
    world.add_host({.name = name}).spawn("ticker", [&odd](Process& self) -> Task<> {
      const bool is_odd = self.id() == 1;
      for (int round = 0; round < kRounds; ++round) {
        const bool now = is_odd && round == kOddRound;
        co_await tubing::ok(tubing::sleep(1ms + (now ? odd.by : 0ns)));
        self.world().note("tick", static_cast<std::uint64_t>(round),
                          as_bytes(now ? odd.payload : "ordinary"));
      }
      co_return {};
    });
  }
  CHECK(world.run_until_idle());
  if (hash != nullptr) *hash = world.hash();
}

std::string hash_of(const Odd& odd) {
  std::string hash;
  run_world(odd, nullptr, &hash);
  return hash;
}

}  // namespace

TEST_CASE("one seed run twice side by side has the same events") {
  CHECK_FALSE(run_check([](std::size_t, TraceSink& sink) { run_world({}, &sink); }));
}

TEST_CASE("a nanosecond, or a byte of a payload, changes the hash of a world") {
  const std::string base = hash_of({});
  CHECK(hash_of({}) == base);
  CHECK(hash_of({.by = 1ns}) != base);
  CHECK(hash_of({.payload = "ordinarz"}) != base);
}

TEST_CASE("a program that draws from outside the seed is caught at the very event") {
  std::atomic<int> outside = 0;
  const auto differ = run_check([&outside](std::size_t, TraceSink& sink) {
    run_world({.payload = "drew " + std::to_string(outside++)}, &sink);
  });
  REQUIRE(differ);
  REQUIRE(differ->first);
  REQUIRE(differ->second);
  CHECK(differ->first->kind.text() == "tick");
  CHECK(differ->first->subject == kOddRound);
  CHECK(differ->first->number == differ->second->number);
  CHECK(differ->first->payload.text() != differ->second->payload.text());
  REQUIRE(differ->before.size() == Divergence::kEventsBefore);
  CHECK(differ->before.back().number + 1 == differ->first->number);
  const std::string text = differ->text();
  CHECK(text.contains("differ first in event " + std::to_string(differ->first->number)));
  CHECK(text.contains(", in the payload\n"));
  CHECK(text.contains("\"drew 0\""));
  CHECK(text.contains("\"drew 1\""));
  CHECK(text.contains("b/ticker"));
}

TEST_CASE("what depends on an address is caught, since two runs lie in different places") {
  const auto differ = run_check([](std::size_t, TraceSink& sink) {
    const auto object = std::make_unique<int>(0);
    const auto address = reinterpret_cast<std::uintptr_t>(object.get());
    run_world({.by = Duration(static_cast<std::int64_t>(address >> 4 & 0xfffffff))}, &sink);
  });
  REQUIRE(differ);
  CHECK(differ->text().contains(", in the time"));
}

TEST_CASE("a run that ends while the other goes on is a difference") {
  for (const std::size_t shorter : {0, 1}) {
    CAPTURE(shorter);
    const auto differ = run_check([shorter](std::size_t run, TraceSink& sink) {
      World world(1);
      world.run_hash().trace_to(&sink);
      // A whole number of chunks of events, so that the end is no part of any.
      const std::uint64_t events = run == shorter ? 5'120 : 5'121;
      for (std::uint64_t i = 0; i < events; ++i) world.note("step", i);
    });
    REQUIRE(differ);
    CHECK(differ->first.has_value() == (shorter == 1));
    CHECK(differ->second.has_value() == (shorter == 0));
    REQUIRE(differ->before.size() == Divergence::kEventsBefore);
    CHECK(differ->before.back().subject == 5'119);
    CHECK(differ->text().contains("(the run is over)"));
  }
}

TEST_CASE("a run far longer than the memory of the check is compared to its end") {
  const auto differ = run_check([](std::size_t run, TraceSink& sink) {
    tubing::sim::RunHash hash;
    hash.trace_to(&sink);
    for (std::uint64_t i = 0; i < 50'000; ++i)
      hash.on_event(Time(Duration(5)), "step", run == 1 && i == 49'999 ? 0 : i);
  });
  REQUIRE(differ);
  CHECK(differ->first->number == 50'000);
  CHECK(differ->text().contains(", in the subject\n"));
}
