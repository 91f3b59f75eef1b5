#include "tubing/channel/channel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
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

Task<> collect(Receiver<int> rx, std::vector<int>& into) {
  while (auto v = co_await rx.recv()) into.push_back(*v);
  co_return rx.end();
}

Task<> send_one(Sender<std::unique_ptr<int>> tx, std::unique_ptr<int>& value, Deadline deadline,
                Code& ended) {
  Result<> sent = co_await tx.send(std::move(value), deadline);
  ended = sent.code();
  co_return {};
}

Task<> note_code(Receiver<int> rx, std::vector<Code>& into) {
  into.push_back((co_await rx.recv()).code());
  co_return {};
}

Task<> note_send_code(Sender<int> tx, int value, std::vector<Code>& into) {
  into.push_back((co_await tx.send(value)).code());
  co_return {};
}

std::vector<int> numbers(int from, int to) {
  std::vector<int> all(static_cast<std::size_t>(to - from));
  std::iota(all.begin(), all.end(), from);
  return all;
}

}  // namespace

TEST_CASE("one sender and one receiver see every value in order at every capacity") {
  for (std::size_t capacity : {0U, 1U, 2U, 7U, 64U}) {
    CAPTURE(capacity);
    for_seeds(kSeeds, [&](World& world) {
      Channel<int> ch{capacity};
      std::vector<int> got;
      Result<> r = world.nursery([&](Nursery& n) -> Task<> {
        n.spawn("collect", collect(ch, got));
        co_await ok(send_range(ch, 0, 100));
        ch.close();
        co_return {};
      });
      CHECK(r.code() == Code::ok);
      CHECK(got == numbers(0, 100));
    });
  }
}

TEST_CASE("values of several senders come each in their order and all come once") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> ch{world.seed % 4};
    std::vector<int> got;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("collect", collect(ch, got));
      co_await ok(nursery([&](Nursery& senders) -> Task<> {
        for (int s = 0; s < 3; ++s) senders.spawn("send", send_range(ch, s * 100, s * 100 + 20));
        co_return {};
      }));
      ch.close();
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    REQUIRE(got.size() == 60);
    for (int s = 0; s < 3; ++s) {
      std::vector<int> of_one;
      for (int v : got)
        if (v / 100 == s) of_one.push_back(v);
      CHECK(of_one == numbers(s * 100, s * 100 + 20));
    }
  });
}

TEST_CASE("waiting senders are served first come first served") {
  for (std::size_t capacity : {0U, 1U}) {
    World world;
    Channel<int> ch{capacity};
    std::vector<int> got;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      for (int s = 0; s < 10; ++s) n.spawn("send", send_range(ch, s, s + 1));
      co_await ok(sleep(1s));
      for (int i = 0; i < 10; ++i) got.push_back(co_await ok(ch.recv()));
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(got == numbers(0, 10));
  }
}

TEST_CASE("waiting receivers are served first come first served") {
  World world;
  Channel<int> ch{0};
  std::vector<std::pair<int, int>> got;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    for (int s = 0; s < 10; ++s) {
      n.spawn("recv", [&, s]() -> Task<> {
        got.emplace_back(s, co_await ok(ch.recv()));
        co_return {};
      });
    }
    co_await ok(sleep(1s));
    co_return co_await send_range(ch, 0, 10);
  });
  CHECK(r.code() == Code::ok);
  REQUIRE(got.size() == 10);
  for (auto [receiver, value] : got) CHECK(receiver == value);
}

TEST_CASE("a channel buffers as many values as its capacity and no more") {
  for (std::size_t capacity : {0U, 1U, 5U}) {
    CAPTURE(capacity);
    for_seeds(20, [&](World& world) {
      Channel<int> ch{capacity};
      std::size_t sent = 0;
      Result<> r = world.nursery([&](Nursery& n) -> Task<> {
        n.spawn("send", [&]() -> Task<> {
          for (;; ++sent) co_await ok(ch.send(1));
        });
        for (std::size_t taken = 0; taken < 20; ++taken) {
          co_await ok(sleep(1s));
          CHECK(sent == capacity + taken);
          CHECK(ch.size() == capacity);
          co_await ok(ch.recv());
        }
        n.cancel();
        co_return {};
      });
      CHECK(r.code() == Code::ok);
      CHECK(ch.capacity() == capacity);
    });
  }
}

