// Random programs of channel operations, checked against what a queue may do.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/channel/channel_history.h"
#include "tests/channel/test_world.h"

using namespace std::chrono_literals;
using namespace tubing;
using tubing::test::for_seeds;
using tubing::test::History;
using tubing::test::Item;
using tubing::test::World;

namespace {

constexpr std::size_t kChannels = 3;
constexpr int kWorkers = 6;
constexpr int kOperations = 40;

struct Program {
  explicit Program(std::uint64_t seed) : prng(seed), history(kChannels) {
    for (std::size_t c = 0; c < kChannels; ++c) channels.emplace_back(prng.below(4));
  }
  std::size_t any_channel() { return prng.below(kChannels); }
  Deadline any_deadline() {
    if (prng.chance(1, 3)) return {};
    return within(Duration(1ms) * static_cast<int>(prng.below(5)));
  }

  Prng prng;
  History history;
  std::vector<Channel<Item>> channels;
};

Task<> random_send(Program& p) {
  const std::size_t c = p.any_channel();
  const int id = p.history.send_begins(c);
  Item item(id);
  Result<> sent = co_await p.channels[c].send(std::move(item), p.any_deadline());
  p.history.send_ends(item, id, sent.code());
  if (sent.code() == Code::cancelled) co_return sent;
  co_return {};
}

Task<> random_recv(Program& p) {
  const std::size_t c = p.any_channel();
  const int begin = p.history.tick();
  Result<Item> got = co_await p.channels[c].recv(p.any_deadline());
  if (got) p.history.recv_ends(c, begin, got->id);
  if (got.code() == Code::closed) p.history.recv_finds_end(c);
  if (got.code() == Code::cancelled) co_return got.error();
  co_return {};
}

void random_try(Program& p) {
  const std::size_t c = p.any_channel();
  if (p.prng.chance(1, 2)) {
    const int id = p.history.send_begins(c);
    Item item(id);
    Result<bool> sent = p.channels[c].try_send(std::move(item));
    const Code waits = sent && !*sent ? Code::unavailable : sent.code();
    p.history.send_ends(item, id, waits);
    return;
  }
  const int begin = p.history.tick();
  Result<std::optional<Item>> got = p.channels[c].try_recv();
  if (!got) return p.history.recv_finds_end(c);
  if (*got) p.history.recv_ends(c, begin, (*got)->id);
}

/// Two sends, a receive and a timer, or the same with a default.
Task<> random_select(Program& p) {
  const std::size_t a = p.any_channel();
  const std::size_t b = p.any_channel();
  const std::size_t c = p.any_channel();
  const int first = p.history.send_begins(a);
  const int second = p.history.send_begins(b);
  const int begin = p.history.tick();
  Item one(first);
  Item two(second);
  // NOLINTNEXTLINE: an arm moves from its value only where it wins
  auto s = co_await select(send(p.channels[a], std::move(one)), send(p.channels[b], std::move(two)),
                           recv(p.channels[c]), after(p.any_deadline()));
  Code of_first = Code::unavailable;
  Code of_second = Code::unavailable;
  if (s && s->index() == 0) of_first = s->get<0>().code();
  if (s && s->index() == 1) of_second = s->get<1>().code();
  p.history.send_ends(one, first, of_first);
  p.history.send_ends(two, second, of_second);
  if (s && s->index() == 2) {
    Result<Item>& got = s->get<2>();
    if (got) p.history.recv_ends(c, begin, got->id);
    if (!got) p.history.recv_finds_end(c);
  }
  if (!s) co_return s.error();
  co_return {};
}

/// Nobody waits for what is there.
void check_rules(Program& p) {
  for (auto& channel : p.channels) {
    CHECK(channel.size() <= channel.capacity());
    if (!channel.core()->senders().empty()) CHECK(channel.size() == channel.capacity());
    if (!channel.core()->receivers().empty()) CHECK(channel.size() == 0);
  }
}

Task<> work(Program& p) {
  for (int i = 0; i < kOperations; ++i) {
    check_rules(p);
    switch (p.prng.below(8)) {
      case 0:
      case 1: co_await ok(random_send(p)); break;
      case 2:
      case 3: co_await ok(random_recv(p)); break;
      case 4:
      case 5: co_await ok(random_select(p)); break;
      case 6: random_try(p); break;
      default: co_await ok(yield());
    }
  }
  co_return {};
}

void drain(Program& p) {
  for (std::size_t c = 0; c < kChannels; ++c) {
    for (;;) {
      const int begin = p.history.tick();
      Result<std::optional<Item>> got = p.channels[c].try_recv();
      if (!got || !*got) break;
      p.history.recv_ends(c, begin, (*got)->id);
    }
  }
}

}  // namespace

TEST_CASE("random programs lose and repeat no value and every wait ends after cancel") {
  for_seeds(1000, [](World& world) {
    Program p(world.seed + 1'000'000);
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      for (int i = 0; i < kWorkers; ++i) n.spawn("worker", work(p));
      co_await ok(sleep(Duration(1ms) * static_cast<int>(p.prng.below(60))));
      if (p.prng.chance(1, 2)) {
        const std::size_t c = p.any_channel();
        p.channels[c].close();
        p.history.closes(c);
        co_await ok(sleep(Duration(1ms) * static_cast<int>(p.prng.below(30))));
      }
      n.cancel();
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    drain(p);
    CHECK(p.history.verdict() == "");
    for (auto& channel : p.channels) {
      CHECK(channel.core()->senders().empty());
      CHECK(channel.core()->receivers().empty());
    }
  });
}
