#include "tubing/sim/host_clock.h"

#include <doctest/doctest.h>

#include "tubing/channel/base/prng.h"

using tubing::Duration;
using tubing::Prng;
using tubing::Time;
using tubing::sim::HostClock;
using namespace std::chrono_literals;

TEST_CASE("the first moment at which a clock reads a time is exact, whatever its rate") {
  Prng prng(3);
  for (int round = 0; round < 200; ++round) {
    HostClock clock;
    const auto rate = static_cast<std::int64_t>(prng.below(2'000'000'000)) - 900'000'000;
    const Time set{Duration(static_cast<std::int64_t>(prng.below(1'000'000'000)))};
    clock.set_rate(set, rate);
    CAPTURE(rate);
    for (int i = 0; i < 50; ++i) {
      const Time local =
          clock.read(set) + Duration(static_cast<std::int64_t>(prng.below(10'000'000'000)));
      const Time world = clock.world_at(local);
      CHECK(clock.read(world) >= local);
      if (world > set) CHECK(clock.read(world - 1ns) < local);
    }
  }
}

TEST_CASE("a clock keeps what it has gained when its rate changes, and never goes back") {
  HostClock clock;
  clock.set_rate(Time(0s), 500'000'000);
  CHECK(clock.read(Time(10s)) == Time(15s));
  clock.set_rate(Time(10s), 0);
  CHECK(clock.read(Time(12s)) == Time(17s));
  clock.jump(Time(12s), 3s);
  CHECK(clock.read(Time(12s)) == Time(20s));
  clock.set_rate(Time(12s), -500'000'000);
  CHECK(clock.read(Time(14s)) == Time(21s));
}
