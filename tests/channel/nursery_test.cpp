#include "tubing/channel/nursery.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/channel/test_world.h"

using namespace std::chrono_literals;
using namespace tubing;
using tubing::test::for_seeds;
using tubing::test::World;

namespace {

constexpr int kSeeds = 200;

Error broken(const char* text) { return Error(Code::data_loss, "test", text); }

Task<> wait_and_count(Receiver<int> rx, int& cancelled) {
  Result<int> v = co_await rx.recv();
  cancelled += v.code() == Code::cancelled;
  if (!v) co_return v.error();
  co_return {};
}

Task<> fail_after(Duration span, const char* text) {
  co_await ok(sleep(span));
  co_return broken(text);
}

Task<> append(std::string& to, char c) {
  to += c;
  co_return {};
}

/// Counts its life.
struct Guard {
  explicit Guard(int& count) : count_(count) { ++count_; }
  ~Guard() { --count_; }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  int& count_;
};

Task<> hold_until_cancelled(Receiver<int> rx, int& living) {
  const Guard guard(living);
  co_await ok(rx.recv());
  co_return {};
}

}  // namespace

TEST_CASE("a nursery waits for everything that was spawned in it") {
  for_seeds(kSeeds, [](World& world) {
    int done = 0;
    Result<> r = world.nursery([&](Nursery&) -> Task<> {
      co_await ok(nursery([&](Nursery& n) -> Task<> {
        for (int i = 1; i <= 5; ++i) {
          n.spawn("child", [&, i]() -> Task<> {
            co_await ok(sleep(Duration(1s) * i));
            n.spawn("grandchild", [&]() -> Task<> {
              co_await ok(sleep(1s));
              ++done;
              co_return {};
            });
            ++done;
            co_return {};
          });
        }
        CHECK(n.size() == 6);
        co_return {};
      }));
      CHECK(done == 10);
      CHECK(world.elapsed() == 6s);
      CHECK(world.scheduler.strand_count() == 2);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(world.scheduler.strand_count() == 0);
  });
}

TEST_CASE("a nursery yields the value of its body once all have ended") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    bool ended = false;
    auto value = co_await ok(nursery([&](Nursery& n) -> Task<std::unique_ptr<int>> {
      n.spawn("child", [&]() -> Task<> {
        co_await ok(sleep(1s));
        ended = true;
        co_return {};
      });
      co_return std::make_unique<int>(42);
    }));
    CHECK(*value == 42);
    CHECK(ended);
    Result<int> failed = co_await nursery([&](Nursery& n) -> Task<int> {
      n.spawn("child", fail_after(1s, "late"));
      co_return 1;
    });
    CHECK(failed.code() == Code::data_loss);
    Result<int> stopped = co_await nursery([&](Nursery& n) -> Task<int> {
      n.cancel();
      co_await ok(sleep(1s));
      co_return 1;
    });
    CHECK(stopped.code() == Code::cancelled);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("the first error cancels the siblings and is what the nursery yields") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> ch{0};
    int cancelled = 0;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      for (int i = 0; i < 5; ++i) n.spawn("waits", wait_and_count(ch, cancelled));
      n.spawn("second", fail_after(2s, "second"));
      n.spawn("first", fail_after(1s, "first"));
      Result<> slept = co_await sleep(10s);
      CHECK(slept.code() == Code::cancelled);
      co_return slept;
    });
    REQUIRE(r.code() == Code::data_loss);
    CHECK(r.error().detail() == "first");
    CHECK(cancelled == 5);
    CHECK(world.elapsed() == 1s);
    CHECK(ch.core()->receivers().empty());
  });
}

TEST_CASE("an error of the body cancels what it spawned") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> ch{0};
    int cancelled = 0;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      for (int i = 0; i < 3; ++i) n.spawn("waits", wait_and_count(ch, cancelled));
      co_return broken("body");
    });
    CHECK(r.error().detail() == "body");
    CHECK(cancelled == 3);
  });
}

