// LinkConditions: how good the way from one simulated host to another is, and what goes wrong on
// it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "tubing/channel/base/time.h"

namespace tubing::sim {

/// Counts the hosts of a World from 0, in the order in which they were added.
using HostId = std::uint32_t;

/// Every rate of a fault is in parts per million: an integer, so that it is alike on every machine.
inline constexpr std::uint32_t kPpm = 1'000'000;

/// What a healthy way from one host to another is like.
struct LinkConditions {
  /// Between leaving and arriving; drawn uniformly for each message.
  Duration latency_min = std::chrono::microseconds(50);
  Duration latency_max = std::chrono::microseconds(500);
  /// So many of a million take up to `latency_tail_max` instead: the long tail of real networks.
  std::uint32_t tail_ppm = 0;
  Duration latency_tail_max{};
  /// 0: unlimited.
  std::uint64_t bytes_per_second = 0;

  /// Whether anything may arrive sooner than it would before.
  bool eases(const LinkConditions& before) const {
    return latency_min < before.latency_min || latency_max < before.latency_max ||
           tail_ppm < before.tail_ppm || latency_tail_max < before.latency_tail_max ||
           (before.bytes_per_second != 0 &&
            (bytes_per_second == 0 || bytes_per_second > before.bytes_per_second));
  }
  friend bool operator==(const LinkConditions&, const LinkConditions&) = default;
};

/// What goes wrong on the way from one host to another. In message mode a rate is that of messages,
/// in byte mode of chunks. Where TCP would hide a fault it shows as what TCP makes of it.
struct LinkFaults {
  /// On sending: the message never leaves. A chunk is sent again, late.
  std::uint32_t drop_ppm = 0;
  /// On receiving: it arrives, and is not heard. As drop for a chunk.
  std::uint32_t deaf_ppm = 0;
  std::uint32_t duplicate_ppm = 0;  ///< Arrives twice. Datagrams alone.
  std::uint32_t reorder_ppm = 0;    ///< May be overtaken, by up to `reorder_max`. Datagrams alone.
  std::uint32_t corrupt_ppm = 0;    ///< A bit flips: a message is dropped, a session broken.
  std::uint32_t reset_ppm = 0;      ///< The channel, or the connection, breaks.
  bool cut = false;                 ///< Nothing leaves, and what is under way is gone.
  bool held = false;                ///< Nothing arrives until it is released; then all does.
  Duration reorder_max = std::chrono::milliseconds(5);

  bool any() const {
    return drop_ppm || deaf_ppm || duplicate_ppm || reorder_ppm || corrupt_ppm || reset_ppm ||
           cut || held;
  }
  friend bool operator==(const LinkFaults&, const LinkFaults&) = default;
};

/// Faults of one host's network card: they meet every link of it, also those made later.
struct CardFaults {
  std::uint32_t drop_ppm = 0;  ///< Of what it sends.
  std::uint32_t deaf_ppm = 0;  ///< Of what it receives.
  bool isolated = false;       ///< Nothing in, nothing out: a dead port of its switch.

  bool faulty() const { return drop_ppm != 0 || deaf_ppm != 0; }
  friend bool operator==(const CardFaults&, const CardFaults&) = default;
};

/// What may be counted as having happened; a campaign asks that none stays at 0.
enum class FaultKind : std::uint8_t {
  dropped,
  deaf,
  duplicated,
  reordered,
  corrupted,
  reset,
  cut,
  slowed,
  throttled,
  held,
  isolated,
  delivered_late,
  dial_refused,
  dial_unanswered,
  write_blocked,
  half_open,
  process_crash,
  power_loss,
  restart,
  pause,
  clock_rate,
  clock_jump,
  wall_jump,
  count,  ///< How many there are; no fault.
};
std::string_view fault_name(FaultKind kind);

/// How often each fault took effect.
class FaultCounts {
 public:
  void add(FaultKind kind) { ++counts_[static_cast<std::size_t>(kind)]; }
  std::uint64_t of(FaultKind kind) const { return counts_[static_cast<std::size_t>(kind)]; }
  FaultCounts& operator+=(const FaultCounts& other);

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(FaultKind::count)> counts_{};
};

}  // namespace tubing::sim
