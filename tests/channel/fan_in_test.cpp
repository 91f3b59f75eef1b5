#include "tubing/channel/fan_in.h"

#include <doctest/doctest.h>

#include <array>
#include <map>
#include <vector>

#include "tests/allocation_count.h"
#include "tests/channel/test_world.h"

using namespace std::chrono_literals;
using namespace tubing;
using tubing::test::for_seeds;
using tubing::test::send_range;
using tubing::test::World;

namespace {

constexpr int kSeeds = 200;
using Fan = FanIn<int, int>;

}  // namespace

TEST_CASE("a FanIn yields every value of its members with its key, and each end once") {
  for_seeds(kSeeds, [](World& world) {
    std::map<int, std::vector<int>> got;
    std::map<int, Code> ends;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      Fan fan;
      for (int key = 0; key < 4; ++key) {
        Channel<int> ch{static_cast<std::size_t>(key)};
        co_await ok(fan.add(key, ch));
        n.spawn("sends", [=]() -> Task<> {
          co_await ok(send_range(ch, 0, 10));
          if (key == 3) co_return ch.close(Error(Code::aborted, "test")), Result<>();
          co_return ch.close(), Result<>();
        });
      }
      while (fan.size() > 0) {
        auto event = co_await ok(fan.recv());
        if (event.value) {
          CHECK_FALSE(ends.contains(event.key));
          got[event.key].push_back(*event.value);
        } else {
          CHECK(ends.emplace(event.key, event.value.code()).second);
          CHECK_FALSE(fan.contains(event.key));
        }
      }
      const auto nothing = co_await fan.recv(within(1s));
      CHECK(nothing.code() == Code::deadline_exceeded);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    for (int key = 0; key < 4; ++key) {
      CHECK(got[key] == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
      CHECK(ends[key] == (key == 3 ? Code::aborted : Code::closed));
    }
  });
}

TEST_CASE("a FanIn takes no value while nobody waits on it") {
  for (const std::size_t capacity : {0U, 1U, 2U}) {
    CAPTURE(capacity);
    World world;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      Fan fan;
      Channel<int> a{capacity};
      Channel<int> b{1};
      co_await ok(fan.add(1, a));
      co_await ok(fan.add(2, b));
      // Once somebody has waited, every member stays enlisted.
      n.spawn("sends", [=]() -> Task<> { co_return co_await b.send(7); });
      auto event = co_await ok(fan.recv());
      CHECK(event.key == 2);
      for (std::size_t i = 0; i < capacity; ++i) CHECK(*a.try_send(static_cast<int>(i)));
      CHECK_FALSE(*a.try_send(100));
      CHECK(a.size() == capacity);
      const auto full = co_await a.send(100, within(1s));
      CHECK(full.code() == Code::deadline_exceeded);
      auto s = co_await ok(select(send(a, 100), after(1s)));
      CHECK(s.index() == 1);
      for (std::size_t i = 0; i < capacity; ++i) {
        const int v = co_await ok(a.recv());
        CHECK(v == static_cast<int>(i));
      }
      co_return {};
    });
    CHECK(r.code() == Code::ok);
  }
}

TEST_CASE("a FanIn meets a sender that began to wait while nobody waited on it") {
  World world;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    Fan fan;
    Channel<int> a{0};
    co_await ok(fan.add(1, a));
    const auto nothing = co_await fan.recv(within(1s));
    CHECK(nothing.code() == Code::deadline_exceeded);
    n.spawn("sends", [=]() -> Task<> {
      co_await ok(select(send(a, 7), after(1h)));
      co_return {};
    });
    co_await ok(yield());
    const auto event = co_await ok(fan.recv(within(1s)));
    CHECK(*event.value == 7);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a removed member keeps its values, and one removed while somebody waits is left alone") {
  World world;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    Fan fan;
    Channel<int> a{4};
    Channel<int> b{4};
    co_await ok(a.send(1));
    co_await ok(fan.add(1, a));
    const Result<> twice = fan.add(1, b);
    CHECK(twice.code() == Code::already_exists);
    Receiver<int> back = fan.remove(1);
    CHECK(back.size() == 1);
    CHECK_FALSE(fan.remove(1));
    co_await ok(fan.add(2, a));
    auto event = co_await ok(fan.recv());
    CHECK(event.key == 2);
    n.spawn("removes", [&]() -> Task<> {
      fan.remove(2);
      co_await ok(a.send(2));
      co_await ok(fan.add(3, b));
      co_await ok(b.send(3));
      co_return {};
    });
    event = co_await ok(fan.recv());
    CHECK(event.key == 3);
    CHECK(*event.value == 3);
    CHECK(a.size() == 1);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a member that is added while somebody waits is heard at once") {
  for (const bool buffered : {false, true}) {
    CAPTURE(buffered);
    World world;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      Fan fan;
      Channel<int> ch{buffered ? 2U : 0U};
      n.spawn("sends", send_range(ch, 0, 2));
      n.spawn("adds", [&]() -> Task<> {
        co_await ok(sleep(1s));
        co_return fan.add(5, ch);
      });
      for (int i = 0; i < 2; ++i) {
        auto event = co_await ok(fan.recv());
        CHECK(event.key == 5);
        CHECK(*event.value == i);
      }
      Channel<int> over{1};
      over.close();
      n.spawn("adds an ended one", [&, over]() -> Task<> { co_return fan.add(6, over); });
      auto end = co_await ok(fan.recv());
      CHECK(end.key == 6);
      CHECK(end.value.code() == Code::closed);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
  }
}

