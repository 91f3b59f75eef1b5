#include "tubing/channel/thread_channel.h"

#include <doctest/doctest.h>

#include <latch>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tubing/channel/go.h"
#include "tubing/channel/uv_reactor.h"

using namespace std::chrono_literals;
using namespace tubing;

namespace {

/// Runs nurseries on a real loop.
struct Loop {
  template <class Body>
  Result<> nursery(Body body) {
    return scheduler.run(tubing::nursery(std::move(body)));
  }
  channel::UvReactor reactor;
  Scheduler scheduler{reactor, Prng(1)};
};

constexpr int kValues = 2000;

}  // namespace

TEST_CASE("many threads send to one loop, each in its order, and the loop hears the close") {
  for (const std::size_t capacity : {1U, 7U, 256U}) {
    CAPTURE(capacity);
    Loop loop;
    ThreadChannel<int> numbers{capacity};
    Receiver<int> rx = numbers.rx(loop.scheduler);
    std::vector<std::thread> threads;
    std::latch all{4};
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([=, &all] {
        for (int i = 0; i < kValues; ++i)
          if (!numbers.send(thread * kValues + i)) return;
        all.count_down();
        all.wait();
        numbers.close();
      });
    }
    std::vector<int> next(4, 0);
    int in_order = 0;
    Result<> r = loop.nursery([&](Nursery&) -> Task<> {
      while (auto v = co_await rx.recv()) {
        CHECK(rx.size() <= capacity);
        auto& of_thread = next[static_cast<std::size_t>(*v / kValues)];
        in_order += *v % kValues == of_thread++;
      }
      co_return rx.end();
    });
    for (std::thread& thread : threads) thread.join();
    CHECK(r.code() == Code::ok);
    CHECK(in_order == 4 * kValues);
    CHECK(numbers.send(1).code() == Code::closed);
  }
}

TEST_CASE("a loop sends to many threads and every value is received once") {
  for (const std::size_t capacity : {1U, 64U}) {
    CAPTURE(capacity);
    Loop loop;
    ThreadChannel<int> numbers{capacity};
    std::array<std::vector<int>, 3> got;
    std::vector<std::thread> threads;
    for (std::vector<int>& mine : got) {
      threads.emplace_back([numbers, &mine] {
        while (auto v = numbers.recv()) mine.push_back(*v);
      });
    }
    Result<> r = loop.nursery([&](Nursery&) -> Task<> {
      Sender<int> tx = numbers.tx(loop.scheduler);
      for (int i = 0; i < kValues; ++i) {
        if (i % 2 == 0) {
          co_await ok(tx.send(i));
        } else {
          auto s = co_await ok(select(send(tx, i), after(1h)));
          CHECK(s.index() == 0);
        }
      }
      tx.close();
      co_return {};
    });
    for (std::thread& thread : threads) thread.join();
    CHECK(r.code() == Code::ok);
    std::set<int> all;
    std::size_t count = 0;
    for (const std::vector<int>& mine : got) {
      CHECK(std::is_sorted(mine.begin(), mine.end()));
      all.insert(mine.begin(), mine.end());
      count += mine.size();
    }
    CHECK(count == kValues);
    CHECK(all.size() == kValues);
  }
}

TEST_CASE("two loops talk to each other through ThreadChannels") {
  ThreadChannel<int> there{4};
  ThreadChannel<int> back{4};
  std::thread other([=] {
    Loop loop;
    Result<> r = loop.nursery([&](Nursery&) -> Task<> {
      Receiver<int> rx = there.rx(loop.scheduler);
      Sender<int> tx = back.tx(loop.scheduler);
      while (auto v = co_await rx.recv()) co_await ok(tx.send(*v + 1));
      tx.close();
      co_return rx.end();
    });
    CHECK(r.code() == Code::ok);
  });
  Loop loop;
  int sum = 0;
  Result<> r = loop.nursery([&](Nursery& n) -> Task<> {
    n.spawn("sends", [&, tx = there.tx(loop.scheduler)]() -> Task<> {
      for (int i = 0; i < 500; ++i) co_await ok(tx.send(i));
      tx.close();
      co_return {};
    });
    Receiver<int> rx = back.rx(loop.scheduler);
    while (auto v = co_await rx.recv()) sum += *v;
    co_return rx.end();
  });
  other.join();
  CHECK(r.code() == Code::ok);
  CHECK(sum == 500 * 501 / 2);
}

TEST_CASE("a loop's end of a ThreadChannel is an arm of select and a member of a FanIn") {
  Loop loop;
  ThreadChannel<std::string> words{2};
  std::thread thread([words] {
    for (const char* word : {"a", "b", "c"}) CHECK(words.send(word).code() == Code::ok);
    words.close(Error(Code::aborted, "test"));
  });
  std::string got;
  Result<> r = loop.nursery([&](Nursery&) -> Task<> {
    Receiver<std::string> rx = words.rx(loop.scheduler);
    auto s = co_await ok(select(recv(rx), after(1h)));
    got += *s.get<0>();
    FanIn<int, std::string> fan;
    co_await ok(fan.add(1, rx));
    for (;;) {
      auto event = co_await ok(fan.recv());
      if (!event.value) co_return std::move(event.value).error();
      got += *event.value;
    }
  });
  thread.join();
  CHECK(r.code() == Code::aborted);
  CHECK(got == "abc");
}

