#include "tubing/channel/broadcast.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/allocation_count.h"
#include "tests/channel/test_world.h"

using namespace std::chrono_literals;
using namespace tubing;
using tubing::test::for_seeds;
using tubing::test::World;

namespace {

constexpr int kSeeds = 100;

Task<> receive_all(Subscription<int> news, std::vector<int>& got) {
  while (auto v = co_await news.recv()) got.push_back(*v);
  co_return {};
}

}  // namespace

TEST_CASE("every subscriber gets every value from its subscription on") {
  for_seeds(kSeeds, [](World& world) {
    Broadcast<int> numbers{16};
    std::vector<int> early;
    std::vector<int> late;
    std::size_t reached = 0;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("early", receive_all(numbers.subscribe(), early));
      for (int i = 0; i < 5; ++i) {
        co_await ok(numbers.send(i));
        co_await ok(yield());
      }
      n.spawn("late", receive_all(numbers.subscribe(), late));
      for (int i = 5; i < 10; ++i) reached = co_await ok(numbers.send(i));
      numbers.close();
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(reached == 2);
    CHECK(early == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    CHECK(late == std::vector<int>{5, 6, 7, 8, 9});
    CHECK(numbers.subscribers() == 0);
  });
}

TEST_CASE("a slow subscriber is told how many values it missed and goes on with the oldest left") {
  World world;
  Result<> r = world.nursery([](Nursery&) -> Task<> {
    Broadcast<int> numbers{4};
    Subscription<int> slow = numbers.subscribe();
    for (int i = 0; i < 10; ++i) co_await ok(numbers.send(i));
    CHECK(slow.size() == 4);
    auto missed = co_await slow.recv();
    CHECK(missed.code() == Code::data_loss);
    CHECK(missed.error().text().find("6 values") != std::string::npos);
    CHECK(slow.missed() == 6);
    for (int i = 6; i < 10; ++i) {
      const int v = co_await ok(slow.recv());
      CHECK(v == i);
    }
    co_await ok(numbers.send(10));
    numbers.close();
    const int last = co_await ok(slow.recv());
    CHECK(last == 10);
    const auto end = co_await slow.recv();
    CHECK(end.code() == Code::closed);
    CHECK(slow.missed() == 6);
    CHECK(numbers.send(11).code() == Code::closed);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a waiting subscriber misses nothing though its Broadcast keeps one value") {
  World world;
  std::vector<int> got;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    Broadcast<int> numbers{1};
    n.spawn("receives", receive_all(numbers.subscribe(), got));
    co_await ok(yield());
    co_await ok(numbers.send(1));
    co_await ok(numbers.send(2));
    numbers.close();
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(got == std::vector<int>{1, 2});
}

TEST_CASE("two strands on one subscription share its values") {
  for_seeds(kSeeds, [](World& world) {
    Broadcast<int> numbers{8};
    Subscription<int> shared = numbers.subscribe();
    std::vector<int> got;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      for (int strand = 0; strand < 2; ++strand) {
        n.spawn("shares", [&]() -> Task<> {
          while (auto v = co_await shared.recv()) got.push_back(*v);
          co_return {};
        });
      }
      co_await ok(yield());
      for (int i = 0; i < 6; ++i) {
        co_await ok(numbers.send(i));
        if (i % 2 == 1) co_await ok(yield());
      }
      numbers.close();
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    std::sort(got.begin(), got.end());
    CHECK(got == std::vector<int>{0, 1, 2, 3, 4, 5});
  });
}

TEST_CASE("a subscription is an arm of select, and a losing arm loses no value") {
  for_seeds(kSeeds, [](World& world) {
    Broadcast<int> numbers{8};
    Channel<int> other{8};
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      Subscription<int> news = numbers.subscribe();
      n.spawn("sends", [&]() -> Task<> {
        for (int i = 0; i < 10; ++i) {
          co_await ok(numbers.send(i));
          co_await ok(other.send(i));
          co_await ok(yield());
        }
        numbers.close();
        co_return {};
      });
      int next_news = 0;
      int next_other = 0;
      while (next_news < 10 || next_other < 10) {
        auto s = co_await ok(select(recv(news), recv(other), after(1h)));
        CHECK(s.index() != 2);
        if (s.index() == 1) CHECK(*s.get<1>() == next_other++);
        if (s.index() != 0) continue;
        if (s.get<0>()) {
          CHECK(*s.get<0>() == next_news++);
        } else {
          CHECK(s.get<0>().code() == Code::closed);
          CHECK(next_news == 10);
        }
      }
      co_return {};
    });
    CHECK(r.code() == Code::ok);
  });
}

TEST_CASE("a value of a Broadcast is sent and received without an allocation") {
  World world;
  Result<> r = world.nursery([](Nursery& n) -> Task<> {
    Broadcast<int> numbers{8};
    Channel<int> answers{1};
    n.spawn("receives", [](Subscription<int> news, Channel<int> out) -> Task<> {
      for (;;) co_await ok(out.send(co_await ok(news.recv())));
    }(numbers.subscribe(), answers));
    std::size_t before = 0;
    for (int i = 0; i < 200; ++i) {
      if (i == 100) before = test::allocations();
      co_await ok(numbers.send(i));
      co_await ok(answers.recv());
    }
    CHECK(test::allocations() == before);
    n.cancel();
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}
