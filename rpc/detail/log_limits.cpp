#include "tubing/rpc/detail/log_limits.h"

#include <algorithm>
#include <utility>

namespace tubing::rpc {

LogLimits::LogLimits(Scheduler& scheduler, std::uint32_t lines_per_second_max, Tell tell)
    : scheduler_(scheduler),
      lines_per_second_max_(lines_per_second_max),
      tell_(std::move(tell)),
      alarm_(scheduler, [this] { tell_over(scheduler_.now()); }) {}

LogLimits::~LogLimits() { tell_over(Time::max()); }

bool LogLimits::admit(Nuisance kind) {
  const Time now = scheduler_.now();
  Second& second = seconds_[static_cast<std::size_t>(kind)];
  if (now >= second.end) {
    tell_over(now);
    second = {.end = now + std::chrono::seconds(1)};
  }
  if (second.lines < lines_per_second_max_) {
    ++second.lines;
    return true;
  }
  ++second.held_back;
  if (!alarm_.is_set()) alarm_.set(second.end);
  return false;
}

/// Tells of the seconds that are over, and is called again when the next of the others is.
void LogLimits::tell_over(Time now) {
  Time next = Time::max();
  for (std::size_t kind = 0; kind < kNuisances; ++kind) {
    Second& second = seconds_[kind];
    if (second.held_back == 0) continue;
    if (second.end <= now)
      tell_(static_cast<Nuisance>(kind), std::exchange(second.held_back, 0));
    else
      next = std::min(next, second.end);
  }
  next < Time::max() ? alarm_.set(next) : alarm_.clear();
}

}  // namespace tubing::rpc
