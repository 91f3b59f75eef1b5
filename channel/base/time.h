// Time: points on a monotonic clock, points of wall time, and spans; all in nanoseconds.
#pragma once

#include <chrono>
#include <cstdint>

namespace tubing {

using Duration = std::chrono::nanoseconds;

/// The clock of one Reactor: it never goes back, and its zero means nothing outside the process.
/// There is no `now()`; ask the Scheduler.
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock, duration>;
};
using Time = MonotonicClock::time_point;

/// Wall time: nanoseconds since 1970-01-01 UTC without leap seconds. For certificates and logs;
/// never for measuring a span.
struct WallTime {
  std::int64_t since_epoch_ns = 0;

  std::int64_t seconds() const { return since_epoch_ns / 1'000'000'000; }
  static constexpr WallTime from_seconds(std::int64_t s) { return {s * 1'000'000'000}; }
  friend auto operator<=>(const WallTime&, const WallTime&) = default;
};

}  // namespace tubing
