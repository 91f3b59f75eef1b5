#include <doctest/doctest.h>

#include "tests/allocation_count.h"
#include "tests/channel/test_world.h"
#include "tests/skip.h"

using namespace std::chrono_literals;
using namespace tubing;
using tubing::test::allocations;
using tubing::test::World;

namespace {

constexpr int kWarmRounds = 100;
constexpr int kRounds = 1000;

/// Sends back what comes.
Task<> echo(Receiver<int> in, Sender<int> out) {
  for (;;) {
    const int v = co_await ok(in.recv());
    co_await ok(out.send(v));
  }
}

Task<int> twice(int value) { co_return 2 * value; }

Task<int> twice_nested(int value) { co_return co_await ok(twice(value)); }

Task<> echo_by_select(Receiver<int> in, Sender<int> out) {
  Receiver<int> never;
  for (;;) {
    auto s = co_await ok(select(recv(in), recv(never), after(1h)));
    co_await ok(select(send(out, *s.get<0>()), recv(never)));
  }
}

/// Counts the allocations of rounds through a partner, once everything is warm.
Task<> count_rounds(Channel<int> out, Channel<int> in, std::size_t& counted) {
  std::size_t before = 0;
  for (int i = 0; i < kWarmRounds + kRounds; ++i) {
    if (i == kWarmRounds) before = allocations();
    co_await ok(out.send(i));
    co_await ok(in.recv());
  }
  counted = allocations() - before;
  co_return {};
}

}  // namespace

TEST_CASE("an operation on a channel allocates nothing whether it waits or not") {
  for (const std::size_t capacity : {0U, 1U, 8U}) {
    for (const bool selects : {false, true}) {
      CAPTURE(capacity);
      CAPTURE(selects);
      World world;
      Channel<int> there{capacity};
      Channel<int> back{capacity};
      std::size_t counted = 1;
      Result<> r = world.nursery([&](Nursery& n) -> Task<> {
        n.spawn("echo", selects ? echo_by_select(there, back) : echo(there, back));
        co_await ok(count_rounds(there, back, counted));
        n.cancel();
        co_return {};
      });
      CHECK(r.code() == Code::ok);
      CHECK(counted == 0);
    }
  }
}

TEST_CASE("an operation with a deadline allocates nothing whether it comes or not") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Channel<int> ch{1};
    Channel<int> never{0};
    std::size_t before = 0;
    for (int i = 0; i < kWarmRounds + kRounds; ++i) {
      if (i == kWarmRounds) before = allocations();
      co_await ok(ch.send(i, within(1s)));
      co_await ok(ch.recv(within(1s)));
      Result<int> late = co_await never.recv(within(1ms));
      Result<> unsent = co_await never.send(1, within(1ms));
      auto s = co_await ok(select(recv(never), send(never, 1), after(1ms)));
      if (late || unsent || s.index() != 2) FAIL("nobody is there");
    }
    CHECK(allocations() - before == 0);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("operations that end with closed allocate nothing") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Channel<int> ch{1};
    ch.close();
    const std::size_t before = allocations();
    for (int i = 0; i < kRounds; ++i) {
      Result<int> got = co_await ch.recv();
      Result<> sent = co_await ch.send(1);
      if (got || sent) FAIL("the channel is closed");
    }
    CHECK(allocations() - before == 0);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a flush allocates nothing whether it waits or not") {
  World world;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    Channel<int> ch{4};
    n.spawn("receiver", [ch]() -> Task<> {
      for (;;) co_await ok(ch.recv());
    });
    std::size_t before = 0;
    for (int i = 0; i < kWarmRounds + kRounds; ++i) {
      if (i == kWarmRounds) before = allocations();
      co_await ok(ch.send(i));
      co_await ok(ch.flush());
      co_await ok(ch.send(i));
      co_await ok(ch.send(i));
      co_await ok(select(flushed(ch.tx()), after(1h)));
    }
    CHECK(allocations() - before == 0);
    n.cancel();
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

// Sanitizers see more where each frame has memory of its own; then there is no pool.
TEST_CASE("tasks and strands take their frames from a pool") {
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  tests::skip("build without a sanitizer: with one, frames have no pool");
#endif
  World world;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    std::size_t before = 0;
    for (int i = 0; i < kWarmRounds + kRounds; ++i) {
      if (i == kWarmRounds) before = allocations();
      const int four = co_await ok(twice_nested(2));
      if (four != 4) FAIL("the wrong frame");
      n.spawn("short", [i]() -> Task<> {
        co_await ok(twice_nested(i));
        co_return {};
      });
      co_await ok(yield());
      co_await ok(yield());
    }
    CHECK(allocations() - before == 0);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}
