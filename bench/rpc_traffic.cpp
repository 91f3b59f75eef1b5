#include "rpc_traffic.h"

#include <algorithm>

namespace tubing::bench {
namespace {

constexpr int kRoundTrips = 20'000;
constexpr std::uint64_t kRequests = 100'000;
constexpr std::uint64_t kSmallValues = 1'000'000;
/// Of raw values as many are sent as make this up, or kSmallValues.
constexpr std::uint64_t kBulkBytes = std::uint64_t{512} << 20;

/// 64 bytes in memory; all of its numbers are wide, so none is shortened on the wire.
struct Sample {
  std::uint64_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
  static constexpr std::string_view type_name = "bench.Sample.v1";
  static constexpr auto fields =
      tubing::fields("a", &Sample::a, "b", &Sample::b, "c", &Sample::c, "d", &Sample::d, "e",
                     &Sample::e, "f", &Sample::f, "g", &Sample::g, "h", &Sample::h);

  static Sample of(std::uint64_t i) {
    constexpr std::uint64_t kWide = std::uint64_t{1} << 60;
    return {kWide + i, kWide, kWide, kWide, kWide, kWide, kWide, kWide + 2 * i};
  }
  bool is(std::uint64_t i) const { return a == of(i).a && d == of(i).d && h == of(i).h; }
};
static_assert(sizeof(Sample) == 64);

/// A raw value has its number in front.
Bytes raw_of(std::uint64_t i, std::size_t size) {
  Bytes bytes(size);
  store_be64(bytes.data(), i);
  return bytes;
}
bool is_number(const Sample& sample, std::uint64_t i) { return sample.is(i); }
bool is_number(const Bytes& bytes, std::uint64_t i) {
  return bytes.size() >= 8 && load_be64(bytes.data()) == i;
}

inline constexpr Service<Sample, Sample> kEcho{"bench.echo"};
inline constexpr Service<Sample, std::uint64_t> kStructs{"bench.structs", 1024};
inline constexpr Service<Bytes, std::uint64_t> kBytes{"bench.bytes", 1024};

Error out_of_order() {
  return Error(Code::data_loss, "bench", "a value came out of order, or changed");
}

Task<> echo(Duplex<Sample, Sample>& peer) {
  while (auto sample = co_await peer.rx.recv()) co_await ok(peer.tx.send(*sample));
  co_return peer.rx.end();
}

/// Checks every value, and answers their number at the end.
template <class T>
Task<> count_values(Duplex<std::uint64_t, T>& peer) {
  std::uint64_t count = 0;
  while (auto value = co_await peer.rx.recv())
    if (!is_number(*value, count++)) co_return out_of_order();
  co_await ok(peer.tx.send(count));
  co_return peer.rx.end();
}

Task<> serve_all(Side side) {
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, side.node, kEcho, echo));
    co_await ok(serve(n, side.node, kStructs, count_values<Sample>));
    co_await ok(serve(n, side.node, kBytes, count_values<Bytes>));
    co_return {};
  });
}

double seconds_since(Scheduler& scheduler, Time begin) {
  return static_cast<double>((scheduler.now() - begin).count()) / 1e9;
}

Task<> ask(Duplex<Sample, Sample>& peer, std::uint64_t count, std::uint32_t outstanding) {
  std::uint64_t asked = 0;
  for (; asked < std::min<std::uint64_t>(outstanding, count); ++asked)
    co_await ok(peer.tx.send(Sample::of(asked)));
  for (std::uint64_t answered = 0; answered < count; ++answered) {
    const Sample answer = co_await ok(peer.rx.recv());
    if (!answer.is(answered)) co_return out_of_order();
    if (asked < count) co_await ok(peer.tx.send(Sample::of(asked++)));
  }
  co_return {};
}

/// Asks `count` times, after some that warm up. Returns: the seconds.
double seconds_of_asking(const Settings& settings, std::uint64_t count, std::uint32_t outstanding) {
  double seconds = 0;
  run_two_processes(settings, serve_all, [&](Side side) -> Task<> {
    auto peer = co_await ok(open(side.node, kEcho, side.server));
    co_await ok(ask(peer, 1000, outstanding));
    const Time begin = side.scheduler.now();
    co_await ok(ask(peer, count, outstanding));
    seconds = seconds_since(side.scheduler, begin);
    co_return {};
  });
  return seconds;
}

/// Sends `count` values that `make` makes, then waits for the receiver's count.
template <class T, class Make>
Task<> send_values(Side side, Service<T, std::uint64_t> service, std::uint64_t count, Make make) {
  auto peer = co_await ok(open(side.node, service, side.server));
  for (std::uint64_t i = 0; i < count; ++i) co_await ok(peer.tx.send(make(i)));
  peer.tx.close();
  if (co_await ok(peer.rx.recv()) != count) co_return out_of_order();
  co_return {};
}

/// Values a second through `channels` at once, each of which carries its part of `count`.
template <class T, class Make>
double values_per_s(const Settings& settings, Service<T, std::uint64_t> service,
                    std::uint64_t count, std::uint32_t channels, Make make) {
  double per_s = 0;
  run_two_processes(settings, serve_all, [&](Side side) -> Task<> {
    const Time begin = side.scheduler.now();
    co_await ok(nursery([&](Nursery& n) -> Task<> {
      for (std::uint32_t i = 0; i < channels; ++i)
        n.spawn("sender", send_values(side, service, count / channels, make));
      co_return {};
    }));
    per_s = static_cast<double>(count) / seconds_since(side.scheduler, begin);
    co_return {};
  });
  return per_s;
}

}  // namespace

double round_trip_us(const Settings& settings) {
  return seconds_of_asking(settings, kRoundTrips, 1) * 1e6 / kRoundTrips;
}

double requests_per_s(const Settings& settings, std::uint32_t outstanding) {
  const std::uint64_t count = outstanding == 1 ? kRoundTrips : kRequests * 4;
  return static_cast<double>(count) / seconds_of_asking(settings, count, outstanding);
}

double structs_per_s(const Settings& settings) { return channels_per_s(settings, 1); }

double raw_per_s(const Settings& settings, std::size_t bytes) {
  const std::uint64_t count = std::min(kSmallValues, kBulkBytes / bytes);
  return values_per_s(settings, kBytes, count, 1,
                      [bytes](std::uint64_t i) { return raw_of(i, bytes); });
}

double channels_per_s(const Settings& settings, std::uint32_t channels) {
  return values_per_s(settings, kStructs, kSmallValues, channels, Sample::of);
}

}  // namespace tubing::bench
