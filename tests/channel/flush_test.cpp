// Flush, stop and reset in process: what was taken, and how the two sides end by hand.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "tests/channel/test_world.h"
#include "tubing/channel/duplex.h"

using namespace std::chrono_literals;
using namespace tubing;
using tubing::test::World;

namespace {

// Runs `body(n)` in a nursery on a scheduler of its own.
template <class Body>
void in_world(Body body) {
  World world;
  const Result<> ran = world.nursery(std::move(body));
  CHECK_MESSAGE(ran, (ran ? "" : ran.error().text()));
}

Task<> flush_into(Sender<int> tx, Code& ended) {
  ended = Code::unknown;
  ended = (co_await tx.flush()).code();
  co_return {};
}

}  // namespace

TEST_CASE("a flush waits until everything that was sent before it has been taken") {
  in_world([](Nursery& n) -> Task<> {
    Channel<int> ch{8};
    for (int i = 0; i < 3; ++i) co_await ok(ch.send(i));
    Code ended = Code::ok;
    n.spawn("flush", flush_into(ch, ended));
    co_await ok(sleep(1ms));
    co_await ok(ch.send(3));
    co_await ok(ch.recv());
    co_await ok(ch.recv());
    co_await ok(sleep(1ms));
    CHECK(ended == Code::unknown);
    co_await ok(ch.recv());
    co_await ok(sleep(1ms));
    CHECK(ended == Code::ok);
    CHECK(ch.size() == 1);
    CHECK(ch.accepted() == 4);
    CHECK(ch.taken_by_peer() == 3);
    co_return {};
  });
}

TEST_CASE("a flush behind a close ends once all of it was taken") {
  in_world([](Nursery& n) -> Task<> {
    Channel<int> ch{8};
    co_await ok(ch.send(1));
    ch.close();
    Code ended = Code::ok;
    n.spawn("flush", flush_into(ch, ended));
    co_await ok(sleep(1ms));
    CHECK(ended == Code::unknown);
    co_await ok(ch.recv());
    co_await ok(sleep(1ms));
    CHECK(ended == Code::ok);
    co_await ok(ch.flush());
    co_return {};
  });
}

TEST_CASE("a flush ends at its deadline and the channel goes on") {
  in_world([](Nursery& n) -> Task<> {
    Channel<int> ch{8};
    co_await ok(ch.send(1));
    Result<> late = co_await ch.flush(within(1s));
    CHECK(late.code() == Code::deadline_exceeded);
    Code ended = Code::ok;
    co_await ok(nursery([&](Nursery& inner) -> Task<> {
      inner.spawn("flush", flush_into(ch, ended));
      co_await ok(sleep(1ms));
      inner.cancel();
      co_return {};
    }));
    CHECK(ended == Code::cancelled);
    co_await ok(ch.recv());
    co_await ok(ch.flush());
    co_return {};
  });
}

TEST_CASE("a select takes a flush as an arm") {
  in_world([](Nursery& n) -> Task<> {
    Channel<int> ch{8};
    co_await ok(ch.send(1));
    auto late = co_await ok(select(flushed(ch.tx()), after(1s)));
    CHECK(late.index() == 1);
    n.spawn("receiver", [ch]() -> Task<> {
      co_await ok(sleep(1ms));
      co_await ok(ch.recv());
      co_return {};
    });
    auto taken = co_await ok(select(flushed(ch.tx()), after(1s)));
    CHECK(taken.index() == 0);
    auto at_once = co_await ok(select(flushed(ch.tx()), flushed(Sender<int>()), otherwise()));
    CHECK(at_once.index() == 0);
    co_return {};
  });
}

