#include "tubing/channel/signals.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <vector>

#include "tests/channel/test_world.h"
#include "tubing/channel/uv_reactor.h"

using namespace std::chrono_literals;
using namespace tubing;
using tubing::test::for_seeds;
using tubing::test::World;

TEST_CASE("signals come as numbers in the order in which the process got them") {
  for_seeds(50, [](World& world) {
    world.reactor.schedule(1s, [&] { CHECK(world.reactor.signal(SIGTERM) == 1); });
    world.reactor.schedule(2s, [&] {
      CHECK(world.reactor.signal(SIGINT) == 1);
      CHECK(world.reactor.signal(SIGTERM) == 1);
      CHECK(world.reactor.signal(SIGUSR1) == 0);
    });
    Result<> r = world.nursery([&](Nursery&) -> Task<> {
      Receiver<int> rx = co_await ok(signals(SIGINT, SIGTERM));
      std::vector<int> got;
      for (int i = 0; i < 3; ++i) got.push_back(co_await ok(rx.recv()));
      CHECK(got == std::vector<int>{SIGTERM, SIGINT, SIGTERM});
      co_return {};
    });
    CHECK(r.code() == Code::ok);
  });
}

TEST_CASE("signals beyond the capacity are dropped while nobody receives") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Receiver<int> rx = co_await ok(signals(SIGINT));
    for (int i = 0; i < 100; ++i) world.reactor.signal(SIGINT);
    CHECK(rx.size() == kPendingSignalsMax);
    for (std::size_t i = 0; i < kPendingSignalsMax; ++i) co_await ok(rx.recv());
    Result<int> none = co_await rx.recv(within(1s));
    CHECK(none.code() == Code::deadline_exceeded);
    world.reactor.signal(SIGINT);
    const int again = co_await ok(rx.recv());
    CHECK(again == SIGINT);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a subscription to signals lives as long as a handle of its receiver") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Receiver<int> kept;
    {
      Receiver<int> rx = co_await ok(signals(SIGINT, SIGTERM));
      CHECK(world.reactor.watch_count() == 2);
      kept = rx;
    }
    CHECK(world.reactor.signal(SIGINT) == 1);
    kept = {};
    CHECK(world.reactor.watch_count() == 0);
    CHECK(world.reactor.signal(SIGINT) == 0);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a signal that cannot be watched is an error and leaves no subscription") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Result<Receiver<int>> rx = co_await signals(SIGINT, -1);
    CHECK(rx.code() == Code::invalid_argument);
    CHECK(world.reactor.watch_count() == 0);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a raised signal reaches its receiver through the real reactor") {
  channel::UvReactor reactor;
  Scheduler scheduler(reactor, Prng(1));
  Result<> r = scheduler.run(nursery([&](Nursery& n) -> Task<> {
    Receiver<int> rx = co_await ok(signals(SIGUSR1));
    n.spawn("raise", [&]() -> Task<> {
      co_await ok(yield());
      CHECK(raise(SIGUSR1) == 0);
      co_return {};
    });
    const int got = co_await ok(rx.recv(within(30s)));
    CHECK(got == SIGUSR1);
    co_return {};
  }));
  CHECK(r.code() == Code::ok);
}