TEST_CASE("a task that ends with cancelled of its own is an error of the nursery") {
  World world;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    n.spawn("quits", [&]() -> Task<> { co_return Error(Code::cancelled, "whim"); });
    co_return co_await sleep(1s);
  });
  CHECK(r.error().text() == "whim: cancelled");
  CHECK(world.elapsed() == 0s);
}

TEST_CASE("cancel ends every wait and forgives cancelled") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> ch{0};
    int cancelled = 0;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      for (int i = 0; i < 5; ++i) n.spawn("waits", wait_and_count(ch, cancelled));
      co_await ok(sleep(1s));
      n.cancel();
      n.cancel();
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(cancelled == 5);
    CHECK(world.elapsed() == 1s);
  });
}

TEST_CASE("cancel does not forgive an error that is not cancelled") {
  for_seeds(20, [](World& world) {
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("cleanup", [&]() -> Task<> {
        Result<> slept = co_await sleep(10s);
        CHECK(slept.code() == Code::cancelled);
        co_return broken("cleanup");
      });
      co_await ok(sleep(1s));
      n.cancel();
      co_return {};
    });
    CHECK(r.error().detail() == "cleanup");
  });
}

TEST_CASE("cancellation is sticky") {
  for_seeds(20, [](World& world) {
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.cancel();
      Channel<int> full{1};
      CHECK(*full.try_send(1));
      for (int i = 0; i < 5; ++i) {
        Result<int> v = co_await full.recv();
        CHECK(v.code() == Code::cancelled);
        Result<> slept = co_await sleep(1s);
        CHECK(slept.code() == Code::cancelled);
        Result<> yielded = co_await yield();
        CHECK(yielded.code() == Code::cancelled);
        auto s = co_await select(recv(full), otherwise());
        CHECK(s.code() == Code::cancelled);
      }
      CHECK(full.size() == 1);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(world.elapsed() == 0s);
  });
}

TEST_CASE("a task spawned in a cancelled nursery begins and its first wait ends") {
  for_seeds(20, [](World& world) {
    std::string trace;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.cancel();
      n.spawn("late", [&]() -> Task<> {
        trace += "begun";
        co_await ok(sleep(1s));
        trace += " slept";
        co_return {};
      });
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(trace == "begun");
  });
}

TEST_CASE("a nursery past its deadline ends all waits with deadline_exceeded") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> ch{0};
    Result<> r = world.nursery(
        [&](Nursery& n) -> Task<> {
          n.spawn("waits", [&]() -> Task<> {
            Result<int> v = co_await ch.recv();
            CHECK(v.code() == Code::deadline_exceeded);
            co_return v.error();
          });
          n.spawn("nested", [&]() -> Task<> {
            Result<> inner = co_await nursery([&](Nursery& m) -> Task<> {
              m.spawn("deep", [&]() -> Task<> { co_return co_await sleep(1h); });
              co_return {};
            });
            CHECK(inner.code() == Code::deadline_exceeded);
            co_return inner;
          });
          co_return {};
        },
        within(3s));
    CHECK(r.code() == Code::deadline_exceeded);
    CHECK(world.elapsed() == 3s);
  });
}

TEST_CASE("a nursery that ends before its deadline leaves no timer") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> { co_return co_await sleep(1s); }, within(2s));
  CHECK(r.code() == Code::ok);
  CHECK(world.elapsed() == 1s);
  CHECK(world.scheduler.timers().empty());
}

TEST_CASE("cancelling an outer nursery reaches the inner ones") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> ch{0};
    int cancelled = 0;
    Code inner_code = Code::ok;
    Result<> r = world.nursery([&](Nursery& outer) -> Task<> {
      outer.spawn("middle", [&]() -> Task<> {
        Result<> inner = co_await nursery([&](Nursery& n) -> Task<> {
          for (int i = 0; i < 3; ++i) n.spawn("waits", wait_and_count(ch, cancelled));
          co_return co_await nursery([&](Nursery& m) -> Task<> {
            m.spawn("deep", wait_and_count(ch, cancelled));
            co_return {};
          });
        });
        inner_code = inner.code();
        co_return inner;
      });
      co_await ok(sleep(1s));
      outer.cancel();
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(inner_code == Code::cancelled);
    CHECK(cancelled == 4);
  });
}

