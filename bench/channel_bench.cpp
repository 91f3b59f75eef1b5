// What does one operation cost within a process? Channels, select, tasks and spawning, a thread's
// values, and the codec.
#include <fmt/format.h>

#include <cstdlib>
#include <thread>

#include "report.h"
#include "tubing/channel/codec.h"
#include "tubing/channel/go.h"
#include "tubing/channel/thread_channel.h"
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

void check_ok(const Result<>& result) {
  if (result) return;
  fmt::print(stderr, "{}\n", result.error().text());
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
  check_ok(result);
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

/// A thread sends, and a task of the loop receives.
double ns_from_thread() {
  channel::UvReactor reactor;
  Scheduler scheduler(reactor, Prng(1));
  const ThreadChannel<std::int64_t> values{1024};
  const Time begin = scheduler.now();
  std::thread sender([values] {
    for (std::int64_t i = 0; i < kValues; ++i)
      if (!values.send(i)) return;
    values.close();
  });
  const Result<> result = scheduler.run(sum_all(values.rx(scheduler)));
  const Time end = scheduler.now();
  sender.join();
  check_ok(result);
  return static_cast<double>((end - begin).count()) / static_cast<double>(kValues);
}

struct Wide {
  std::uint64_t a, b, c, d, e, f, g, h;

  static constexpr std::string_view type_name = "bench.Wide";
  static constexpr auto fields =
      tubing::fields("a", &Wide::a, "b", &Wide::b, "c", &Wide::c, "d", &Wide::d, "e", &Wide::e, "f",
                     &Wide::f, "g", &Wide::g, "h", &Wide::h);
};

/// Encodes and decodes a struct of eight numbers, none of which fits a shorter form.
double ns_coded(Form form) {
  constexpr std::uint64_t kWide = std::uint64_t{1} << 40;
  channel::UvReactor reactor;
  ByteBuffer bytes;
  std::int64_t sum = 0;
  const Time begin = reactor.now();
  for (std::uint64_t i = 0; i < std::uint64_t{kValues}; ++i) {
    const Wide sent{kWide + i, kWide, kWide, kWide, kWide, kWide, kWide, kWide};
    bytes.clear();
    encode(sent, bytes, form);
    Wide got{};
    check_ok(decode(bytes.view(), got));
    sum += static_cast<std::int64_t>(got.a - got.h);
  }
  const Time end = reactor.now();
  check_sum(sum, kSum);
  return static_cast<double>((end - begin).count()) / static_cast<double>(kValues);
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("In-process channels: two tasks, capacity 64 where buffered, sums checked",
                       argc, argv);
  report.row("buffered_ns", "ns", "Go 37-44",
             [] { return ns_each(kValues, [] { return stream(64); }); });
  report.row("rendezvous_ns", "ns", "Go 112-140",
             [] { return ns_each(kValues, [] { return stream(0); }); });
  report.row("select2_ns", "ns", "Go 59-63",
             [] { return ns_each(kValues, [] { return select2(); }); });
  report.row("task_ns", "ns", "", [] { return ns_each(kValues, [] { return call_tasks(); }); });
  report.row("spawn_ns", "ns", "", [] { return ns_each(kValues, [] { return spawn_tasks(); }); });
  report.row("thread_channel_ns", "ns", "", ns_from_thread);
  report.row("codec_array_ns", "ns", "", [] { return ns_coded(Form::array); });
  report.row("codec_map_ns", "ns", "", [] { return ns_coded(Form::map); });
  return report.finish();
}