TEST_CASE("a receiver that stops discards what waits and ends its sender") {
  in_world([](Nursery& n) -> Task<> {
    // Shared: by the test and the values that it sends; an int refers to nothing.
    using Counted = std::shared_ptr<int>;
    Channel<Counted> ch{2};
    const Counted value(new int(1));
    co_await ok(ch.send(value));
    co_await ok(ch.send(value));
    Code ended = Code::ok;
    n.spawn("sender", [&]() -> Task<> {
      ended = (co_await ch.send(value)).code();
      co_return {};
    });
    co_await ok(sleep(1ms));
    ch.stop();
    ch.stop();
    CHECK(value.use_count() == 1);
    co_await ok(sleep(1ms));
    CHECK(ended == Code::stopped);
    CHECK(ch.try_send(value).code() == Code::stopped);
    Result<Counted> got = co_await ch.recv();
    CHECK(got.code() == Code::stopped);
    CHECK(ch.end().code() == Code::stopped);
    co_return {};
  });
}

TEST_CASE("a flush says how much was taken before the receiver stopped") {
  in_world([](Nursery& n) -> Task<> {
    for (const bool closes : {false, true}) {
      CAPTURE(closes);
      Channel<int> ch{8};
      for (int i = 0; i < 3; ++i) co_await ok(ch.send(i));
      co_await ok(ch.recv());
      if (closes) ch.close();
      Code ended = Code::ok;
      n.spawn("flush", flush_into(ch, ended));
      co_await ok(sleep(1ms));
      ch.stop();
      co_await ok(sleep(1ms));
      CHECK(ended == Code::stopped);
      Result<> flush = co_await ch.flush();
      CHECK(flush.error().detail().contains("1 of the 3 values"));
      CHECK(ch.taken_by_peer() == 1);
    }
    co_return {};
  });
}

TEST_CASE("a duplex that is reset ends all its directions with one status") {
  in_world([](Nursery&) -> Task<> {
    auto [mine, theirs] = make_duplex<int, std::string>(4);
    co_await ok(mine.tx.send(1));
    co_await ok(theirs.tx.send("unread"));
    mine.reset(Code::aborted, "changed my mind");
    mine.reset(Code::internal);
    const int before = co_await ok(theirs.rx.recv());
    CHECK(before == 1);
    const Result<int> received = co_await theirs.rx.recv();
    const Result<> sent = co_await theirs.tx.send("late");
    const Result<std::string> own_received = co_await mine.rx.recv();
    const Result<> own_sent = co_await mine.tx.send(2);
    for (const Error& how :
         {received.error(), sent.error(), own_received.error(), own_sent.error()}) {
      CHECK(how.code() == Code::reset);
      CHECK(how.status() == Code::aborted);
      CHECK(how.detail() == "changed my mind");
    }
    co_return {};
  });
}

TEST_CASE("the end of a channel moves inside a message within one process") {
  struct Job {
    int id = 0;
    Duplex<int, std::string> reply;
  };
  in_world([](Nursery& n) -> Task<> {
    Channel<Job> jobs{1};
    auto [mine, theirs] = make_duplex<std::string, int>(4);
    co_await ok(jobs.send(Job{7, std::move(theirs)}));
    CHECK(!theirs.tx);  // NOLINT: it has moved
    n.spawn("worker", [jobs]() -> Task<> {
      Job job = co_await ok(jobs.recv());
      co_await ok(job.reply.tx.send(job.id + 1));
      job.reply.tx.close();
      co_return {};
    });
    const int progress = co_await ok(mine.rx.recv());
    CHECK(progress == 8);
    Result<int> last = co_await mine.rx.recv();
    CHECK(last.code() == Code::closed);
    co_return {};
  });
}

TEST_CASE("a ring of values grows and keeps their order") {
  in_world([](Nursery&) -> Task<> {
    Channel<int> ch{1000};
    int sent = 0;
    int next = 0;
    for (int round = 1; sent < 900; ++round) {
      for (int i = 0; i < 2 * round && ch.size() < ch.capacity(); ++i) co_await ok(ch.send(sent++));
      for (int i = 0; i < round; ++i) {
        const int got = co_await ok(ch.recv());
        if (got != next++) co_return Error(Code::data_loss, "test", std::to_string(got));
      }
    }
    CHECK(ch.accepted() == static_cast<std::uint64_t>(sent));
    CHECK(ch.taken_by_peer() == static_cast<std::uint64_t>(next));
    co_return {};
  });
}
