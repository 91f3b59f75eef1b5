// Nemesis: carries out a Schedule in a World.
#pragma once

#include <array>
#include <set>
#include <string>
#include <vector>

#include "tubing/sim/schedule.h"
#include "tubing/sim/world.h"

namespace tubing::sim {

/// Orders each fault when it is due and ends it when its span is over. Faults of one kind that
/// overlap add up to the worst of them, and of clock rates the last in the schedule counts; when
/// one ends, the others stay. Each goes into the hash.
///
///     Nemesis nemesis(world, schedule);
///     world.run_until_ended(…);
///
/// From then on the faults and conditions of links, the faults of cards, refused dials, and the
/// rates of clocks and disks are its own: it sets them anew at each change. Links, dials and disks
/// come back to what they had at first.
///
/// Requires: the World has all hosts of the schedule, which check_schedule passes, and runs no
/// longer than the Nemesis lives.
/// Threads: one.
class Nemesis {
 public:
  Nemesis(World& world, Schedule schedule);
  Nemesis(const Nemesis&) = delete;
  Nemesis& operator=(const Nemesis&) = delete;

  const Schedule& schedule() const { return schedule_; }
  /// How many of this kind have begun.
  std::uint64_t begun(FaultAction action) const { return begun_[static_cast<std::size_t>(action)]; }
  /// Whether a fault is in force that has not ended.
  bool active() const { return !active_.empty(); }

 private:
  void begin(std::size_t index);
  void end(std::size_t index);
  void heal(const ScheduledFault& fault);
  void strike(const ScheduledFault& fault, HostId host);
  void relent(FaultAction action, HostId host);
  void hold_down(Host& host);
  void set_network();
  void set_clock(Host& host);
  void set_disk(Host& host);
  bool in_force(FaultAction action, HostId host) const;
  bool is_dark(HostId host) const {
    return in_force(FaultAction::power, host) || in_force(FaultAction::wipe, host);
  }
  std::vector<const ScheduledFault*> those_of(FaultAction action, HostId host) const;

  World& world_;
  const Schedule schedule_;
  std::vector<std::string> names_;
  std::set<std::size_t> active_;  ///< By their places in the schedule.
  // As they were before, by host.
  std::vector<DiskConditions> disks_;
  std::vector<std::vector<LinkConditions>> links_;
  std::vector<std::uint32_t> refused_ppm_;
  std::array<std::uint64_t, kFaultActions> begun_{};
};

}  // namespace tubing::sim
