#include "tubing/channel/scheduler.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/channel/test_world.h"

using namespace std::chrono_literals;
using namespace tubing;
using tubing::test::for_seeds;
using tubing::test::World;

namespace {

Task<> receive_until(Receiver<int> rx, Deadline deadline) {
  co_await ok(rx.recv(deadline));
  co_return {};
}

Task<> nothing() { co_return {}; }

struct CountingHook final : TurnHook {
  void on_turn_end() override {
    ++calls;
    if (on_call) on_call();
  }
  int calls = 0;
  std::function<void()> on_call;
};

struct CountingObserver final : ResumeObserver {
  void on_resume(Time now, const detail::Strand& strand) override {
    ++resumptions;
    last = now;
    name = strand.name;
  }
  int resumptions = 0;
  Time last;
  std::string name;
};

}  // namespace

TEST_CASE("a strand whose operations are all ready yields after its budget") {
  World world(1, {.operations_per_resumption = 10});
  int turns_of_other = 0;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    n.spawn("other", [&]() -> Task<> {
      for (;; ++turns_of_other) co_await ok(yield());
    });
    Channel<int> ch{1};
    for (int i = 0; i < 500; ++i) {
      co_await ok(ch.send(1));
      co_await ok(ch.recv());
    }
    n.cancel();
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(turns_of_other >= 80);
  CHECK(turns_of_other <= 100);
}

TEST_CASE("an operation completed at the end of the budget is not lost") {
  for_seeds(50, [](World& world) {
    World small(world.seed, {.order = Order::seeded, .operations_per_resumption = 1});
    Channel<int> ch{1};
    Result<> r = small.nursery([&](Nursery& n) -> Task<> {
      n.spawn("send", [&]() -> Task<> {
        for (int i = 0; i < 50; ++i) co_await ok(select(send(ch, i)));
        ch.close();
        co_return {};
      });
      for (int i = 0; i < 50; ++i) {
        const int got = co_await ok(ch.recv());
        CHECK(got == i);
      }
      Result<int> end = co_await ch.recv();
      CHECK(end.code() == Code::closed);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
  });
}

TEST_CASE("a crowd of ready strands does not starve the reactor") {
  World world(1, {.resumptions_per_turn = 16});
  CountingObserver observer;
  world.scheduler.observe(&observer);
  bool happened = false;
  world.reactor.schedule_now([&] { happened = true; });
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    for (int i = 0; i < 100; ++i) {
      n.spawn("busy", [&]() -> Task<> {
        while (!happened) co_await ok(yield());
        co_return {};
      });
    }
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(happened);
  CHECK(world.reactor.parks >= observer.resumptions / 16);
  CHECK(observer.resumptions < 400);
}

TEST_CASE("a crowd of ready strands does not starve a timer") {
  World world(1, {.resumptions_per_turn = 16});
  int resumptions = 0;
  bool fired = false;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    n.spawn("sleeper", [&]() -> Task<> {
      co_await ok(sleep(1s));
      fired = true;
      co_return {};
    });
    for (int i = 0; i < 100; ++i) {
      n.spawn("busy", [&]() -> Task<> {
        while (!fired && ++resumptions < 10'000) {
          world.reactor.stand_still(10ms);
          co_await ok(yield());
        }
        co_return {};
      });
    }
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(fired);
  CHECK(resumptions >= 100);
  CHECK(resumptions < 100 + 16 + 100);  // Due, the end of that turn, those queued before it.
}

TEST_CASE("strands that hand over to each other leave the reactor its turn") {
  World world(1, {.resumptions_per_turn = 16});
  constexpr int kValues = 1000;
  Channel<int> ch{0};
  int taken = 0;
  int seen = kValues;  // What had been taken when the event came.
  world.reactor.schedule_now([&] { seen = taken; });
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    n.spawn("sender", [&]() -> Task<> {
      for (int i = 0; i < kValues; ++i) co_await ok(ch.send(i));
      co_return {};
    });
    for (; taken < kValues; ++taken) co_await ok(ch.recv());
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(seen <= 16);
  CHECK(world.reactor.parks >= kValues / 16);
}

TEST_CASE("strands that hand over to each other go on in the order of the ready queue") {
  World world;
  std::vector<int> order;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    std::vector<Channel<int>> asked;
    for (int i = 0; i < 5; ++i) {
      asked.push_back(Channel<int>{0});
      n.spawn("asked", [&order, rx = asked.back()]() -> Task<> {
        for (int round = 0; round < 2; ++round) order.push_back(co_await ok(rx.recv()));
        co_return {};
      });
    }
    co_await ok(yield());
    for (const int i : {3, 0, 4, 1, 2}) co_await ok(asked[static_cast<std::size_t>(i)].send(i));
    co_await ok(yield());
    for (const int i : {1, 4, 0, 2, 3}) co_await ok(asked[static_cast<std::size_t>(i)].send(i));
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(order == std::vector<int>{3, 0, 4, 1, 2, 1, 4, 0, 2, 3});
}

TEST_CASE("a long chain of strands that hand over uses no stack") {
  World world(1, {.resumptions_per_turn = 1U << 30});
  constexpr int kValues = 100'000;
  Channel<int> ch{0};
  int sum = 0;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    n.spawn("sender", [&]() -> Task<> {
      for (int i = 0; i < kValues; ++i) co_await ok(ch.send(1));
      co_return {};
    });
    for (int i = 0; i < kValues; ++i) sum += co_await ok(ch.recv());
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(sum == kValues);
}

TEST_CASE("when nothing can happen any more run names every task that sleeps") {
  for_seeds(50, [](World& world) {
    Channel<int> ch{0};
    bool ended = false;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("reader", [&]() -> Task<> {
        Result<int> v = co_await ch.recv();
        ended = v.code() == Code::cancelled;
        co_return {};
      });
      n.spawn("writer", [&]() -> Task<> {
        Channel<int> other{0};
        co_return co_await other.send(1);
      });
      co_return co_await sleep(1s);
    });
    REQUIRE(r.code() == Code::failed_precondition);
    const std::string text = r.error().text();
    CHECK(text.find("all tasks are asleep") != std::string::npos);
    CHECK(text.find("reader #2: waits in recv for 1.000 s") != std::string::npos);
    CHECK(text.find("writer #3: waits in send for 1.000 s") != std::string::npos);
    CHECK(text.find("main #0: waits in nursery") != std::string::npos);
    CHECK(ended);
    CHECK(world.scheduler.strand_count() == 0);
  });
}

