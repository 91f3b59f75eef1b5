#include "tubing/channel/semaphore.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/channel/test_world.h"

using namespace std::chrono_literals;
using namespace tubing;
using tubing::test::for_seeds;
using tubing::test::World;

namespace {

constexpr int kSeeds = 200;

}  // namespace

TEST_CASE("a Semaphore hands out no more than its size at a time") {
  for_seeds(kSeeds, [](World& world) {
    Semaphore slots{5};
    std::size_t held = 0;
    std::size_t most = 0;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      for (std::size_t i = 0; i < 20; ++i) {
        n.spawn("holds", [&, i]() -> Task<> {
          Permit permit = co_await ok(slots.acquire(1 + i % 3));
          held += permit.count();
          most = std::max(most, held);
          co_await ok(sleep(1s));
          held -= permit.count();
          co_return {};
        });
      }
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(most == 5);
    CHECK(slots.available() == 5);
  });
}

TEST_CASE("permits go to those who came first, so that a large request does not starve") {
  World world;
  Semaphore slots{4};
  std::string order;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    std::optional<Permit> all = slots.try_acquire(3);
    for (char name : {'A', 'b', 'c'}) {
      n.spawn("asks", [&, name]() -> Task<> {
        Permit permit = co_await ok(slots.acquire(name == 'A' ? 4 : 1));
        order += name;
        co_return {};
      });
    }
    co_await ok(sleep(1s));
    CHECK(order.empty());
    CHECK(slots.available() == 1);
    CHECK_FALSE(slots.try_acquire(1).has_value());
    all.reset();
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(order == "Abc");
}

TEST_CASE("one whose wait for a permit ends lets those behind it go on") {
  for (const char* how : {"deadline", "cancel", "select"}) {
    CAPTURE(how);
    World world;
    Semaphore slots{4};
    Duration waited{};
    const std::string_view way = how;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      Permit most = co_await ok(slots.acquire(3));
      n.spawn("gives up", [&]() -> Task<> {
        if (way == "deadline") {
          const auto none = co_await slots.acquire(4, within(1s));
          CHECK(none.code() == Code::deadline_exceeded);
        } else if (way == "select") {
          auto s = co_await ok(select(acquire(slots, 4), after(1s)));
          CHECK(s.index() == 1);
        } else {
          const auto none = co_await nursery(
              [&](Nursery&) -> Task<> {
                const Permit none_comes = co_await ok(slots.acquire(4));
                co_return {};
              },
              within(1s));
          CHECK(none.code() == Code::deadline_exceeded);
        }
        co_return {};
      });
      n.spawn("waits behind", [&]() -> Task<> {
        co_await ok(sleep(500ms));
        Permit permit = co_await ok(slots.acquire(1));
        waited = world.elapsed();
        co_return {};
      });
      co_await ok(sleep(1h));
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(waited == 1s);
    CHECK(slots.available() == 4);
  }
}

TEST_CASE("a permit is neither lost nor doubled when its wait is cancelled") {
  for_seeds(kSeeds, [](World& world) {
    Semaphore slots{2};
    Permit first;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      first = co_await ok(slots.acquire(2));
      n.spawn("nursery", [&]() -> Task<> {
        (void)co_await nursery([&](Nursery& inner) -> Task<> {
          for (int i = 0; i < 4; ++i) {
            inner.spawn("asks", [&]() -> Task<> {
              Permit permit = co_await ok(slots.acquire());
              co_return co_await yield();
            });
          }
          co_await ok(yield());
          first.release();
          inner.cancel();
          co_return {};
        });
        co_return {};
      });
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(slots.available() == 2);
  });
}

TEST_CASE("asking a Semaphore for more than its size is refused at once") {
  World world;
  Result<> r = world.nursery([](Nursery&) -> Task<> {
    Semaphore slots{2};
    const auto none = co_await slots.acquire(3);
    CHECK(none.code() == Code::invalid_argument);
    CHECK(none.error().text().find("Semaphore of 2") != std::string::npos);
    auto s = co_await ok(select(acquire(slots, 3), after(1s)));
    CHECK(s.index() == 0);
    CHECK(s.get<0>().code() == Code::invalid_argument);
    auto won = co_await ok(select(acquire(slots, 2), after(1s)));
    CHECK(won.get<0>()->count() == 2);
    CHECK(slots.available() == 0);
    won.get<0>()->release();
    CHECK(slots.available() == 2);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}