TEST_CASE("a rendezvous completes only when both sides have come") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> ch{0};
    std::vector<std::string> events;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("send", [&]() -> Task<> {
        co_await ok(ch.send(7));
        events.push_back("sent");
        co_return {};
      });
      co_await ok(sleep(1s));
      CHECK(events.empty());
      CHECK(ch.size() == 0);
      events.push_back("recv");
      const int got = co_await ok(ch.recv());
      CHECK(got == 7);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(events == std::vector<std::string>{"recv", "sent"});
  });
}

TEST_CASE("a closed channel drains its buffer before it reports closed") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> ch{8};
    std::vector<int> got;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      co_await ok(send_range(ch, 0, 5));
      ch.close();
      n.spawn("collect", collect(ch, got));
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(got == numbers(0, 5));
  });
}

TEST_CASE("close ends every waiting receiver with closed") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> ch{world.seed % 3};
    std::vector<Code> codes;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      for (int i = 0; i < 5; ++i) n.spawn("recv", note_code(ch, codes));
      co_await ok(sleep(1s));
      ch.close();
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(codes == std::vector<Code>(5, Code::closed));
  });
}

TEST_CASE("close ends every waiting sender with closed and loses nothing buffered") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> ch{2};
    std::vector<Code> codes;
    std::vector<int> got;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      co_await ok(send_range(ch, 0, 2));
      for (int i = 0; i < 5; ++i) n.spawn("send", note_send_code(ch, 9, codes));
      co_await ok(sleep(1s));
      ch.close();
      co_await ok(collect(ch, got));
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(codes == std::vector<Code>(5, Code::closed));
    CHECK(got == numbers(0, 2));
  });
}

TEST_CASE("the error of a closed channel names the operation that met it") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Channel<int> ch{1};
    ch.close();
    ch.close();
    Result<> sent = co_await ch.send(1);
    CHECK(sent.error().text() == "send: closed");
    Result<int> got = co_await ch.recv();
    CHECK(got.error().text() == "recv: closed");
    Result<bool> tried = ch.try_send(1);
    CHECK(tried.error().text() == "send: closed");
    Result<std::optional<int>> took = ch.try_recv();
    CHECK(took.error().text() == "recv: closed");
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("closing twice keeps the first end") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Channel<int> ch{1};
    ch.close(Error(Code::data_loss, "disk", "a sector is bad"));
    ch.close();
    Result<int> got = co_await ch.recv();
    CHECK(got.error().text() == "recv: data_loss: a sector is bad");
    Result<> end = ch.end();
    CHECK(end.code() == Code::data_loss);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("end tells how the last recv without a value ended and is ok for closed alone") {
  World world;
  Channel<int> ch{1};
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    CHECK(ch.end().code() == Code::ok);
    Result<int> late = co_await ch.recv(within(1s));
    CHECK(late.code() == Code::deadline_exceeded);
    CHECK(ch.end().code() == Code::deadline_exceeded);
    n.spawn("cancelled", [&]() -> Task<> {
      Result<> inner = co_await nursery([&](Nursery& m) -> Task<> {
        m.cancel();
        Result<int> none = co_await ch.recv();
        CHECK(none.code() == Code::cancelled);
        CHECK(ch.end().code() == Code::cancelled);
        co_return {};
      });
      ch.close();
      Result<int> none = co_await ch.recv();
      CHECK(none.code() == Code::closed);
      CHECK(ch.end().code() == Code::ok);
      co_return inner;
    });
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a cancelled send leaves its value untouched") {
  for_seeds(kSeeds, [](World& world) {
    Channel<std::unique_ptr<int>> ch{0};
    auto value = std::make_unique<int>(5);
    Code ended = Code::ok;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("send", send_one(ch, value, {}, ended));
      co_await ok(sleep(1s));
      n.cancel();
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(ended == Code::cancelled);
    REQUIRE(value != nullptr);
    CHECK(*value == 5);
    CHECK(ch.core()->senders().empty());
  });
}

