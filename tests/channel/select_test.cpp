#include "tubing/channel/select.h"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <vector>

#include "tests/channel/counted.h"
#include "tests/channel/test_world.h"

using namespace std::chrono_literals;
using namespace tubing;
using tubing::test::Counted;
using tubing::test::for_seeds;
using tubing::test::send_range;
using tubing::test::World;

namespace {

constexpr int kSeeds = 200;

/// Of a fair coin with four sides each count is 2500 with a deviation of 43; 250 are allowed.
constexpr int kDraws = 10'000;

using Counts = std::array<int, 4>;

void check_even(const Counts& counts) {
  for (int count : counts) {
    CHECK(count > kDraws / 4 - kDraws / 40);
    CHECK(count < kDraws / 4 + kDraws / 40);
  }
}

Task<> meet(Channel<int> a, Channel<int> b, int value, int& sends, int& received) {
  auto s = co_await ok(select(send(a, value), recv(b), send(b, value), recv(a)));
  sends += s.index() == 0 || s.index() == 2;
  if (s.index() == 1) received += *s.get<1>();
  if (s.index() == 3) received += *s.get<3>();
  co_return {};
}

}  // namespace

TEST_CASE("a stored operation and a stored arm keep their channel") {
  World world;
  int living = 0;
  const auto filled = [&living] {
    Channel<Counted> ch{1};
    CHECK(*ch.try_send(Counted(living)));
    return ch;
  };
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    {
      auto operation = filled().recv();
      CHECK(living == 1);
      if (living != 1) co_return Error(Code::internal, "test", "the channel is gone");
      (void)co_await ok(operation);
    }
    CHECK(living == 0);
    {
      auto arm = recv(filled());
      CHECK(living == 1);
      if (living != 1) co_return Error(Code::internal, "test", "the channel is gone");
      auto s = co_await ok(select(std::move(arm)));
      const bool received = s.get<0>().has_value();
      CHECK(received);
    }
    CHECK(living == 0);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("select lets exactly one arm take place") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> a{2};
    Channel<int> b{2};
    Channel<int> c{2};
    Result<> r = world.nursery([&](Nursery&) -> Task<> {
      co_await ok(a.send(1));
      co_await ok(b.send(2));
      auto s = co_await ok(select(recv(a), recv(b), send(c, 3)));
      const std::size_t taken = (1 - a.size()) + (1 - b.size()) + c.size();
      CHECK(taken == 1);
      if (s.index() == 0) CHECK(*s.get<0>() == 1);
      if (s.index() == 1) CHECK(*s.get<1>() == 2);
      if (s.index() == 2) CHECK(s.get<2>().has_value());
      CHECK((s.index() == 0) == (a.size() == 0));
      CHECK((s.index() == 2) == (c.size() == 1));
      co_return {};
    });
    CHECK(r.code() == Code::ok);
  });
}

TEST_CASE("a waiting select takes from the first partner and leaves the others alone") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> a{0};
    Channel<int> b{0};
    std::vector<int> got;
    int sent = 0;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("a", [&]() -> Task<> {
        co_await ok(sleep(1s));
        co_await ok(a.send(1));
        ++sent;
        co_return {};
      });
      n.spawn("b", [&]() -> Task<> {
        co_await ok(sleep(1s));
        co_await ok(b.send(2));
        ++sent;
        co_return {};
      });
      auto s = co_await ok(select(recv(a), recv(b)));
      got.push_back(s.index() == 0 ? *s.get<0>() : *s.get<1>());
      co_await ok(sleep(1s));
      CHECK(sent == 1);
      auto other = co_await ok(select(recv(a), recv(b)));
      got.push_back(other.index() == 0 ? *other.get<0>() : *other.get<1>());
      CHECK(other.index() != s.index());
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(got.size() == 2);
    CHECK(sent == 2);
  });
}

TEST_CASE("a send arm that loses keeps its value") {
  for_seeds(kSeeds, [](World& world) {
    Channel<std::unique_ptr<int>> a{0};
    Channel<std::unique_ptr<int>> b{world.seed % 2};
    auto first = std::make_unique<int>(1);
    auto second = std::make_unique<int>(2);
    int received = 0;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("recv", [&]() -> Task<> {
        auto s = co_await ok(select(recv(a), recv(b)));
        received = s.index() == 0 ? **s.get<0>() : **s.get<1>();
        co_return {};
      });
      auto s = co_await ok(select(send(a, std::move(first)), send(b, std::move(second))));
      CHECK((first == nullptr) == (s.index() == 0));
      CHECK((second == nullptr) == (s.index() == 1));
      if (b.size() == 1) co_await ok(b.recv());
      n.cancel();
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK((first == nullptr) != (second == nullptr));
    if (received != 0) CHECK(received == (first == nullptr ? 1 : 2));
  });
}