TEST_CASE("a nursery entered by a cancelled strand cancels what it spawns") {
  World world;
  Result<> r = world.nursery([&](Nursery& outer) -> Task<> {
    outer.cancel();
    bool began = false;
    Result<> inner = co_await nursery([&](Nursery& n) -> Task<> {
      n.spawn("child", [&]() -> Task<> {
        began = true;
        co_return co_await sleep(1s);
      });
      co_return {};
    });
    CHECK(began);
    CHECK(inner.code() == Code::cancelled);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("an exception in a task becomes internal with its text") {
  for_seeds(20, [](World& world) {
    int living = 0;
    Channel<int> ch{0};
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("waits", hold_until_cancelled(ch, living));
      n.spawn("throws", [&]() -> Task<> {
        co_await ok(sleep(1s));
        throw std::runtime_error("the roof leaks");
      });
      co_return {};
    });
    REQUIRE(r.code() == Code::internal);
    CHECK(r.error().detail() == "the roof leaks");
    CHECK(living == 0);
  });
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    co_await ok(yield());
    throw 5;
  });
  CHECK(r.code() == Code::internal);
}

TEST_CASE("a closure is kept until its task has ended") {
  for_seeds(20, [](World& world) {
    std::string out;
    auto owned = std::make_unique<std::string>("kept");
    const std::string* at = owned.get();
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("closure", [&out, text = std::move(owned)]() -> Task<> {
        co_await ok(sleep(1s));
        out = *text;
        co_return {};
      });
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(at != nullptr);
    CHECK(out == "kept");
  });
}

TEST_CASE("strands begin in the order in which they were spawned") {
  World world;
  std::string order;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    for (char c = 'a'; c < 'k'; ++c) n.spawn("letter", append(order, c));
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(order == "abcdefghij");
}

TEST_CASE("every seed is an order of its own and the same each time") {
  std::vector<std::string> orders;
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      World world(seed, {.order = Order::seeded});
      std::string order;
      Result<> r = world.nursery([&](Nursery& n) -> Task<> {
        for (char c = 'a'; c < 'k'; ++c) n.spawn("letter", append(order, c));
        co_return {};
      });
      CHECK(r.code() == Code::ok);
      orders.push_back(order);
    }
  }
  for (std::size_t i = 0; i < 10; ++i) CHECK(orders[i] == orders[i + 10]);
  std::sort(orders.begin(), orders.begin() + 10);
  CHECK(std::unique(orders.begin(), orders.begin() + 10) == orders.begin() + 10);
}

TEST_CASE("a shield lets its task end although the strand was cancelled") {
  for_seeds(kSeeds, [](World& world) {
    std::string trace;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("cleans", [&]() -> Task<> {
        Result<> waited = co_await sleep(1h);
        CHECK(waited.code() == Code::cancelled);
        Result<> cleaned = co_await shield(within(10s), sleep(2s));
        CHECK(cleaned.code() == Code::ok);
        trace += "cleaned";
        Result<> after = co_await sleep(1s);
        CHECK(after.code() == Code::cancelled);
        co_return {};
      });
      co_await ok(sleep(1s));
      n.cancel();
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(trace == "cleaned");
    CHECK(world.elapsed() == 3s);
  });
}

TEST_CASE("a cancellation that comes during a shield waits until it is over") {
  for_seeds(kSeeds, [](World& world) {
    Code shielded = Code::unknown;
    Code after = Code::unknown;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("cleans", [&]() -> Task<> {
        shielded = (co_await shield(within(10s), sleep(5s))).code();
        after = (co_await sleep(1s)).code();
        co_return {};
      });
      co_await ok(sleep(1s));
      n.cancel();
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(shielded == Code::ok);
    CHECK(after == Code::cancelled);
    CHECK(world.elapsed() == 5s);
  });
}

TEST_CASE("a shield past its deadline ends the waits of its task") {
  for_seeds(20, [](World& world) {
    Code code = Code::unknown;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.cancel();
      code = (co_await shield(within(2s), sleep(1h))).code();
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(code == Code::deadline_exceeded);
    CHECK(world.elapsed() == 2s);
  });
}
