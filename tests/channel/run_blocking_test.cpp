#include "tubing/channel/run_blocking.h"

#include <doctest/doctest.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <iterator>
#include <latch>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include "tubing/channel/go.h"
#include "tubing/channel/uv_reactor.h"

using namespace std::chrono_literals;
using namespace tubing;

namespace {

/// Runs one nursery on a real loop.
struct Loop {
  explicit Loop(channel::WorkerLimits limits = {}) : reactor(limits) {}
  template <class Body>
  Result<> nursery(Body body) {
    return scheduler.run(tubing::nursery(std::move(body)));
  }
  channel::UvReactor reactor;
  Scheduler scheduler{reactor, Prng(1)};
};

#if __has_feature(thread_sanitizer)
constexpr std::ptrdiff_t kOtherThreads = 2;  // The loop's, and one that TSan begins with the first.
#else
constexpr std::ptrdiff_t kOtherThreads = 1;  // The loop's.
#endif

/// Of this process.
std::ptrdiff_t count_threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

/// Returns when it is asked to stop.
Result<int> wait_for_stop(std::stop_token stop, std::latch& begun) {
  std::mutex lock;
  std::condition_variable_any never;
  std::unique_lock hold(lock);
  begun.count_down();
  never.wait(hold, stop, [] { return false; });
  return 42;
}

}  // namespace

TEST_CASE("a function that blocks runs on another thread while other strands go on") {
  Loop loop;
  std::latch opened{1};
  bool on_another = false;
  Result<> r = loop.nursery([&](Nursery& n) -> Task<> {
    n.spawn("opens", [&]() -> Task<> {
      co_await ok(yield());
      opened.count_down();
      co_return {};
    });
    const auto mine = std::this_thread::get_id();
    on_another = co_await ok(run_blocking([&] {
      opened.wait();
      return std::this_thread::get_id() != mine;
    }));
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(on_another);
}

TEST_CASE("what a blocking function returns or throws is the result of its wait") {
  Loop loop;
  Result<> r = loop.nursery([](Nursery&) -> Task<> {
    const std::string text = co_await ok(run_blocking([] { return std::string("text"); }));
    CHECK(text == "text");
    int calls = 0;
    co_await ok(run_blocking([&] { ++calls; }));
    CHECK(calls == 1);
    const auto number = co_await run_blocking([] { return Result<int>(3); });
    CHECK(*number == 3);
    const auto error =
        co_await run_blocking([]() -> Result<int> { return Error(Code::not_found, "test"); });
    CHECK(error.code() == Code::not_found);
    const auto thrown =
        co_await run_blocking([]() -> int { throw std::runtime_error("it was thrown"); });
    CHECK(thrown.code() == Code::internal);
    CHECK(thrown.error().text().find("it was thrown") != std::string::npos);
    co_await ok(run_blocking([]() -> Result<> { return Error(Code::aborted, "test"); }));
    co_return {};
  });
  CHECK(r.code() == Code::aborted);
}

TEST_CASE("no more functions block at a time than the limit says, and each runs once") {
  Loop loop({.threads_max = 2, .queue_max = 100});
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::atomic<int> ran = 0;
  int asked = 0;
  while (count_threads() > kOtherThreads) std::this_thread::yield();  // those of other cases end
  std::ptrdiff_t more_threads = 0;
  // The first two meet in here and stay until all are asked for.
  std::latch both{2};
  std::latch all_asked{1};
  Result<> r = loop.nursery([&](Nursery& n) -> Task<> {
    for (int i = 0; i < 30; ++i) {
      n.spawn("blocks", [&, i]() -> Task<> {
        ++asked;
        co_return co_await run_blocking([&, i] {
          const int now = ++running;
          for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
          }
          if (i < 2) {
            both.arrive_and_wait();
            all_asked.wait();
          }
          ++ran;
          --running;
        });
      });
    }
    while (asked < 30) co_await ok(yield());
    more_threads = count_threads() - kOtherThreads;
    all_asked.count_down();
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(ran == 30);
  CHECK(most == 2);
  CHECK(more_threads == 2);
}

TEST_CASE("one function more than the queue holds is refused with advice") {
  Loop loop({.threads_max = 1, .queue_max = 1});
  std::latch begun{1};
  std::latch opened{1};
  Result<> r = loop.nursery([&](Nursery& n) -> Task<> {
    n.spawn("runs", [&]() -> Task<> {
      co_return co_await run_blocking([&] {
        begun.count_down();
        opened.wait();
      });
    });
    co_await ok(yield());
    begun.wait();
    n.spawn("waits", []() -> Task<> { co_return co_await run_blocking([] {}); });
    co_await ok(yield());
    const auto refused = co_await run_blocking([] { return 1; });
    CHECK(refused.code() == Code::resource_exhausted);
    CHECK(refused.error().text().find("WorkerLimits") != std::string::npos);
    opened.count_down();
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a cancelled function never begins, or is asked to stop and waited for") {
  Loop loop({.threads_max = 1});
  std::latch begun{1};
  int answer = 0;
  bool never_ran = true;
  Code queued = Code::ok;
  Result<> r = loop.nursery([&](Nursery& n) -> Task<> {
    n.spawn("runs", [&]() -> Task<> {
      auto got = co_await run_blocking(
          [&](std::stop_token stop) { return wait_for_stop(std::move(stop), begun); });
      answer = got ? *got : -1;
      co_return {};
    });
    n.spawn("is queued", [&]() -> Task<> {
      queued = (co_await run_blocking([&] { never_ran = false; })).code();
      co_return {};
    });
    co_await ok(yield());
    begun.wait();
    n.cancel();
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(answer == 42);
  CHECK(queued == Code::cancelled);
  CHECK(never_ran);
}
