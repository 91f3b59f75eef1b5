// Schedule: what shall go wrong in a world, and when, as data: drawn, written, read, told in words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/channel/base/time.h"
#include "tubing/sim/disk_conditions.h"
#include "tubing/sim/link_conditions.h"

namespace tubing::sim {

/// What may be ordered. A link goes from a group of hosts to another; a card is that of a host.
enum class FaultAction : std::uint8_t {
  cut,           ///< A link: nothing passes, one way.
  partition,     ///< Hosts reach each other only where some group has both.
  isolate,       ///< A host: nothing in, nothing out.
  drop,          ///< A link, or a card on sending; `amount` of a million. Likewise the next five.
  deaf,          ///< A link, or a card on receiving.
  duplicate,     ///< A link.
  reorder,       ///< A link.
  corrupt,       ///< A link.
  reset,         ///< A link.
  slow,          ///< A link: all takes up to `amount` nanoseconds longer.
  throttle,      ///< A link: no more than `amount` bytes a second pass.
  hold,          ///< A link: all that is under way arrives when it ends.
  refuse,        ///< A host: `amount` of a million dials to it are refused.
  deliver_late,  ///< A link, at once: what was dropped on it and is kept arrives.
  crash,         ///< A host: every process is killed; they start again when it ends.
  power,         ///< A host: the power is off.
  wipe,          ///< The same, and when power returns an empty disk is in the place of its disk.
  pause,         ///< A host: every process stands still.
  clock_rate,    ///< A host: its clock gains `amount` nanoseconds a second.
  clock_jump,    ///< A host, at once: its monotonic clock leaps ahead by `amount` nanoseconds.
  wall_jump,     ///< A host, at once: its wall clock leaps by `amount` nanoseconds.
  disk,          ///< A host: `disk` strikes `amount` of a million operations; not `wiped`.
  heal,          ///< All that was ordered ends at once, and what is down starts.
};
inline constexpr std::size_t kFaultActions = 23;
/// Its name as it is written above.
std::string_view action_name(FaultAction action);
/// Whether it happens at one moment, and has no length.
bool is_instant(FaultAction action);

/// One line of a schedule.
struct ScheduledFault {
  Duration at{};  ///< Since the world began.
  FaultAction action = FaultAction::heal;
  /// Those of a link: from whom, and to whom. Of a card, or a host: the hosts, in one group.
  std::vector<std::vector<HostId>> groups = {};
  std::int64_t amount = 0;
  DiskFault disk = DiskFault::rot;
  bool late = false;  ///< Of heal: what was dropped and is kept arrives then.
  Duration lasts{};   ///< 0: until it is healed.

  bool is_link() const { return groups.size() == 2 && action != FaultAction::partition; }
  Duration ends() const { return lasts == Duration::zero() ? Duration::max() : at + lasts; }
  /// Whether it strikes this host, or its card.
  bool strikes(HostId host) const;
  /// Of a partition: whether some group has both.
  bool joins(HostId a, HostId b) const;
  friend bool operator==(const ScheduledFault&, const ScheduledFault&) = default;
};

using Schedule = std::vector<ScheduledFault>;

inline constexpr std::size_t kScheduleFaultsMax = 10'000;
/// Of the moment at which a fault begins, and of the span that it lasts.
inline constexpr Duration kScheduleSpanMax = std::chrono::days(100);
/// Of one leap of a clock, and of all leaps of one kind of one host's clock together, whatever
/// their direction: no clock leaves what its time can count.
inline constexpr Duration kScheduleLeapMax = std::chrono::days(3'650);
inline constexpr Duration kScheduleLeapsMax = std::chrono::days(18'250);

/// Whether it can be carried out in a world with these hosts: each fault names what it strikes, its
/// amount is one that there is, and nothing lies beyond the limits above.
/// Errors: invalid_argument with the number of the fault, what is wrong and what would do.
Result<> check_schedule(const Schedule& schedule, const std::vector<std::string>& names);
/// From when on nothing is in force any more; Duration::max() where something lasts for ever.
Duration healed_at(const Schedule& schedule);

/// How a line of each kind goes behind its time, one below the other: "cut A -> B [for SPAN]".
/// SCHEDULE.md tells of each.
std::string schedule_forms();

/// One line for each fault: `1500ms drop a -> b 250000ppm for 2s`. Durations are exact. `names` are
/// those of the hosts, by their ids. Requires: check_schedule passes it.
std::string schedule_text(const Schedule& schedule, const std::vector<std::string>& names);

/// Reads what schedule_text wrote, or a person: `#` begins a comment where a word would begin, and
/// empty lines are allowed.
/// Returns: what check_schedule passes.
/// Errors: invalid_argument with the number of the line, what is wrong in it and what would do.
Result<Schedule> read_schedule(std::string_view text, const std::vector<std::string>& names);

/// One sentence: "After 1500 ms a quarter of what a sends to b is dropped, for 2 s."
std::string told(const ScheduledFault& fault, const std::vector<std::string>& names);
/// All of it, a sentence on each line.
std::string told(const Schedule& schedule, const std::vector<std::string>& names);

/// What damage must leave whole.
struct FaultBudget {
  std::size_t faults_max = 64;  ///< Lines of a schedule.
  /// Hosts that may be down at the same time: crashed, dark or paused.
  std::size_t down_max = ~std::size_t{0};
  /// Hosts that may lose their disk, over the whole schedule.
  std::size_t wiped_max = ~std::size_t{0};
  /// So many hosts that are up must always include one that reaches all of them, and is reached by
  /// them; 0: no demand. A link that loses half of what it carries, or more, reaches nobody.
  std::size_t quorum = 0;
};

/// Whether at every moment the schedule leaves what the budget demands, of so many hosts.
bool stays_within(const Schedule& schedule, std::size_t hosts, const FaultBudget& budget);

}  // namespace tubing::sim
