// What does one operation cost within a process? Channels, select, tasks and spawning.
#include <fmt/format.h>

#include <cstdlib>

#include "report.h"
#include "tubing/channel/go.h"
#include "tubing/channel/uv_reactor.h"

namespace {

using namespace tubing;

constexpr std::int64_t kValues = 2'000'000;
constexpr std::int64_t kSum = kValues * (kValues - 1) / 2;

void check_sum(std::int64_t got, std::int64_t wanted) {
  if (got == wanted) return;
  fmt::print(stderr, "the receiver's sum is {}, not {}: values were lost or repeated\n", got,
             wanted);
  std::exit(1);
}

/// Runs `body` on a fresh Scheduler; returns the nanoseconds for each of `count`.
template <class F>
double ns_each(std::int64_t count, F body) {
  channel::UvReactor reactor;
  Scheduler scheduler(reactor, Prng(1));
  const Time begin = scheduler.now();
  const Result<> result = scheduler.run(body());
  const Time end = scheduler.now();
  if (!result) {
    fmt::print(stderr, "{}\n", result.error().text());
    std::exit(1);
  }
  return static_cast<double>((end - begin).count()) / static_cast<double>(count);
}

Task<> send_all(Sender<std::int64_t> tx) {
  for (std::int64_t i = 0; i < kValues; ++i) co_await ok(tx.send(i));
  tx.close();
  co_return {};
}

Task<> sum_all(Receiver<std::int64_t> rx) {
  std::int64_t sum = 0;
  while (auto v = co_await rx.recv()) sum += *v;
  check_sum(sum, kSum);
  co_return rx.end();
}

/// Two tasks, one channel.
Task<> stream(std::size_t capacity) {
  Channel<std::int64_t> ch{capacity};
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    n.spawn("sender", send_all(ch));
    n.spawn("receiver", sum_all(ch));
    co_return {};
  });
}

Task<> select_and_resend(Channel<std::int64_t> a, Channel<std::int64_t> b, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    auto s = co_await ok(select(recv(a), recv(b)));
    if (s.index() == 0) {
      co_await ok(b.send(co_await ok(s.get<0>())));
    } else {
      co_await ok(a.send(co_await ok(s.get<1>())));
    }
  }
  co_return {};
}

/// Two tasks that each take a value from either of two channels and send it on to the other.
Task<> select2() {
  constexpr std::int64_t kCirculating = 32;
  Channel<std::int64_t> a{64};
  Channel<std::int64_t> b{64};
  for (std::int64_t i = 0; i < kCirculating; ++i) co_await ok((i % 2 ? a : b).send(i));
  co_await ok(nursery([&](Nursery& n) -> Task<> {
    n.spawn("first", select_and_resend(a, b, kValues / 2));
    n.spawn("second", select_and_resend(a, b, kValues / 2));
    co_return {};
  }));
  std::int64_t sum = 0;
  for (const auto& ch : {a, b})
    while (ch.size() > 0) sum += co_await ok(ch.recv());
  check_sum(sum, kCirculating * (kCirculating - 1) / 2);
  co_return {};
}

Task<std::int64_t> same(std::int64_t i) { co_return i; }

Task<> call_tasks() {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < kValues; ++i) sum += co_await ok(same(i));
  check_sum(sum, kSum);
  co_return {};
}

Task<> add(std::int64_t& sum, std::int64_t i) {
  sum += i;
  co_return {};
}

/// A thousand tasks at a time.
Task<> spawn_tasks() {
  constexpr std::int64_t kBatch = 1000;
  std::int64_t sum = 0;
  for (std::int64_t begin = 0; begin < kValues; begin += kBatch)
    co_await ok(nursery([&](Nursery& n) -> Task<> {
      for (std::int64_t i = begin; i < begin + kBatch; ++i) n.spawn("adder", add(sum, i));
      co_return {};
    }));
  check_sum(sum, kSum);
  co_return {};
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("In-process channels: two tasks, capacity 64 where buffered, sums checked",
                       argc, argv);
  report.row("buffered_ns", "ns", "Go 37",
             [] { return ns_each(kValues, [] { return stream(64); }); });
  report.row("rendezvous_ns", "ns", "Go 112",
             [] { return ns_each(kValues, [] { return stream(0); }); });
  report.row("select2_ns", "ns", "Go 59",
             [] { return ns_each(kValues, [] { return select2(); }); });
  report.row("task_ns", "ns", "", [] { return ns_each(kValues, [] { return call_tasks(); }); });
  report.row("spawn_ns", "ns", "", [] { return ns_each(kValues, [] { return spawn_tasks(); }); });
  return report.finish();
}
