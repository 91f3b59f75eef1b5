// LogLimits: so many lines of one kind a second, and a count in place of the rest.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "tubing/channel/alarm.h"

namespace tubing::rpc {

/// What a peer, or a stranger, can cause as often as it likes, and is warned of.
enum class Nuisance : std::uint8_t { dropped, unproven, ended, unbelieved };
inline constexpr std::size_t kNuisances = 4;

/// A second begins with the first line of its kind, and with the next one that comes after its end.
/// How many lines were held back is told once that second is over, or at the destruction.
///
/// Threads: the Scheduler's alone.
class LogLimits {
 public:
  using Tell = std::function<void(Nuisance kind, std::uint64_t held_back)>;
  LogLimits(Scheduler& scheduler, std::uint32_t lines_per_second_max, Tell tell);
  ~LogLimits();

  /// Whether a line of this kind may be logged now; otherwise it counts as held back.
  bool admit(Nuisance kind);

 private:
  struct Second {
    Time end = Time::min();
    std::uint32_t lines = 0;
    std::uint64_t held_back = 0;
  };

  void tell_over(Time now);

  Scheduler& scheduler_;
  const std::uint32_t lines_per_second_max_;
  const Tell tell_;
  std::array<Second, kNuisances> seconds_;
  Alarm alarm_;  ///< Set while lines are held back.
};

}  // namespace tubing::rpc