TEST_CASE("a FanIn draws evenly among the members that are ready") {
  constexpr int kMembers = 5;
  constexpr int kDraws = 10'000;
  World world;
  std::array<int, kMembers> counts{};
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Fan fan;
    std::array<Channel<int>, kMembers> channels;
    for (int i = 0; i < kMembers; ++i) {
      channels[static_cast<std::size_t>(i)] = Channel<int>{1};
      co_await ok(fan.add(i, channels[static_cast<std::size_t>(i)]));
    }
    Channel<int> never{1};
    co_await ok(fan.add(kMembers, never));
    for (int draw = 0; draw < kDraws; ++draw) {
      for (Channel<int>& ch : channels) co_await ok(Result<bool>(ch.try_send(draw)));
      const auto event = co_await ok(fan.recv());
      ++counts[static_cast<std::size_t>(event.key)];
    }
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  // 2000 each, with a deviation of 40.
  for (const int count : counts) {
    CHECK(count > 1800);
    CHECK(count < 2200);
  }
}

TEST_CASE("a FanIn is an arm of select, and a losing one takes nothing") {
  for_seeds(kSeeds, [](World& world) {
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      Fan fan;
      Channel<int> a{1};
      Channel<int> other{0};
      co_await ok(fan.add(1, a));
      n.spawn("sends", send_range(a, 0, 20));
      n.spawn("sends others", send_range(other, 0, 20));
      int from_fan = 0;
      int from_other = 0;
      while (from_fan + from_other < 40) {
        auto s = co_await ok(select(recv(other), recv(fan), after(1h)));
        CHECK(s.index() != 2);
        if (s.index() == 0) CHECK(*s.get<0>() == from_other++);
        if (s.index() == 1) CHECK(*s.get<1>()->value == from_fan++);
      }
      auto idle = co_await ok(select(recv(fan), after(1s)));
      CHECK(idle.index() == 1);
      CHECK(*a.try_send(9));
      CHECK(a.size() == 1);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
  });
}

TEST_CASE("a select does not meet itself through a FanIn, and others meet both of its arms") {
  for (const bool sends_first : {false, true}) {
    CAPTURE(sends_first);
    World world;
    int mets = 0;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      Fan fan;
      Channel<int> ch{0};
      co_await ok(fan.add(1, ch));
      for (int round = 0; round < 4; ++round) {
        Channel<int> result{1};
        n.spawn("both", [&, result]() -> Task<> {
          if (sends_first) {
            auto s = co_await ok(select(send(ch, 1), recv(fan)));
            co_return co_await result.send(s.index() == 0 ? 1 : 2);
          }
          auto s = co_await ok(select(recv(fan), send(ch, 1)));
          co_return co_await result.send(s.index() == 1 ? 1 : 2);
        });
        co_await ok(sleep(1s));
        CHECK(result.size() == 0);
        if (round % 4 == 0) {
          co_await ok(ch.send(5, within(1s)));
          const int how = co_await ok(result.recv());
          CHECK(how == 2);
        } else if (round % 4 == 1) {
          const int v = co_await ok(ch.recv(within(1s)));
          CHECK(v == 1);
          const int how = co_await ok(result.recv());
          CHECK(how == 1);
        } else if (round % 4 == 2) {
          const auto event = co_await ok(fan.recv(within(1s)));
          CHECK(*event.value == 1);
          const int how = co_await ok(result.recv());
          CHECK(how == 1);
        } else {
          auto s = co_await ok(select(send(ch, 6), after(1s)));
          CHECK(s.index() == 0);
          const int how = co_await ok(result.recv());
          CHECK(how == 2);
        }
        ++mets;
      }
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(mets == 4);
  }
}

