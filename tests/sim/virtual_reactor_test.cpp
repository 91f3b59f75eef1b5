#include "tubing/sim/virtual_reactor.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "tubing/channel/run_blocking.h"
#include "tubing/channel/scheduler.h"
#include "tubing/channel/timers.h"

using tubing::Code;
using tubing::Duration;
using tubing::nursery;
using tubing::Nursery;
using tubing::Prng;
using tubing::Scheduler;
using tubing::sleep;
using tubing::Task;
using tubing::Time;
using tubing::WallTime;
using tubing::channel::Reactor;
using tubing::sim::VirtualReactor;
using namespace std::chrono_literals;

namespace {

constexpr Time at(Duration since_start) { return Time(since_start); }

Task<> sleep_and_note(Duration span, std::string name, std::vector<std::string>& log) {
  co_await tubing::ok(sleep(span));
  log.push_back(std::move(name));
  co_return {};
}

Task<> wait_for_ever() { co_return co_await sleep(Duration::max()); }

}  // namespace

TEST_CASE("virtual time starts at zero and moves only in park") {
  VirtualReactor reactor;
  CHECK(reactor.now() == at(0ns));
  CHECK(reactor.wall_now() == VirtualReactor::kEpoch);
  reactor.park(at(24h * 365));
  CHECK(reactor.now() == at(24h * 365));
  CHECK(reactor.wall_now().seconds() == VirtualReactor::kEpoch.seconds() + 365 * 86400);
  reactor.park(at(1s));
  reactor.park(Time::min());
  CHECK(reactor.now() == at(24h * 365));
}

TEST_CASE("virtual time stops at the next event before the time that park was given") {
  VirtualReactor reactor;
  std::vector<Time> times;
  const auto event = reactor.schedule(at(3s), [&] { times.push_back(reactor.now()); });
  CHECK(reactor.has_sources());
  reactor.park(at(2s));
  CHECK(reactor.now() == at(2s));
  CHECK(event.pending());
  reactor.park(Time::max());
  CHECK(reactor.now() == at(3s));
  CHECK(times == std::vector{at(3s)});
  CHECK_FALSE(event.pending());
  CHECK_FALSE(reactor.has_sources());
}

TEST_CASE("events of one instant run in the order of scheduling") {
  VirtualReactor reactor;
  std::string log;
  const auto late = reactor.schedule(at(2s), [&] { log += 'd'; });
  const auto first = reactor.schedule(at(1s), [&] { log += 'a'; });
  const auto second = reactor.schedule(at(1s), [&] { log += 'b'; });
  const auto third = reactor.schedule(at(1s), [&] { log += 'c'; });
  reactor.park(at(10s));
  CHECK(log == "abc");
  reactor.park(at(10s));
  CHECK(log == "abcd");
}

TEST_CASE("an event that an event schedules for now runs in the next park") {
  VirtualReactor reactor;
  int runs = 0;
  VirtualReactor::Event inner;
  const auto outer =
      reactor.schedule(at(1s), [&] { inner = reactor.schedule(at(0s), [&] { ++runs; }); });
  reactor.park(at(5s));
  CHECK(runs == 0);
  reactor.park(at(5s));
  CHECK(runs == 1);
  CHECK(reactor.now() == at(1s));
}

TEST_CASE("a dropped or cancelled event never runs and keeps nothing awake") {
  VirtualReactor reactor;
  int runs = 0;
  {
    const auto dropped = reactor.schedule(at(1s), [&] { ++runs; });
  }
  auto cancelled = reactor.schedule(at(1s), [&] { ++runs; });
  auto by_another = reactor.schedule(at(2s), [&] { ++runs; });
  const auto other = reactor.schedule(at(1s), [&] { by_another.cancel(); });
  cancelled.cancel();
  CHECK_FALSE(cancelled.pending());
  reactor.park(Time::max());
  CHECK_FALSE(reactor.has_sources());
  CHECK(runs == 0);
}

TEST_CASE("a wake makes the next park return at once and only that one") {
  VirtualReactor reactor;
  reactor.wake();
  reactor.park(at(1s));
  CHECK(reactor.now() == at(0s));
  reactor.park(at(1s));
  CHECK(reactor.now() == at(1s));
}

