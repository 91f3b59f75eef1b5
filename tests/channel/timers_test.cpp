#include "tubing/channel/timers.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/channel/test_world.h"

using namespace std::chrono_literals;
using namespace tubing;
using tubing::test::for_seeds;
using tubing::test::World;

namespace {

struct NotedTimer : detail::Timer {
  int number = 0;
  std::vector<int>* fired = nullptr;
};

void note(detail::Timer& timer) {
  auto& noted = static_cast<NotedTimer&>(timer);
  noted.fired->push_back(noted.number);
}

}  // namespace

TEST_CASE("timers fire in the order of their times and then of their arming") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Prng prng(seed);
    detail::TimerHeap heap;
    std::vector<int> fired;
    std::vector<NotedTimer> timers(50);
    std::vector<std::pair<Time, int>> expected;
    for (int i = 0; i < 50; ++i) {
      NotedTimer& timer = timers[static_cast<std::size_t>(i)];
      timer.number = i;
      timer.fired = &fired;
      timer.fire = note;
      const Time due{Duration(static_cast<std::int64_t>(prng.below(10)))};
      heap.arm(timer, due);
      expected.emplace_back(due, i);
    }
    for (int i = 0; i < 50; ++i) {
      if (!prng.chance(1, 3)) continue;
      NotedTimer& timer = timers[static_cast<std::size_t>(i)];
      heap.disarm(timer);
      heap.disarm(timer);
      CHECK_FALSE(timer.armed());
      std::erase_if(expected, [&](auto& e) { return e.second == i; });
    }
    std::sort(expected.begin(), expected.end());
    for (int now = 0; now < 10; ++now) heap.fire_due(Time(Duration(now)));
    std::vector<int> order;
    for (auto& [due, number] : expected) order.push_back(number);
    CHECK(fired == order);
    CHECK(heap.empty());
  }
}

TEST_CASE("sleepers wake at their times and not before") {
  for_seeds(200, [](World& world) {
    std::vector<int> woken;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      for (int i : {3, 1, 2, 5, 4}) {
        n.spawn("sleeps", [&, i]() -> Task<> {
          co_await ok(sleep(Duration(1s) * i));
          CHECK(world.elapsed() == Duration(1s) * i);
          woken.push_back(i);
          co_return {};
        });
      }
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(woken == std::vector<int>{1, 2, 3, 4, 5});
  });
}

TEST_CASE("sleepers of one instant wake in the order in which they lay down") {
  World world;
  std::string order;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    for (char c = 'a'; c < 'k'; ++c) {
      n.spawn("sleeps", [&, c]() -> Task<> {
        co_await ok(sleep(1s));
        order += c;
        co_return {};
      });
    }
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(order == "abcdefghij");
}

TEST_CASE("a sleep of no time lets the ready strands go first") {
  World world;
  std::string order;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    n.spawn("other", [&]() -> Task<> {
      order += 'b';
      co_return {};
    });
    order += 'a';
    co_await ok(sleep(-1s));
    order += 'c';
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(order == "abc");
  CHECK(world.elapsed() == 0s);
}

TEST_CASE("a cancelled sleep leaves no timer") {
  World world;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    n.spawn("sleeps", [&]() -> Task<> { co_return co_await sleep(1h); });
    co_await ok(sleep(1s));
    n.cancel();
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(world.elapsed() == 1s);
  CHECK(world.scheduler.timers().empty());
}

TEST_CASE("yield lets every ready strand go first") {
  World world;
  std::string order;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    for (char c : {'a', 'b', 'c'}) {
      n.spawn("letter", [&, c]() -> Task<> {
        for (int i = 0; i < 3; ++i) {
          order += c;
          co_await ok(yield());
        }
        co_return {};
      });
    }
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(order == "abcabcabc");
}

TEST_CASE("a deadline further than the clock can count never comes") {
  const Deadline far = within(Duration::max());
  CHECK(far.from(Time(1h)) == Time::max());
  CHECK(Deadline().from(Time(1h)) == Time::max());
  CHECK(within(-5s).from(Time(1h)) == Time(1h));
  CHECK(Deadline(Time(2h)).from(Time(1h)) == Time(2h));
}