TEST_CASE("a value sent by an arm given by reference is copied") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Channel<std::string> a{1};
    std::string value(50, 'v');
    co_await ok(select(send(a, value)));
    CHECK(value.size() == 50);
    co_await ok(a.recv());
    co_await ok(select(send(a.tx(), std::move(value))));
    CHECK(value.empty());  // NOLINT: moved from, which is what is tested
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("select is uniform among the ready arms") {
  World world(7);
  Counts counts{};
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Channel<int> a{1};
    Channel<int> b{1};
    Channel<int> c{1};
    Channel<int> closed{1};
    closed.close();
    for (int i = 0; i < kDraws; ++i) {
      if (a.size() == 0) co_await ok(a.send(1));
      if (b.size() == 0) co_await ok(b.send(1));
      if (c.size() == 1) co_await ok(c.recv());
      auto s = co_await ok(select(recv(a), recv(b), send(c, 1), recv(closed)));
      ++counts[s.index()];
    }
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  check_even(counts);
}

TEST_CASE("the same channel in several arms is chosen as often as each arm") {
  World world(8);
  Counts counts{};
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Channel<int> a{1};
    for (int i = 0; i < kDraws; ++i) {
      co_await ok(a.send(i));
      auto s = co_await ok(select(recv(a), recv(a), recv(a), recv(a)));
      ++counts[s.index()];
      CHECK(a.size() == 0);
    }
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  check_even(counts);
}