TEST_CASE("a raised signal reaches its watchers in the order of subscribing") {
  VirtualReactor reactor;
  std::string log;
  std::unique_ptr<Reactor::Subscription> second;
  auto first = *reactor.watch_signal(15, [&](int number) {
    log += "first " + std::to_string(number);
    second.reset();
  });
  second = *reactor.watch_signal(15, [&](int) { log += " second"; });
  auto other = *reactor.watch_signal(2, [&](int) { log += " other"; });
  CHECK_FALSE(reactor.has_sources());
  reactor.raise(15);
  CHECK(log.empty());
  CHECK(reactor.has_sources());
  reactor.park(at(1s));
  CHECK(log == "first 15");
  first.reset();
  reactor.raise(15);
  reactor.park(at(1s));
  CHECK(log == "first 15");
}

TEST_CASE("a signal that no process may handle is refused in virtual time too") {
  VirtualReactor reactor;
  for (const int number : {0, -1, 9, 19, 65}) {
    CAPTURE(number);
    CHECK(reactor.watch_signal(number, [](int) {}).code() == Code::invalid_argument);
  }
}

TEST_CASE("timers fire in order and a year of sleep costs no time") {
  VirtualReactor reactor;
  Scheduler scheduler(reactor, Prng(1));
  std::vector<std::string> log;
  const auto run = scheduler.run(nursery([&](Nursery& n) -> Task<> {
    n.spawn("c", sleep_and_note(24h * 365, "year", log));
    n.spawn("a", sleep_and_note(1ns, "nanosecond", log));
    n.spawn("b", sleep_and_note(1s, "second", log));
    co_return {};
  }));
  CHECK(run);
  CHECK(log == std::vector<std::string>{"nanosecond", "second", "year"});
  CHECK(reactor.now() == at(24h * 365));
}

TEST_CASE("the limit of virtual time calls back once and before time passes it") {
  VirtualReactor reactor;
  int calls = 0;
  int events = 0;
  reactor.limit(at(10s), [&] { ++calls; });
  CHECK_FALSE(reactor.has_sources());
  const auto event = reactor.schedule(at(11s), [&] { ++events; });
  reactor.park(at(10s));
  CHECK(calls == 0);
  reactor.park(at(20s));
  CHECK(calls == 1);
  CHECK(events == 0);
  CHECK(reactor.now() == at(10s));
  reactor.park(at(20s));
  CHECK(calls == 1);
  CHECK(events == 1);
}

TEST_CASE("a scheduler at the limit of virtual time can cancel what sleeps") {
  VirtualReactor reactor;
  Scheduler scheduler(reactor, Prng(1));
  const auto run = scheduler.run(nursery([&](Nursery& n) -> Task<> {
    reactor.limit(at(1s), [&n] { n.cancel(); });
    n.spawn("sleeper", wait_for_ever());
    co_return {};
  }));
  CHECK(run);
  CHECK(reactor.now() == at(1s));
}

TEST_CASE("a function that blocks takes no virtual time and may be taken back before it begins") {
  VirtualReactor reactor;
  Scheduler scheduler(reactor, Prng(1));
  std::vector<std::string> log;
  const auto result = scheduler.run(nursery([&](Nursery& n) -> Task<> {
    for (const char* name : {"a", "b"}) {
      n.spawn(name, [&, name]() -> Task<> {
        const int one = co_await tubing::ok(tubing::run_blocking([&, name] {
          log.emplace_back(name);
          return 1;
        }));
        CHECK(one == 1);
        co_return {};
      });
    }
    co_await tubing::ok(sleep(1s));
    CHECK(log == std::vector<std::string>{"a", "b"});
    CHECK(reactor.now() == at(1s));
    n.spawn("is cancelled", [&]() -> Task<> {
      co_return co_await tubing::run_blocking([&] { log.emplace_back("c"); });
    });
    co_await tubing::ok(tubing::yield());
    n.cancel();
    co_return {};
  }));
  CHECK(result.code() == Code::ok);
  CHECK(log.size() == 2);
  CHECK_FALSE(reactor.has_sources());
}
