#include "tubing/sim/event_queue.h"

#include <doctest/doctest.h>

#include <map>

#include "tubing/channel/base/prng.h"

using tubing::Duration;
using tubing::Prng;
using tubing::Time;
using tubing::sim::EventQueue;

TEST_CASE("events run in the order of time, then of scheduling, whatever is cancelled") {
  Prng prng(7);
  for (int round = 0; round < 50; ++round) {
    EventQueue queue;
    std::map<std::pair<Time, int>, bool> expected;
    std::vector<EventQueue::Event> events;
    std::vector<std::pair<Time, int>> ran;
    for (int i = 0; i < 200; ++i) {
      const Time at{Duration(static_cast<std::int64_t>(prng.below(40)))};
      events.push_back(queue.schedule(at, [&ran, at, i] { ran.emplace_back(at, i); }));
      expected[{at, i}] = true;
      if (!prng.chance(1, 3)) continue;
      const auto victim = static_cast<int>(prng.below(events.size()));
      events[static_cast<std::size_t>(victim)].cancel();
      std::erase_if(expected, [&](const auto& entry) { return entry.first.second == victim; });
    }
    CHECK(queue.size() == expected.size());
    while (!queue.empty()) queue.run_due(queue.next());
    std::vector<std::pair<Time, int>> order;
    for (const auto& [key, wanted] : expected) order.push_back(key);
    CHECK(ran == order);
  }
}

TEST_CASE("an event whose place was used again for another is over") {
  EventQueue queue;
  int calls = 0;
  EventQueue::Event first = queue.schedule(Time(Duration(1)), [&] { ++calls; });
  queue.run_due(Time(Duration(1)));
  CHECK_FALSE(first.pending());
  const EventQueue::Event second = queue.schedule(Time(Duration(2)), [&] { ++calls; });
  first.cancel();
  CHECK(second.pending());
  queue.run_due(Time(Duration(2)));
  CHECK(calls == 2);
}