TEST_CASE("select_first takes the ready arm written first") {
  for_seeds(20, [](World& world) {
    Result<> r = world.nursery([&](Nursery&) -> Task<> {
      Channel<int> a{4};
      Channel<int> b{4};
      co_await ok(b.send(1));
      auto only = co_await ok(select_first(recv(a), recv(b), otherwise()));
      CHECK(only.index() == 1);
      for (int i = 0; i < 4; ++i) co_await ok(b.send(1));
      for (int i = 0; i < 4; ++i) co_await ok(a.send(1));
      for (int i = 0; i < 4; ++i) {
        auto s = co_await ok(select_first(recv(a), recv(b)));
        CHECK(s.index() == 0);
      }
      auto s = co_await ok(select_first(recv(a), recv(b)));
      CHECK(s.index() == 1);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
  });
}

TEST_CASE("otherwise is chosen when no other arm is ready and only then") {
  for_seeds(kSeeds, [](World& world) {
    Result<> r = world.nursery([&](Nursery&) -> Task<> {
      Channel<int> a{1};
      Channel<int> b{0};
      auto s = co_await ok(select(otherwise(), recv(a), send(b, 1)));
      CHECK(s.index() == 0);
      CHECK(s.get<0>().has_value());
      co_await ok(a.send(1));
      auto t = co_await ok(select(otherwise(), recv(a), send(b, 1), after(0s)));
      CHECK(t.index() == 1);
      CHECK(world.elapsed() == 0s);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
  });
}

TEST_CASE("an empty handle is an arm that is never ready") {
  for_seeds(20, [](World& world) {
    Result<> r = world.nursery([&](Nursery&) -> Task<> {
      Receiver<int> no_rx;
      Sender<int> no_tx;
      Channel<int> none;
      auto s = co_await ok(select(recv(no_rx), send(no_tx, 1), recv(none), after(2s)));
      CHECK(s.index() == 3);
      CHECK(world.elapsed() == 2s);
      auto t = co_await ok(select(recv(no_rx), send(no_tx, 1), otherwise()));
      CHECK(t.index() == 2);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
  });
}

TEST_CASE("the earliest after arm wins when nothing else comes") {
  for_seeds(20, [](World& world) {
    Result<> r = world.nursery([&](Nursery&) -> Task<> {
      Channel<int> a{0};
      auto s = co_await ok(select(after(3s), recv(a), after(2s), after(4s), after(Deadline())));
      CHECK(s.index() == 2);
      CHECK(s.get<2>().has_value());
      CHECK(world.elapsed() == 2s);
      const Deadline until = co_await deadline(1s);
      auto t = co_await ok(select(after(5s), after(until)));
      CHECK(t.index() == 1);
      CHECK(world.elapsed() == 3s);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
  });
}

TEST_CASE("a select that won against its timer is not woken by it") {
  World world;
  Channel<int> a{0};
  world.reactor.schedule(1s, [&] { CHECK(*a.try_send(1)); });
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    auto s = co_await ok(select(recv(a), after(1s), after(1s)));
    CHECK(s.index() == 0);
    co_await ok(sleep(5s));
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("the timer of a cancelled select never fires") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> a{0};
    Result<> r = world.nursery([&](Nursery&) -> Task<> {
      co_await ok(nursery([&](Nursery& n) -> Task<> {
        n.spawn("select", [&]() -> Task<> {
          co_await ok(select(recv(a), after(2s)));
          co_return {};
        });
        n.spawn("finish", [&]() -> Task<> {
          Result<> ended;
          auto s = co_await select(recv(a), after(2s), after(2s));
          CHECK(s.code() == Code::cancelled);
          CHECK(s.error().text() == "select: cancelled");
          co_return {};
        });
        co_await ok(sleep(1s));
        n.cancel();
        co_return {};
      }));
      co_await ok(sleep(5s));
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(a.core()->receivers().empty());
  });
}

TEST_CASE("a cancelled select takes no value and keeps its own") {
  for_seeds(kSeeds, [](World& world) {
    Channel<std::unique_ptr<int>> a{0};
    Channel<int> b{0};
    auto value = std::make_unique<int>(1);
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("select", [&]() -> Task<> {
        auto s = co_await select(send(a, std::move(value)), recv(b));
        CHECK(s.code() == Code::cancelled);
        co_return {};
      });
      co_await ok(sleep(1s));
      n.cancel();
      CHECK_FALSE(*b.try_send(1));
      CHECK_FALSE(*a.try_recv());
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(value != nullptr);
  });
}

TEST_CASE("an arm on a closed channel is ready and tells how the channel ended") {
  for_seeds(20, [](World& world) {
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      Channel<int> a{1};
      a.close();
      auto s = co_await ok(select(recv(a), after(1s)));
      REQUIRE(s.index() == 0);
      CHECK(s.get<0>().error().text() == "recv: closed");
      auto t = co_await ok(select(send(a, 1), after(1s)));
      REQUIRE(t.index() == 0);
      CHECK(t.get<0>().error().text() == "send: closed");
      Channel<int> b{0};
      n.spawn("close", [=]() -> Task<> {
        co_await ok(sleep(1s));
        b.close();
        co_return {};
      });
      auto u = co_await ok(select(after(5s), recv(b)));
      REQUIRE(u.index() == 1);
      CHECK(u.get<1>().code() == Code::closed);
      CHECK(world.elapsed() == 1s);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
  });
}

TEST_CASE("a select never meets itself on a rendezvous") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> a{0};
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      auto alone = co_await ok(select(recv(a), send(a, 1), after(1s)));
      CHECK(alone.index() == 2);
      CHECK(a.core()->receivers().empty());
      CHECK(a.core()->senders().empty());
      n.spawn("send", send_range(a, 5, 6));
      auto taken = co_await ok(select(recv(a), send(a, 1)));
      REQUIRE(taken.index() == 0);
      CHECK(*taken.get<0>() == 5);
      int got = 0;
      n.spawn("recv", [&a, &got]() -> Task<> {
        got = co_await ok(a.recv());
        co_return {};
      });
      auto given = co_await ok(select(recv(a), send(a, 6)));
      CHECK(given.index() == 1);
      co_await ok(sleep(1s));
      CHECK(got == 6);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
  });
}

TEST_CASE("two selects that face each other exchange exactly one value") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> a{0};
    Channel<int> b{0};
    int sends = 0;
    int received = 0;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("one", meet(a, b, 1, sends, received));
      n.spawn("ten", meet(a, b, 10, sends, received));
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(sends == 1);
    CHECK((received == 1 || received == 10));
    CHECK(a.core()->senders().empty());
    CHECK(b.core()->receivers().empty());
  });
}

TEST_CASE("many selects on both sides of many channels lose and repeat nothing") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> a{0};
    Channel<int> b{1};
    std::vector<int> seen(120);
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      for (int s = 0; s < 4; ++s) {
        n.spawn("send", [&, s]() -> Task<> {
          for (int i = 0; i < 30; ++i)
            co_await ok(select(send(a, s * 30 + i), send(b, s * 30 + i)));
          co_return {};
        });
      }
      for (int s = 0; s < 3; ++s) {
        n.spawn("recv", [&]() -> Task<> {
          for (int i = 0; i < 40; ++i) {
            auto got = co_await ok(select(recv(a), recv(b)));
            ++seen[static_cast<std::size_t>(got.index() == 0 ? *got.get<0>() : *got.get<1>())];
          }
          co_return {};
        });
      }
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(seen == std::vector<int>(120, 1));
  });
}

TEST_CASE("an absolute deadline that has passed takes part among arms that are always ready") {
  for_seeds(kSeeds, [](World& world) {
    Result<> r = world.nursery([&](Nursery&) -> Task<> {
      Channel<int> busy{1};
      const Deadline passed = co_await deadline(1ms);
      co_await ok(sleep(2ms));
      int received = 0;
      for (;; ++received) {
        co_await ok(busy.send(1));
        auto s = co_await ok(select(recv(busy), after(passed)));
        if (s.index() == 1) break;
        REQUIRE(received < 1000);
      }
      auto first = co_await ok(select_first(after(passed), recv(busy)));
      CHECK(first.index() == 0);
      auto instead = co_await ok(select(otherwise(), after(passed)));
      CHECK(instead.index() == 1);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
  });
}