TEST_CASE("a send past its deadline leaves its value untouched") {
  for_seeds(kSeeds, [](World& world) {
    Channel<std::unique_ptr<int>> ch{0};
    auto value = std::make_unique<int>(5);
    Code ended = Code::ok;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("send", send_one(ch, value, within(3s), ended));
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(ended == Code::deadline_exceeded);
    CHECK(world.elapsed() == 3s);
    CHECK(value != nullptr);
  });
}

TEST_CASE("a closed channel leaves the value of a send untouched") {
  World world;
  Channel<std::unique_ptr<int>> ch{0};
  auto waiting = std::make_unique<int>(5);
  auto late = std::make_unique<int>(6);
  Code first = Code::ok;
  Code second = Code::ok;
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    n.spawn("waits", send_one(ch, waiting, {}, first));
    co_await ok(sleep(1s));
    ch.close();
    n.spawn("late", send_one(ch, late, {}, second));
    co_return {};
  });
  CHECK(r.code() == Code::ok);
  CHECK(first == Code::closed);
  CHECK(second == Code::closed);
  CHECK(waiting != nullptr);
  CHECK(late != nullptr);
}

TEST_CASE("a move only value arrives and leaves its sender empty") {
  for_seeds(kSeeds, [](World& world) {
    Channel<std::unique_ptr<int>> ch{world.seed % 2};
    auto value = std::make_unique<int>(5);
    Code ended = Code::unknown;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("send", send_one(ch, value, {}, ended));
      std::unique_ptr<int> got = co_await ok(ch.recv());
      CHECK(*got == 5);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(ended == Code::ok);
    CHECK(value == nullptr);
  });
}

TEST_CASE("a value given by reference is copied by the send") {
  World world;
  Channel<std::string> ch{0};
  const std::string value(100, 'x');
  Result<> r = world.nursery([&](Nursery& n) -> Task<> {
    n.spawn("send", [&]() -> Task<> { co_return co_await ch.send(value); });
    std::string got = co_await ok(ch.recv());
    CHECK(got == value);
    CHECK(value.size() == 100);
    Channel<std::string> buffered{1};
    co_await ok(buffered.send(value));
    CHECK(value.size() == 100);
    CHECK(*buffered.try_send(value) == false);
    CHECK(value.size() == 100);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a try_send that would wait leaves its value untouched") {
  World world;
  Channel<std::unique_ptr<int>> ch{1};
  auto first = std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  CHECK(*ch.try_send(std::move(first)));
  CHECK(first == nullptr);
  CHECK_FALSE(*ch.try_send(std::move(second)));
  CHECK(second != nullptr);
  std::optional<std::unique_ptr<int>> got = *ch.try_recv();
  REQUIRE(got);
  CHECK(**got == 1);
  CHECK_FALSE(*ch.try_recv());
}

TEST_CASE("try_send and try_recv meet waiting partners") {
  for_seeds(20, [](World& world) {
    Channel<int> ch{0};
    std::vector<int> got;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      CHECK_FALSE(*ch.try_send(1));
      n.spawn("collect", collect(ch, got));
      co_await ok(sleep(1s));
      CHECK(*ch.try_send(2));
      CHECK_FALSE(*ch.try_send(3));
      co_await ok(sleep(1s));
      ch.close();
      co_await ok(sleep(1s));
      Channel<int> other{0};
      n.spawn("send", send_range(other, 4, 5));
      CHECK_FALSE(*other.try_recv());
      co_await ok(sleep(1s));
      CHECK(*other.try_recv() == 4);
      CHECK_FALSE(*other.try_recv());
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(got == std::vector<int>{2});
  });
}

TEST_CASE("a recv past its deadline gets deadline_exceeded and the next one the value") {
  for_seeds(kSeeds, [](World& world) {
    Channel<int> ch{0};
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      Result<int> late = co_await ch.recv(within(2s));
      CHECK(late.code() == Code::deadline_exceeded);
      CHECK(world.elapsed() == 2s);
      n.spawn("send", send_range(ch, 1, 2));
      const int got = co_await ok(ch.recv(within(2s)));
      CHECK(got == 1);
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(world.elapsed() == 2s);
  });
}

TEST_CASE("an absolute deadline counts from where it was made") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Channel<int> ch{0};
    const Deadline until = co_await deadline(5s);
    co_await ok(sleep(3s));
    for (int i = 0; i < 2; ++i) {
      Result<int> late = co_await ch.recv(until);
      CHECK(late.code() == Code::deadline_exceeded);
      CHECK(world.elapsed() == 5s);
    }
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("an operation that is ready succeeds although its deadline is past") {
  World world;
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    Channel<int> ch{1};
    co_await ok(ch.send(3, within(-1s)));
    const int got = co_await ok(ch.recv(within(0s)));
    CHECK(got == 3);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a value that arrives at the instant of the deadline is either received or kept") {
  int received = 0;
  int kept = 0;
  for_seeds(kSeeds, [&](World& world) {
    Channel<std::unique_ptr<int>> ch{0};
    auto value = std::make_unique<int>(5);
    Code sent = Code::unknown;
    Code got = Code::unknown;
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("recv", [&]() -> Task<> {
        auto v = co_await ch.recv(within(1s));
        got = v.code();
        co_return {};
      });
      n.spawn("send", [&]() -> Task<> {
        co_await ok(sleep(1s));
        co_return co_await send_one(ch, value, within(0s), sent);
      });
      co_return {};
    });
    CHECK(r.code() == Code::ok);
    CHECK(sent == got);
    CHECK((value == nullptr) == (got == Code::ok));
    (got == Code::ok ? received : kept) += 1;
  });
  CHECK(received + kept == kSeeds + 1);
}

