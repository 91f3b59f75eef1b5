#include "tubing/sim/streams.h"

#include <doctest/doctest.h>

#include <set>

#include "tubing/sim/world.h"

using namespace tubing::sim;
using namespace std::chrono_literals;
using tubing::Time;

TEST_CASE("a stream follows from its root and each of its words") {
  const Streams streams(7);
  std::set<std::uint64_t> firsts;
  for (const std::uint64_t word : {0, 1, 2}) {
    firsts.insert(streams.of(word).next());
    firsts.insert(streams.of(9, word).next());
    firsts.insert(streams.of(9, 9, word).next());
    firsts.insert(streams.of("name", word).next());
    firsts.insert(Streams(word).of(9).next());
  }
  firsts.insert(streams.of("other").next());
  CHECK(firsts.size() == 16);
  CHECK(streams.of("name", 3).next() == Streams(7).of("name", 3).next());
}

TEST_CASE("a draw hangs on its class, its millisecond and its place in it alone") {
  TimedDraws<2> busy(1);
  TimedDraws<2> idle(1);
  for (int i = 0; i < 5; ++i) {
    (void)busy.next(Time(3ms), 0);
    (void)busy.next(Time(4ms), 1);
  }
  CHECK(busy.next(Time(4ms), 0).next() == idle.next(Time(4999us), 0).next());
  const std::uint64_t second = idle.next(Time(4ms), 0).next();
  CHECK(busy.next(Time(4500us), 0).next() == second);
  CHECK(busy.next(Time(4500us), 0).next() != second);
  CHECK(busy.next(Time(5ms), 0).next() != idle.next(Time(5ms), 1).next());
}

TEST_CASE("what goes over a link moves no draw of another, nor its own a second later") {
  const auto drawn = [](int sent, tubing::Duration later) {
    World world(5);
    for (const char* name : {"a", "b", "c"}) world.add_host({.name = name});
    std::vector<tubing::Duration> latencies;
    for (int i = 0; i < sent; ++i) (void)world.links().draw_latency(0, 1);
    latencies.push_back(world.links().draw_latency(1, 0));
    world.run_for(later);
    for (int i = 0; i < 3; ++i) latencies.push_back(world.links().draw_latency(0, 1));
    return latencies;
  };
  CHECK(drawn(0, 1s) == drawn(4, 1s));
  CHECK(drawn(0, 0s) != drawn(4, 0s));
  World world(5);
  for (const char* name : {"a", "b", "c"}) world.add_host({.name = name});
  std::set<tubing::Duration> firsts;
  for (HostId from = 0; from < 3; ++from)
    for (HostId to = 0; to < 3; ++to) firsts.insert(world.links().draw_latency(from, to));
  CHECK(firsts.size() == 9);
}
