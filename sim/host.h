// Host: a simulated machine, with a clock, power, and processes.
#pragma once

#include <string>
#include <vector>

#include "tubing/sim/disk_medium.h"
#include "tubing/sim/link_conditions.h"
#include "tubing/sim/process.h"

namespace tubing::sim {

/// What a host is declared to be; its peers see it so, as they see a certificate. In byte mode it
/// is one, so that names and roles are what crypto::Claims allows.
struct HostSpec {
  std::string name;
  std::vector<std::string> roles = {};
  std::string usage = "both";
};

/// Made by World::add_host.
///
/// Threads: one.
class Host final {
 public:
  Host(World& world, HostId id, HostSpec spec);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  const std::string& name() const { return spec_.name; }
  const HostSpec& spec() const { return spec_; }
  HostId id() const { return id_; }
  World& world() { return world_; }

  /// Starts a process. `program` may capture: it is kept as long as the host.
  /// Requires: the host has power; no process of it has this name.
  Process& spawn(std::string name, Program program);
  /// Requires: there is one of this name.
  Process& process(std::string_view name);
  const std::vector<std::unique_ptr<Process>>& processes() const { return processes_; }

  /// What its processes store, and the faults of it. It outlives them, and a loss of power.
  DiskMedium& disk() { return disk_; }

  bool powered() const { return powered_; }
  /// Every process dies in this instant, and of the disk only what was synced is sure to remain.
  void power_off();
  /// Power comes back, and every process is started again, as at boot.
  void power_on();

  /// The clock keeps its rate and its offset over a loss of power.
  /// From now on the clock gains so many nanoseconds a second; negative: loses.
  /// Requires: as HostClock::set_rate.
  void set_clock_rate(std::int64_t ppb);
  /// The monotonic clock leaps ahead. Requires: `by` >= 0.
  void jump_clock(Duration by);
  /// The wall clock leaps, in either direction.
  void jump_wall_clock(Duration by);
  const HostClock& clock() const { return clock_; }
  /// How many of its processes have had a Node, in byte mode; see ProcessNode.
  std::uint16_t node_count() const { return node_count_; }

 private:
  friend class Process;
  void change_clock(const std::function<void(HostClock&, Time)>& change);

  World& world_;
  const HostId id_;
  const HostSpec spec_;
  bool powered_ = true;
  std::uint16_t node_count_ = 0;
  HostClock clock_;
  DiskMedium disk_;
  std::vector<std::unique_ptr<Process>> processes_;
};

}  // namespace tubing::sim
