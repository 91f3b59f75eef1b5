#include "tubing/channel/ticker.h"

#include <doctest/doctest.h>

#include <vector>

#include "tests/channel/test_world.h"

using namespace std::chrono_literals;
using namespace tubing;
using tubing::test::World;

TEST_CASE("ticks come at even distances however long each one takes to handle") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Receiver<Time> ticks = co_await ok(ticker(100ms));
    for (int i = 1; i <= 20; ++i) {
      const Time due = co_await ok(ticks.recv());
      CHECK(due - world.begin == i * 100ms);
      CHECK(world.elapsed() == i * 100ms);
      co_await ok(sleep(73ms));
    }
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(world.scheduler.timers().empty());
}

TEST_CASE("a slow receiver of ticks finds one waiting and the others dropped") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Receiver<Time> ticks = co_await ok(ticker(100ms));
    co_await ok(sleep(1050ms));
    CHECK(ticks.size() == 1);
    Time due = co_await ok(ticks.recv());
    CHECK(due - world.begin == 100ms);
    due = co_await ok(ticks.recv());
    CHECK(due - world.begin == 1100ms);
    CHECK(world.elapsed() == 1100ms);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a loop that stood still skips the ticks that passed and keeps the beat") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Receiver<Time> ticks = co_await ok(ticker(100ms));
    Time due = co_await ok(ticks.recv());
    world.reactor.stand_still(330ms);
    due = co_await ok(ticks.recv());
    CHECK(due - world.begin == 200ms);
    CHECK(world.elapsed() == 430ms);
    due = co_await ok(ticks.recv());
    CHECK(due - world.begin == 500ms);
    CHECK(world.elapsed() == 500ms);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a ticker is an arm of select and ends with its last handle") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Receiver<Time> ticks = co_await ok(ticker(1s));
    Channel<int> never{1};
    auto s = co_await ok(select(recv(never), recv(ticks)));
    CHECK(s.index() == 1);
    ticks = Receiver<Time>();
    CHECK(world.scheduler.timers().empty());
    const auto refused = co_await ticker(0s);
    CHECK(refused.code() == Code::invalid_argument);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}
