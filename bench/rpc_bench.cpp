// What do channels cost between two processes? Round trips, streams of small values, bulk.
#include <fmt/format.h>

#include <cstdlib>

#include "report.h"
#include "tcp_floor.h"
#include "two_processes.h"

namespace {

using namespace tubing;
using bench::Side;

constexpr int kRoundTrips = 20'000;
constexpr std::uint64_t kSmallValues = 1'000'000;
constexpr std::size_t kSmallBytes = 64;
constexpr std::uint64_t kBulkValues = 8'000;
constexpr std::size_t kBulkBytes = 64 * 1024;

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
static_assert(sizeof(Sample) == kSmallBytes);

/// A raw value with its number in front.
template <std::size_t kBytes>
struct Raw {
  static Bytes of(std::uint64_t i) {
    Bytes bytes(kBytes);
    store_be64(bytes.data(), i);
    return bytes;
  }
  static bool is(const Bytes& bytes, std::uint64_t i) {
    return bytes.size() == kBytes && load_be64(bytes.data()) == i;
  }
};
bool is_number(const Sample& sample, std::uint64_t i) { return sample.is(i); }
bool is_number(const Bytes& bytes, std::uint64_t i) {
  return bytes.size() >= 8 && load_be64(bytes.data()) == i;
}

inline constexpr Service<Sample, Sample> kEcho{"bench.echo"};
inline constexpr Service<Sample, std::uint64_t> kStructs{"bench.structs", 1024};
inline constexpr Service<Bytes, std::uint64_t> kBytes{"bench.bytes", 1024};

Task<> echo(Duplex<Sample, Sample>& peer) {
  while (auto sample = co_await peer.rx.recv()) co_await ok(peer.tx.send(*sample));
  co_return peer.rx.end();
}

/// Checks every value, and answers their number at the end.
template <class T>
Task<> count_values(Duplex<std::uint64_t, T>& peer) {
  std::uint64_t count = 0;
  while (auto value = co_await peer.rx.recv()) {
    if (!is_number(*value, count))
      co_return Error(Code::data_loss, "bench", "a value came out of order or changed");
    ++count;
  }
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

Task<> ping(Duplex<Sample, Sample>& peer, int count) {
  for (int i = 0; i < count; ++i) {
    co_await ok(peer.tx.send(Sample::of(static_cast<std::uint64_t>(i))));
    const Sample back = co_await ok(peer.rx.recv());
    if (!back.is(static_cast<std::uint64_t>(i)))
      co_return Error(Code::data_loss, "bench", "the echo differs");
  }
  co_return {};
}

double round_trip_us() {
  double us = 0;
  bench::run_two_processes(serve_all, [&](Side side) -> Task<> {
    auto peer = co_await ok(open(side.node, kEcho, side.server));
    co_await ok(ping(peer, 1000));
    const Time begin = side.scheduler.now();
    co_await ok(ping(peer, kRoundTrips));
    us = seconds_since(side.scheduler, begin) * 1e6 / kRoundTrips;
    co_return {};
  });
  return us;
}

/// Values a second, one `send` each, until the receiver's answer to the last.
template <class T>
double values_per_s(Service<T, std::uint64_t> service, std::uint64_t count,
                    T (*make)(std::uint64_t)) {
  double per_s = 0;
  bench::run_two_processes(serve_all, [&](Side side) -> Task<> {
    auto peer = co_await ok(open(side.node, service, side.server));
    const Time begin = side.scheduler.now();
    for (std::uint64_t i = 0; i < count; ++i) co_await ok(peer.tx.send(make(i)));
    peer.tx.close();
    const std::uint64_t taken = co_await ok(peer.rx.recv());
    per_s = static_cast<double>(count) / seconds_since(side.scheduler, begin);
    if (taken != count) co_return Error(Code::data_loss, "bench", "values were lost");
    co_return {};
  });
  return per_s;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("Network channels: two processes over loopback TCP, encrypted, defaults",
                       argc, argv);
  bench::pin_to_one_core();
  const double floor = report.row("tcp_rtt_us", "us", "two blocking threads, one core", [] {
    return bench::tcp_round_trip_us(kRoundTrips, kSmallBytes);
  });
  const double rtt = report.row("rtt_us", "us", "one core", round_trip_us);
  bench::unpin();
  report.row("stream_struct_per_s", "/s", "gRPC with TLS 880000",
             [] { return values_per_s(kStructs, kSmallValues, Sample::of); });
  report.row("stream_bytes_per_s", "/s", "ZeroMQ with CURVE 1080000",
             [] { return values_per_s(kBytes, kSmallValues, Raw<kSmallBytes>::of); });
  report.row("bulk_gb_per_s", "GB/s", "gRPC with TLS 0.80", [] {
    return values_per_s(kBytes, kBulkValues, Raw<kBulkBytes>::of) * kBulkBytes / 1e9;
  });
  const int status = report.finish();
  if (floor > 0 && rtt > 0) fmt::print("\nround trip: {:.2f} x the floor\n", rtt / floor);
  return status;
}