TEST_CASE("an event of a FanIn allocates nothing and costs no look at the other members") {
  World world;
  Result<> r = world.nursery([](Nursery& n) -> Task<> {
    constexpr int kMembers = 1000;
    Fan fan;
    std::vector<Channel<int>> channels;
    for (int i = 0; i < kMembers; ++i) {
      channels.emplace_back(1U);
      co_await ok(fan.add(i, channels.back()));
    }
    Channel<int> tell{1};
    n.spawn("sends", [&]() -> Task<> {
      for (;;) {
        const auto to = static_cast<std::size_t>(co_await ok(tell.recv()));
        co_await ok(channels[to].send(7));
      }
    });
    std::size_t before = 0;
    for (int i = 0; i < 3 * kMembers; ++i) {
      if (i == 2 * kMembers) before = test::allocations();
      co_await ok(tell.send(i % kMembers));
      const auto event = co_await ok(fan.recv());
      CHECK(event.key == i % kMembers);
      CHECK(fan.set().listed() <= 1);
    }
    CHECK(test::allocations() == before);
    n.cancel();
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

namespace {

/// A random program: senders, receivers on the channels, receivers on the FanIn, and one who moves
/// channels in and out of it. Every value has to arrive once, and in its channel's order at each.
struct Mix {
  static constexpr int kChannels = 4;
  static constexpr int kValues = 12;

  explicit Mix(World& of) : world(of), prng(of.seed) {
    for (Channel<int>& ch : channels) ch = Channel<int>{static_cast<std::size_t>(prng.below(3))};
  }
  void note(std::array<int, kChannels>& last, int value) {
    const auto of = static_cast<std::size_t>(value / 100);
    CHECK(last[of] < value);
    last[of] = value;
    CHECK(++seen[value] == 1);
    if (++arrived == kChannels * kValues)
      for (Channel<int>& ch : channels) ch.close();
  }
  Task<> send_all(int of) {
    for (int i = 0; i < kValues; ++i) {
      const int value = of * 100 + i;
      auto& ch = channels[static_cast<std::size_t>(of)];
      switch (prng.below(3)) {
        case 0:
          if (co_await ok(ch.try_send(value))) break;
          [[fallthrough]];
        case 1: co_await ok(ch.send(value)); break;
        default: co_await ok(select(send(ch, value), recv(never)));
      }
      if (prng.chance(1, 3)) co_await ok(yield());
    }
    co_return {};
  }
  Task<> receive_direct(int of) {
    std::array<int, kChannels> last{-1, -1, -1, -1};
    auto& ch = channels[static_cast<std::size_t>(of)];
    for (int i = 0; i < kValues / 3; ++i) {
      auto v = co_await ch.recv(within(5ms));
      if (v) note(last, *v);
      co_await ok(sleep(Duration(static_cast<std::int64_t>(prng.below(3'000'000)))));
    }
    co_return {};
  }
  Task<> receive_by_fan() {
    std::array<int, kChannels> last{-1, -1, -1, -1};
    while (ended < kChannels) {
      std::optional<FanInEvent<int, int>> event;
      if (prng.chance(1, 2)) {
        auto s = co_await ok(select(recv(fan), after(10ms)));
        if (s.index() == 0) event = *std::move(s.get<0>());
      } else if (auto got = co_await fan.recv(within(10ms))) {
        event = *std::move(got);
      }
      if (!event) continue;
      if (event->value) {
        note(last, *event->value);
      } else {
        ++ended;
      }
    }
    co_return {};
  }
  Task<> move_members() {
    for (int i = 0; i < 30; ++i) {
      const int key = static_cast<int>(prng.below(kChannels));
      if (auto rx = fan.remove(key)) {
        co_await ok(sleep(1ms));
        co_await ok(fan.add(key, rx));
      }
      co_await ok(sleep(Duration(static_cast<std::int64_t>(prng.below(2'000'000)))));
    }
    co_return {};
  }

  World& world;
  Prng prng;
  std::array<Channel<int>, kChannels> channels;
  Channel<int> never{1};
  Fan fan;
  std::map<int, int> seen;
  int arrived = 0;
  int ended = 0;
};

}  // namespace

TEST_CASE("random programs over a FanIn deliver every value once and in order") {
  for_seeds(500, [](World& world) {
    Mix mix(world);
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      for (int i = 0; i < Mix::kChannels; ++i) {
        co_await ok(mix.fan.add(i, mix.channels[static_cast<std::size_t>(i)]));
        n.spawn("sends", mix.send_all(i));
        if (i % 2 == 0) n.spawn("receives", mix.receive_direct(i));
      }
      n.spawn("fan", mix.receive_by_fan());
      n.spawn("fan", mix.receive_by_fan());
      n.spawn("moves", mix.move_members());
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(mix.seen.size() == Mix::kChannels * Mix::kValues);
    CHECK(mix.ended == Mix::kChannels);
  });
}
