#include "tubing/channel/task.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/channel/counted.h"
#include "tests/channel/test_world.h"

using namespace std::chrono_literals;
using namespace tubing;
using tubing::test::Counted;
using tubing::test::World;

namespace {

// TSan keeps a stack of calls of its own, from which no jump between frames ever returns.
#if __has_feature(thread_sanitizer)
constexpr int kLevels = 10'000;
#else
constexpr int kLevels = 100'000;
#endif

/// Writes its name when it dies.
struct Mark {
  Mark(std::string& out, char name) : out_(out), name_(name) {}
  ~Mark() { out_ += name_; }
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;

 private:
  std::string& out_;
  char name_;
};

Error broken(const char* text) { return Error(Code::aborted, "test", text); }

Task<int> fails(std::string& trace) {
  const Mark c(trace, 'c');
  const Mark d(trace, 'd');
  co_await ok(yield());
  co_return broken("inner");
}

Task<int> unwraps(std::string& trace) {
  const Mark b(trace, 'b');
  const int n = co_await ok(fails(trace));
  trace += "never";
  co_return n;
}

Task<int> unwraps_again(std::string& trace) {
  const Mark a(trace, 'a');
  co_return 1 + co_await ok(unwraps(trace));
}

Task<int> descend(int levels) {
  if (levels == 0) co_return 0;
  co_return 1 + co_await ok(descend(levels - 1));
}

Task<int> descend_to_error(int levels) {
  if (levels == 0) co_return broken("bottom");
  co_return 1 + co_await ok(descend_to_error(levels - 1));
}

Task<int> parked_at_the_bottom(int levels, Receiver<int> rx) {
  if (levels == 0) co_return co_await rx.recv();
  co_return 1 + co_await ok(parked_at_the_bottom(levels - 1, rx));
}

[[gnu::noinline]] std::uintptr_t stack_address() {
  return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
}

Task<> keep(Counted) { co_return {}; }

Task<int> ready_value() { co_return 1; }

Task<std::unique_ptr<int>> throws() {
  co_await ok(yield());
  throw std::runtime_error("no more paper");
}

}  // namespace

TEST_CASE("a task begins when it is awaited and never before") {
  World world;
  std::string trace;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Task<int> task = fails(trace);
    CHECK(trace.empty());
    co_await ok(sleep(1s));
    CHECK(trace.empty());
    Result<int> n = co_await std::move(task);
    CHECK(n.code() == Code::aborted);
    CHECK(trace == "dc");
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a task that never began may be dropped") {
  int living = 0;
  const Counted value(living);
  {
    Task<> task = keep(value);
    CHECK(living == 2);
    Task<> other = keep(value);
    other = std::move(task);
    CHECK(living == 3);
  }
  CHECK(living == 1);
}

TEST_CASE("ok ends every frame that unwraps and runs destructors from the inside out") {
  World world;
  std::string trace;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Result<int> n = co_await unwraps_again(trace);
    CHECK(trace == "dcba");
    CHECK(n.error().text() == "test: aborted: inner");
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("an error that is met without ok is returned and ends nobody") {
  World world;
  std::string trace;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    const Mark z(trace, 'z');
    Result<int> n = co_await unwraps(trace);
    CHECK(n.error().detail() == "inner");
    trace += " on ";
    Channel<int> ended{0};
    ended.close();
    Result<int> none = co_await ended.recv();
    CHECK(none.code() == Code::closed);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(trace == "dcb on z");
}

TEST_CASE("an error that every await unwraps ends its strand") {
  World world;
  std::string trace;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    const Mark z(trace, 'z');
    co_await ok(unwraps(trace));
    trace += "never";
    co_return {};
  });
  CHECK(r.error().detail() == "inner");
  CHECK(trace == "dcbz");
}

TEST_CASE("a wait that fails under ok runs destructors of all frames at its end") {
  for (const bool cancels : {false, true}) {
    CAPTURE(cancels);
    World world;
    std::string trace;
    Channel<int> ch{0};
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("outer", [&]() -> Task<> {
        const Mark a(trace, 'a');
        co_await ok([](Receiver<int> rx, std::string& out) -> Task<int> {
          const Mark b(out, 'b');
          const int v = co_await ok(rx.recv());
          co_return v;
        }(ch, trace));
        trace += "never";
        co_return {};
      });
      co_await ok(sleep(1s));
      if (cancels) n.cancel();
      ch.close();
      co_return {};
    });
    CHECK(r.code() == (cancels ? Code::ok : Code::closed));
    CHECK(trace == "ba");
  }
}

TEST_CASE("ok takes a result as well as a task and an operation") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    const int five = co_await ok(Result<int>(5));
    CHECK(five == 5);
    Result<std::unique_ptr<int>> held(std::make_unique<int>(6));
    std::unique_ptr<int> six = co_await ok(held);
    CHECK(*six == 6);
    co_await ok(Result<>());
    co_await ok(Result<>(broken("stop here")));
    FAIL("the error of a Result did not end the task");
    co_return {};
  });
  CHECK(r.error().detail() == "stop here");
}

TEST_CASE("an exception reaches the awaiter as internal with its text") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    auto p = co_await throws();
    CHECK(p.error().text() == "task: internal: no more paper");
    co_await ok(throws());
    co_return {};
  });
  CHECK(r.code() == Code::internal);
}

TEST_CASE("a million ready awaits use no stack") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Channel<int> ch{1};
    std::int64_t sum = 0;
    const std::uintptr_t begin = stack_address();
    std::uintptr_t low = begin;
    for (int i = 0; i < 1'000'000; ++i) {
      co_await ok(ch.send(1));
      sum += co_await ok(ch.recv());
      sum += co_await ok(ready_value());
      low = std::min(low, stack_address());
    }
    CHECK(sum == 2'000'000);
    CHECK(begin - low < 4096);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("tasks nest a hundred thousand levels deep") {
  World world;
  Channel<int> ch{0};
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    const int depth = co_await ok(descend(kLevels));
    CHECK(depth == kLevels);
    n.spawn("send", [&]() -> Task<> {
      co_await ok(sleep(1s));
      co_return co_await ch.send(7);
    });
    const int sum = co_await ok(parked_at_the_bottom(kLevels, ch));
    CHECK(sum == kLevels + 7);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("an error ends a hundred thousand nested frames") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    co_await ok(descend_to_error(kLevels));
    co_return {};
  });
  CHECK(r.error().detail() == "bottom");
}