TEST_CASE("an event and a deadline of the same instant wake a receiver once") {
  World world;
  Channel<int> ch{0};
  world.reactor.schedule(1s, [&] { CHECK(*ch.try_send(4)); });
  Result<> r = world.nursery([&](Nursery&) -> Task<> {
    const int got = co_await ok(ch.recv(within(1s)));
    CHECK(got == 4);
    co_return {};
  });
  CHECK(r.code() == Code::ok);
}

TEST_CASE("a channel lives as long as a handle of it") {
  int living = 0;
  {
    Receiver<Counted> rx;
    CHECK_FALSE(rx);
    {
      Channel<Counted> ch{2};
      CHECK(*ch.try_send(Counted(living)));
      CHECK(*ch.tx().try_send(Counted(living)));
      rx = ch;
      const Receiver<Counted>& same = rx;
      rx = same;
    }
    CHECK(rx);
    CHECK(rx.size() == 2);
    CHECK(living == 2);
    CHECK((*rx.try_recv()).has_value());
    CHECK(living == 1);
  }
  CHECK(living == 0);
  static_assert(sizeof(Sender<int>) == sizeof(void*));
  static_assert(sizeof(Receiver<int>) == sizeof(void*));
}

TEST_CASE("a wait keeps its channel alive when the last handle goes") {
  for_seeds(kSeeds, [](World& world) {
    Channel<std::string> room{0};
    const auto wait_to_receive = [&room]() -> Task<> {
      Result<std::string> got = co_await room.recv();
      CHECK(got.code() == Code::closed);
      co_return {};
    };
    const auto wait_to_choose = [&room]() -> Task<> {
      auto s = co_await ok(select(recv(room), after(1s)));
      Result<std::string> got = s.get<0>();
      CHECK(got.code() == Code::closed);
      co_return {};
    };
    Result<> r = world.nursery([&](Nursery& n) -> Task<> {
      n.spawn("receives", wait_to_receive);
      n.spawn("chooses", wait_to_choose);
      co_await ok(sleep(1ms));
      room.close();
      room = Channel<std::string>{0};
      co_return {};
    });
    CHECK(r.code() == Code::ok);
  });
}