TEST_CASE("a shield without a deadline does not keep a sleeping program from ending") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Channel<int> never{0};
    for (int i = 0; i < 3; ++i) {
      Result<> inner = co_await shield({}, receive_until(never, {}));
      CHECK(inner.code() == Code::cancelled);
    }
    co_return {};
  });
  CHECK(r.code() == Code::failed_precondition);
}

TEST_CASE("a program with an event to come is not asleep") {
  World world;
  Channel<int> ch{0};
  world.reactor.schedule(5s, [&] { ch.close(); });
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Result<int> v = co_await ch.recv();
    CHECK(v.code() == Code::closed);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(world.elapsed() == 5s);
}

TEST_CASE("dump has a line for each strand with its wait and how long it lasts") {
  World world;
  std::string dump;
  Channel<int> ch{0};
  world.reactor.schedule(3s, [&] {
    dump = world.scheduler.dump();
    ch.close();
  });
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    n.spawn("chooser", [&]() -> Task<> {
      co_await ok(sleep(1s));
      co_await ok(select(recv(ch), after(1h)));
      co_return {};
    });
    n.spawn("sleeper", sleep(4s));
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(dump ==
        "  sleeper #3: waits in sleep for 3.000 s\n"
        "  chooser #2: waits in select for 2.000 s\n"
        "  main #0: waits in nursery for 3.000 s\n");
}

TEST_CASE("a scheduler runs one program after another") {
  World world;
  Channel<int> ch{0};
  for (int i = 0; i < 3; ++i) {
    Result<> late = world.scheduler.run(receive_until(ch, within(1s)));
    CHECK(late.code() == Code::deadline_exceeded);
    Result<> asleep = world.scheduler.run(receive_until(ch, {}));
    CHECK(asleep.code() == Code::failed_precondition);
    Result<> fine = world.scheduler.run(nothing());
    CHECK(fine.code() == Code::ok);
    CHECK(world.scheduler.strand_count() == 0);
  }
  CHECK(world.elapsed() == 3s);
}

TEST_CASE("a root ended by another strand at the end of a turn leaves the ready queue") {
  World world(1, {.resumptions_per_turn = 1});
  Channel<int> ch{0};
  world.reactor.schedule(1s, [&] { ch.close(); });
  Result<> closed = world.scheduler.run(receive_until(ch, {}));
  CHECK(closed.error().text() == "recv: closed");
  Result<> fine = world.scheduler.run(sleep(1s));
  CHECK(fine.code() == Code::ok);
  CHECK(world.elapsed() == 2s);
}

TEST_CASE("a turn hook is called once at the end of the turn") {
  World world;
  CountingHook hook;
  Channel<int> ch{4};
  hook.on_call = [&] { CHECK(*ch.try_send(hook.calls)); };
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    world.scheduler.at_turn_end(hook);
    world.scheduler.at_turn_end(hook);
    CHECK(hook.calls == 0);
    const int first = co_await ok(ch.recv());
    CHECK(first == 1);
    co_await ok(sleep(1s));
    CHECK(hook.calls == 1);
    {
      CountingHook dropped;
      world.scheduler.at_turn_end(hook);
      world.scheduler.at_turn_end(dropped);
    }
    const int second = co_await ok(ch.recv());
    CHECK(second == 2);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a turn hook that queues itself is called in the next turn") {
  World world;
  CountingHook hook;
  hook.on_call = [&] {
    CHECK(world.reactor.parks == hook.calls - 1);
    if (hook.calls < 3) world.scheduler.at_turn_end(hook);
  };
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    world.scheduler.at_turn_end(hook);
    co_return co_await sleep(1s);
  });
  CHECK(r.code() == Code::ok);
  CHECK(hook.calls == 3);
}

TEST_CASE("an observer is told of every resumption with its strand") {
  World world;
  CountingObserver observer;
  world.scheduler.observe(&observer);
  Result<> r = world.scheduler.run(sleep(2s));
  CHECK(r.code() == Code::ok);
  CHECK(observer.resumptions == 2);
  CHECK(observer.name == "main");
  CHECK(observer.last == world.begin + 2s);
}

TEST_CASE("more strands than the ready queue began with all run") {
  for_seeds(10, [](World& world) {
    int ran = 0;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      for (int i = 0; i < 1000; ++i) {
        n.spawn("one", [&]() -> Task<> {
          co_await ok(yield());
          ++ran;
          co_return {};
        });
      }
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(ran == 1000);
  });
}
