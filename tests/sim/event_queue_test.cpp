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

TEST_CASE("an event that outlives its queue is over and may be moved, cancelled and dropped") {
  EventQueue::Event pending;
  EventQueue::Event came;
  EventQueue::Event released;
  EventQueue::Event moved;
  {
    EventQueue queue;
    came = queue.schedule(Time(Duration(1)), [] {});
    queue.run_due(Time(Duration(1)));
    pending = queue.schedule(Time(Duration(2)), [] {});
    released = queue.schedule(Time(Duration(3)), [] {});
    released.release();
    EventQueue::Event first = queue.schedule(Time(Duration(4)), [] {});
    moved = std::move(first);
    CHECK(moved.pending());
  }
  for (EventQueue::Event* event : {&pending, &came, &released, &moved}) {
    CHECK_FALSE(event->pending());
    const EventQueue::Event taken = std::move(*event);
    CHECK_FALSE(taken.pending());
    event->cancel();
  }
}

TEST_CASE("an event that is moved over another leaves that one to the event it was moved from") {
  EventQueue queue;
  int calls = 0;
  EventQueue::Event kept = queue.schedule(Time(Duration(1)), [&] { calls += 1; });
  {
    EventQueue::Event other = queue.schedule(Time(Duration(2)), [&] { calls += 10; });
    kept = std::move(other);
  }
  CHECK(queue.size() == 1);
  queue.run_due(Time(Duration(2)));
  CHECK(calls == 10);
  CHECK_FALSE(kept.pending());
}
