// Channels that share a link of set bandwidth, in virtual time: what one does to another.
#include <algorithm>

#include "tests/rpc/node_hosts.h"

namespace tubing::test {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kBytesPerSecond = 10'000'000;
constexpr std::size_t kKiB = 1024;
inline constexpr Service<Bytes, Bytes> kFast{"fast.v1", 1024};
inline constexpr Service<Bytes, Bytes> kSlow{"slow.v1", 1024};

/// A link with hardly a buffer of its own: one flush is under way at a time.
sim::WireConditions link(Duration latency) {
  return {.latency_min = latency,
          .latency_max = latency,
          .chunk_bytes_min = 2 * kKiB,
          .chunk_bytes_max = 2 * kKiB,
          .bytes_per_second = kBytesPerSecond,
          .send_buffer_bytes = 2 * kKiB};
}

/// How long the link takes for so many bytes, and 2% for records and frames.
Duration time_of(std::uint64_t bytes) {
  return std::chrono::nanoseconds(bytes * 1'020'000'000 / kBytesPerSecond);
}

/// Sends values of 16 KiB as fast as it may, until the channel or the task ends.
Task<> pour(channel::Network& from, PeerName to, Service<Bytes, Bytes> service) {
  auto peer = co_await ok(open(from, service, std::move(to)));
  while (true) co_await ok(peer.tx.send(Bytes(16 * kKiB)));
}

/// What a receiver that takes at once got between two moments.
struct Counted {
  std::uint64_t bytes = 0;
  Time begin;
  Time end;

  void count(Time now, std::size_t size) {
    if (now >= begin && now < end) bytes += size;
  }
};

/// Bytes that the fast channel delivers in the given time of one connection.
std::uint64_t delivered(Duration latency, Duration begin, Duration end, bool beside_slow) {
  NodePair pair;
  pair.wire().set_conditions(link(latency));
  Counted counted{.begin = Time(begin), .end = Time(end)};
  pair.nursery([&](Nursery& n) -> Task<> {
    Scheduler& scheduler = n.scheduler();
    co_await ok(serve(n, pair.server_node(), kFast, [&](Duplex<Bytes, Bytes>& peer) -> Task<> {
      while (auto value = co_await peer.rx.recv()) counted.count(scheduler.now(), value->size());
      co_return peer.rx.end();
    }));
    co_await ok(serve(n, pair.server_node(), kSlow, [](Duplex<Bytes, Bytes>& peer) -> Task<> {
      while (auto value = co_await peer.rx.recv()) co_await ok(sleep(500ms));
      co_return peer.rx.end();
    }));
    n.spawn("fast", pour(pair.client_node(), pair.to_server, kFast));
    if (beside_slow) n.spawn("slow", pour(pair.client_node(), pair.to_server, kSlow));
    co_return co_await sleep(end);
  });
  return counted.bytes;
}

TEST_CASE("beside a slow consumer another channel keeps 95% of its throughput") {
  const std::uint64_t alone = delivered(5ms, 0ms, 2s, false);
  const std::uint64_t beside = delivered(5ms, 0ms, 2s, true);
  CHECK(alone > kBytesPerSecond * 19 / 10);
  CHECK(beside * 100 >= alone * 95);
}

TEST_CASE("a grant grows until the link is full over a long way") {
  const std::uint64_t full = delivered(100ms, 2s, 4s, false);
  CHECK(full * 100 >= 2 * kBytesPerSecond * 90);
}

TEST_CASE("a value of 16 MiB delays a small one by a flush and a frame at the rate of the link") {
  NodePair pair;
  pair.wire().set_conditions(link(5ms));
  std::vector<Duration> delays;
  bool large_came = false;
  pair.nursery([&](Nursery& n) -> Task<> {
    Scheduler& scheduler = n.scheduler();
    std::vector<Time> sent;
    co_await ok(serve(n, pair.server_node(), kSlow, [&](Duplex<Bytes, Bytes>& peer) -> Task<> {
      while (auto value = co_await peer.rx.recv()) large_came = value->size() == 16 * kKiB * kKiB;
      co_return peer.rx.end();
    }));
    co_await ok(serve(n, pair.server_node(), kFast, [&](Duplex<Bytes, Bytes>& peer) -> Task<> {
      while (auto value = co_await peer.rx.recv())
        delays.push_back(scheduler.now() - sent[delays.size()]);
      co_return peer.rx.end();
    }));
    auto quick = co_await ok(open(pair.client_node(), kFast, pair.to_server));
    auto large = co_await ok(open(pair.client_node(), kSlow, pair.to_server));
    co_await ok(sleep(50ms));
    co_await ok(large.tx.send(Bytes(16 * kKiB * kKiB)));
    while (!large_came) {
      sent.push_back(scheduler.now());
      co_await ok(quick.tx.send(Bytes(100)));
      co_await ok(sleep(7ms));
    }
    co_return {};
  });
  CHECK(delays.size() > 200);
  const Duration longest = *std::ranges::max_element(delays) - 5ms;
  CHECK(longest <= time_of(256 * kKiB + 16 * kKiB));
  CHECK(longest > time_of(64 * kKiB));
}

}  // namespace
}  // namespace tubing::test
