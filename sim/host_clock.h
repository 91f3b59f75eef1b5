// HostClock: how the clocks of one host differ from the time of the world.
#pragma once

#include <algorithm>

#include "tubing/channel/base/assert.h"
#include "tubing/channel/base/time.h"

namespace tubing::sim {

/// A monotonic clock with an offset and a rate, and a wall clock with an offset of its own.
/// Integers alone: a rate is in parts per billion, so that 1'000'000 is 1 ms a second fast.
///
/// Invariant: the monotonic clock never goes back, whatever is set.
class HostClock {
 public:
  /// A clock runs at least at a hundredth of the world's speed, at most a hundred times as fast.
  static constexpr std::int64_t kPpb = 1'000'000'000;
  static constexpr std::int64_t kSlowestPpb = -990'000'000;
  static constexpr std::int64_t kFastestPpb = 99 * kPpb;

  /// What the monotonic clock reads when the world's time is `world`.
  /// Requires: not earlier than the last setting of the rate, or a jump.
  Time read(Time world) const {
    if (rate_ppb_ == 0) [[likely]]
      return world + offset_;
    return local_base_ + scale(world - world_base_, kPpb + rate_ppb_, kPpb);
  }
  /// The first moment of the world at which the clock reads at least `local`.
  Time world_at(Time local) const {
    if (local == Time::max() || local == Time::min()) return local;
    if (rate_ppb_ == 0) [[likely]]
      return subtract(local, offset_);
    if (local <= local_base_) return world_base_;
    return world_base_ + scale_up(local - local_base_, kPpb, kPpb + rate_ppb_);
  }

  /// From `world` on the clock gains `ppb` nanoseconds a second.
  /// Requires: between kSlowestPpb and kFastestPpb.
  void set_rate(Time world, std::int64_t ppb) {
    TUBING_ASSERT(ppb >= kSlowestPpb && ppb <= kFastestPpb, ppb);
    rebase(world, Duration::zero());
    rate_ppb_ = ppb;
  }
  /// The monotonic clock leaps ahead, as after a suspension. Requires: `by` >= 0.
  void jump(Time world, Duration by) {
    TUBING_ASSERT(by >= Duration::zero() && "a monotonic clock never goes back");
    rebase(world, by);
  }
  /// The wall clock leaps, in either direction.
  void jump_wall(Duration by) { wall_offset_ += by; }

  std::int64_t rate_ppb() const { return rate_ppb_; }
  /// Between the wall clock and the monotonic one, beside the run's epoch.
  Duration wall_offset() const { return wall_offset_; }

 private:
  static Duration scale(Duration span, std::int64_t by, std::int64_t of) {
    return Duration(static_cast<std::int64_t>(static_cast<__int128>(span.count()) * by / of));
  }
  /// The same, rounded up: the clock has not read that much a nanosecond earlier.
  static Duration scale_up(Duration span, std::int64_t by, std::int64_t of) {
    return Duration(
        static_cast<std::int64_t>((static_cast<__int128>(span.count()) * by + of - 1) / of));
  }
  static Time subtract(Time local, Duration offset) {
    return offset > local.time_since_epoch() && local < Time() ? Time::min() : local - offset;
  }
  void rebase(Time world, Duration ahead) {
    local_base_ = read(world) + ahead;
    world_base_ = world;
    offset_ = local_base_ - world_base_;
  }

  Duration offset_{};  ///< Of the clock ahead of the world, where the rate is even.
  Duration wall_offset_{};
  std::int64_t rate_ppb_ = 0;
  Time world_base_{};
  Time local_base_{};
};

}  // namespace tubing::sim
