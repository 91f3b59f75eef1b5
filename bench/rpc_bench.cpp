// What do channels cost between two processes? Round trips, requests, streams, bulk.
#include <fmt/format.h>

#include "record_pipe.h"
#include "report.h"
#include "rpc_traffic.h"
#include "tcp_floor.h"

namespace {

using namespace tubing;
using bench::Settings;
using crypto::Cipher;
using crypto::Suite;

constexpr int kFloorTrips = 20'000;
constexpr std::size_t kSmallBytes = 64;
constexpr std::size_t kBulkBytes = 64 * 1024;
constexpr std::uint64_t kPipeBytes = std::uint64_t{512} << 20;

void latency_rows(bench::Report& report) {
  bench::pin_to_one_core();
  const double floor = report.row("tcp_rtt_us", "us", "two blocking threads, one core", [] {
    return bench::tcp_round_trip_us(kFloorTrips, kSmallBytes);
  });
  const double chacha = report.row("rtt_us", "us", "one core", [] {
    return bench::round_trip_us({.suite = Suite::chacha_poly});
  });
  report.ratio("rtt / tcp_rtt", chacha, floor, "goal 1.4; raw TLS 1.35, gRPC with TLS 3.3");
  const double aes = report.row("rtt_aes_us", "us", "one core, AES-GCM",
                                [] { return bench::round_trip_us({.suite = Suite::aes_gcm}); });
  report.ratio("rtt_aes / tcp_rtt", aes, floor, "goal 1.3");
  bench::unpin();
}

void request_rows(bench::Report& report) {
  report.row("request_1_per_s", "/s", "", [] { return bench::requests_per_s({}, 1); });
  report.row("request_64_per_s", "/s", "gRPC with TLS 75000, ZeroMQ with CURVE 212000",
             [] { return bench::requests_per_s({}, 64); });
}

void stream_rows(bench::Report& report) {
  report.row("stream_struct_per_s", "/s", "gRPC with TLS 880000, ZeroMQ with CURVE 1080000",
             [] { return bench::structs_per_s({}); });
  report.row("stream_struct_aes_per_s", "/s", "AES-GCM",
             [] { return bench::structs_per_s({.suite = Suite::aes_gcm}); });
  report.row("stream_bytes_per_s", "/s", "raw values of 64 bytes",
             [] { return bench::raw_per_s({}, kSmallBytes); });
  for (const std::uint32_t channels : {10U, 100U, 1000U})
    report.row(fmt::format("channels_{}_per_s", channels), "/s", "structs, of all channels",
               [channels] { return bench::channels_per_s({}, channels); });
}

double gb_per_s(const Settings& settings, std::size_t bytes) {
  return bench::raw_per_s(settings, bytes) * static_cast<double>(bytes) / 1e9;
}

void bulk_rows(bench::Report& report) {
  const double pipe =
      report.row("record_pipe_gb_per_s", "GB/s", "two blocking threads, no mux",
                 [] { return bench::record_pipe_gb_per_s(Cipher::chacha_poly, kPipeBytes); });
  const double bulk = report.row("bulk_gb_per_s", "GB/s", "64 KiB values; gRPC with TLS 0.80",
                                 [] { return gb_per_s({}, kBulkBytes); });
  report.ratio("bulk / record_pipe", bulk, pipe, "goal 0.9");
  const double pipe_aes = report.row("record_pipe_aes_gb_per_s", "GB/s", "AES-GCM", [] {
    return bench::record_pipe_gb_per_s(Cipher::aes_gcm, kPipeBytes);
  });
  const double bulk_aes = report.row("bulk_aes_gb_per_s", "GB/s", "64 KiB values", [] {
    return gb_per_s({.suite = Suite::aes_gcm}, kBulkBytes);
  });
  report.ratio("bulk_aes / record_pipe_aes", bulk_aes, pipe_aes, "goal 0.9");
  for (const std::size_t bytes : {16UL, 256UL, 4096UL, 1UL << 20, 16UL << 20})
    report.row(fmt::format("raw_{}_gb_per_s", bytes), "GB/s",
               fmt::format("values of {} bytes", bytes), [bytes] { return gb_per_s({}, bytes); });
}

}  // namespace

int main(int argc, char** argv) {
  bench::Report report("Network channels: two processes over loopback TCP, encrypted, defaults",
                       argc, argv);
  latency_rows(report);
  request_rows(report);
  stream_rows(report);
  bulk_rows(report);
  return report.finish();
}