TEST_CASE("a thread that sends or receives waits until its deadline and leaves the value alone") {
  ThreadChannel<std::unique_ptr<int>> ch{1};
  CHECK(ch.recv(within(1ms)).code() == Code::deadline_exceeded);
  auto value = std::make_unique<int>(1);
  CHECK(ch.send(std::move(value)).code() == Code::ok);
  value = std::make_unique<int>(2);
  CHECK(ch.send(std::move(value), within(1ms)).code() == Code::deadline_exceeded);
  CHECK(*value == 2);
  CHECK(ch.send(std::move(value), within(-1s)).code() == Code::deadline_exceeded);
  CHECK(*value == 2);
  ch.close(Error(Code::aborted, "test"));
  CHECK(ch.send(std::move(value)).code() == Code::aborted);
  CHECK(*value == 2);
  auto first = ch.recv();
  CHECK(**first == 1);
  CHECK(ch.recv().code() == Code::aborted);
}

TEST_CASE("a blocked thread gets closed when the receiver on the loop goes, or the loop itself") {
  for (const bool loop_first : {false, true}) {
    CAPTURE(loop_first);
    ThreadChannel<int> ch{1};
    std::latch sending{1};
    Code how = Code::ok;
    auto loop = std::make_unique<Loop>();
    Receiver<int> rx = ch.rx(loop->scheduler);
    std::thread thread([&] {
      CHECK(ch.send(1).code() == Code::ok);
      sending.count_down();
      how = ch.send(2).code();
    });
    sending.wait();
    if (loop_first) {
      loop.reset();
    } else {
      rx = Receiver<int>();
    }
    thread.join();
    CHECK(how == Code::closed);
    rx = Receiver<int>();
  }
}

TEST_CASE("a loop is told when every sender of a ThreadChannel was dropped") {
  Loop loop;
  ThreadChannel<int> ch{4};
  Receiver<int> rx = ch.rx(loop.scheduler);
  std::thread thread([mine = std::exchange(ch, {})] { CHECK(mine.send(1).code() == Code::ok); });
  Code end = Code::ok;
  Result<> r = loop.nursery([&](Nursery&) -> Task<> {
    const int v = co_await ok(rx.recv());
    CHECK(v == 1);
    end = (co_await rx.recv()).code();
    co_return {};
  });
  thread.join();
  CHECK(r.code() == Code::ok);
  CHECK(end == Code::cancelled);
}

TEST_CASE("a loop that waits for a thread is not asleep, and one whose channel has ended is") {
  Loop loop;
  ThreadChannel<int> ch{1};
  Receiver<int> rx = ch.rx(loop.scheduler);
  CHECK(loop.reactor.has_sources());
  ch.close();
  Channel<int> nobody{0};
  Result<> r = loop.nursery([&](Nursery&) -> Task<> {
    const auto end = co_await rx.recv();
    CHECK(end.code() == Code::closed);
    co_return (co_await nobody.recv()).code() == Code::cancelled ? Result<>() : Result<>();
  });
  CHECK(r.code() == Code::failed_precondition);
  CHECK_FALSE(loop.reactor.has_sources());
}

TEST_CASE("what comes before a loop looks wakes it once") {
  struct Counting final : channel::Reactor {
    ~Counting() override { mailbox().close(); }
    Time now() override { return Time(); }
    WallTime wall_now() override { return {}; }
    void park(Time) override { mailbox().deliver(); }
    bool has_sources() const override { return mailbox().is_expecting(); }
    void wake() override { ++wakes; }
    Result<std::unique_ptr<Subscription>> watch_signal(int, std::function<void(int)>) override {
      return Error(Code::unimplemented, "watch_signal");
    }
    Result<> start(channel::Work&) override { return Error(Code::unimplemented, "start"); }
    bool withdraw(channel::Work&) override { return false; }
    int wakes = 0;
  };
  Counting reactor;
  Scheduler scheduler(reactor, Prng(1));
  ThreadChannel<int> ch{100};
  Receiver<int> rx = ch.rx(scheduler);
  reactor.park(Time::min());
  for (int round = 1; round <= 3; ++round) {
    const int before = reactor.wakes;
    for (int i = 0; i < 20; ++i) CHECK(ch.send(i).code() == Code::ok);
    CHECK(reactor.wakes == before + 1);
    reactor.park(Time::min());
    CHECK(rx.size() == static_cast<std::size_t>(20 * round));
  }
}
