#include "tubing/channel/watch.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/channel/test_world.h"

using namespace std::chrono_literals;
using namespace tubing;
using tubing::test::for_seeds;
using tubing::test::World;

TEST_CASE("the first value of a Watch is seen at once and each later one once") {
  World world;
  Result<> r = world.nursery([](Nursery&) -> Task<> {
    Watch<std::string> config{"a"};
    Watcher<std::string> watcher = config.watch();
    CHECK(watcher.has_changed());
    std::string seen = co_await ok(watcher.changed());
    CHECK(seen == "a");
    CHECK_FALSE(watcher.has_changed());
    auto nothing = co_await watcher.changed(within(1s));
    CHECK(nothing.code() == Code::deadline_exceeded);
    config.set("b");
    config.set("c");
    seen = co_await ok(watcher.changed());
    CHECK(seen == "c");
    CHECK(*watcher.get() == "c");
    nothing = co_await watcher.changed(within(1s));
    CHECK(nothing.code() == Code::deadline_exceeded);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a Watcher waits for the first value and wakes to the latest") {
  for_seeds(100, [](World& world) {
    Watch<int> level;
    int woken = 0;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      for (int i = 0; i < 3; ++i) {
        n.spawn("watches", [&]() -> Task<> {
          Watcher<int> watcher = level.watch();
          CHECK(watcher.get() == nullptr);
          const int v = co_await ok(watcher.changed());
          CHECK(v == 3);
          ++woken;
          const auto end = co_await watcher.changed();
          CHECK(end.code() == Code::closed);
          co_return {};
        });
      }
      co_await ok(sleep(1s));
      for (int v = 1; v <= 3; ++v) level.set(v);
      co_await ok(sleep(1s));
      level.close();
      level.set(4);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(woken == 3);
    CHECK(*level.get() == 3);
  });
}

TEST_CASE("a Watcher that lost a select or was cancelled has not seen the value") {
  World world;
  Result<> r = world.nursery([](Nursery&) -> Task<> {
    Watch<int> level{1};
    Watcher<int> watcher = level.watch();
    Channel<int> other{1};
    co_await ok(other.send(7));
    auto s = co_await ok(select_first(recv(other), changed(watcher)));
    CHECK(s.index() == 0);
    CHECK(watcher.has_changed());
    s = co_await ok(select_first(recv(other), changed(watcher)));
    CHECK(s.index() == 1);
    CHECK(*s.get<1>() == 1);
    auto waited = co_await ok(select(recv(other), changed(watcher), after(1s)));
    CHECK(waited.index() == 2);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a closed Watch still yields its last value once") {
  World world;
  Result<> r = world.nursery([](Nursery&) -> Task<> {
    Watch<int> level{5};
    Watcher<int> watcher = level.watch();
    level.close();
    const int v = co_await ok(watcher.changed());
    CHECK(v == 5);
    const auto end = co_await watcher.changed();
    CHECK(end.code() == Code::closed);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}
