#include "tubing/sim/nemesis.h"

#include <algorithm>
#include <utility>

namespace tubing::sim {
namespace {

void worsen(std::uint32_t& rate, std::int64_t amount) {
  rate = std::max(rate, static_cast<std::uint32_t>(amount));
}

/// What the faults in force make of one link.
struct Way {
  LinkFaults faults;
  Duration slow{};
  std::uint64_t bytes_per_second = 0;  ///< 0: as it was.

  LinkConditions conditions(LinkConditions before) const {
    before.latency_max += slow;
    if (before.tail_ppm > 0) before.latency_tail_max += slow;
    before.bytes_per_second = slower(before.bytes_per_second, bytes_per_second);
    return before;
  }
  static std::uint64_t slower(std::uint64_t one, std::uint64_t other) {
    return one == 0 || other == 0 ? std::max(one, other) : std::min(one, other);
  }
};

void worsen(Way& way, const ScheduledFault& fault) {
  LinkFaults& link = way.faults;
  switch (fault.action) {
    case FaultAction::cut: link.cut = true; return;
    case FaultAction::hold: link.held = true; return;
    case FaultAction::drop: return worsen(link.drop_ppm, fault.amount);
    case FaultAction::deaf: return worsen(link.deaf_ppm, fault.amount);
    case FaultAction::duplicate: return worsen(link.duplicate_ppm, fault.amount);
    case FaultAction::reorder: return worsen(link.reorder_ppm, fault.amount);
    case FaultAction::corrupt: return worsen(link.corrupt_ppm, fault.amount);
    case FaultAction::reset: return worsen(link.reset_ppm, fault.amount);
    case FaultAction::slow: way.slow = std::max(way.slow, Duration(fault.amount)); return;
    case FaultAction::throttle:
      way.bytes_per_second =
          Way::slower(way.bytes_per_second, static_cast<std::uint64_t>(fault.amount));
      return;
    default: return;
  }
}

void worsen(CardFaults& card, const ScheduledFault& fault) {
  if (fault.action == FaultAction::isolate) card.isolated = true;
  if (fault.action == FaultAction::drop) worsen(card.drop_ppm, fault.amount);
  if (fault.action == FaultAction::deaf) worsen(card.deaf_ppm, fault.amount);
}

/// Null for one that strikes at no rate.
std::uint32_t* rate_of(DiskConditions& conditions, DiskFault fault) {
  switch (fault) {
    case DiskFault::lost_write: return &conditions.lost_write;
    case DiskFault::torn_write: return &conditions.torn_write;
    case DiskFault::reordered_write: return &conditions.reordered_write;
    case DiskFault::lost_name: return &conditions.lost_name;
    case DiskFault::rot: return &conditions.rot;
    case DiskFault::misdirected: return &conditions.misdirected;
    case DiskFault::read_error: return &conditions.read_error;
    case DiskFault::write_error: return &conditions.write_error;
    case DiskFault::sync_error: return &conditions.sync_error;
    case DiskFault::no_space: return &conditions.no_space;
    case DiskFault::slow: return &conditions.slow;
    case DiskFault::hung: return &conditions.hung;
    case DiskFault::wiped: return nullptr;
  }
  return nullptr;
}

bool is_of_network(FaultAction action) { return action <= FaultAction::refuse; }

}  // namespace

Nemesis::Nemesis(World& world, Schedule schedule) : world_(world), schedule_(std::move(schedule)) {
  for (const Host& host : world_.hosts()) {
    names_.push_back(host.name());
    disks_.push_back(world_.host(host.id()).disk().conditions());
    refused_ppm_.push_back(world_.wires().refused_ppm(host.id()));
    links_.emplace_back();
    for (const Host& to : world_.hosts())
      links_.back().push_back(world_.links().conditions(host.id(), to.id()));
  }
  const Result<> sound = check_schedule(schedule_, names_);
  TUBING_ASSERT(sound && "a schedule that cannot be carried out", sound.error().text());
  for (std::size_t index = 0; index < schedule_.size(); ++index)
    world_.at(Time(schedule_[index].at), [this, index] { begin(index); });
}

void Nemesis::begin(std::size_t index) {
  const ScheduledFault& fault = schedule_[index];
  ++begun_[static_cast<std::size_t>(fault.action)];
  std::string line = schedule_text({fault}, names_);
  line.pop_back();
  world_.note("fault", index, as_bytes(line));
  if (fault.action == FaultAction::heal) return heal(fault);
  if (fault.action == FaultAction::deliver_late) {
    for (const HostId from : fault.groups[0])
      for (const HostId to : fault.groups[1]) world_.links().deliver_late(from, to);
    return;
  }
  if (!is_instant(fault.action)) {
    active_.insert(index);
    if (fault.lasts > Duration::zero())
      world_.at(Time(fault.ends()), [this, index] { end(index); });
  }
  FaultCounts& counts = world_.links().counts();
  if (fault.action == FaultAction::slow) counts.add(FaultKind::slowed);
  if (fault.action == FaultAction::throttle) counts.add(FaultKind::throttled);
  if (is_of_network(fault.action)) return set_network();
  for (const HostId host : fault.groups[0]) strike(fault, host);
}

void Nemesis::end(std::size_t index) {
  if (active_.erase(index) == 0) return;  // It was healed.
  const ScheduledFault& fault = schedule_[index];
  world_.note("fault_end", index);
  if (is_of_network(fault.action)) return set_network();
  for (const HostId host : fault.groups[0]) relent(fault.action, host);
}

void Nemesis::heal(const ScheduledFault& fault) {
  active_.clear();
  set_network();
  world_.links().repair_all({.deliver_late = fault.late});
  for (const Host& host : world_.hosts())
    for (const FaultAction action : {FaultAction::power, FaultAction::crash, FaultAction::pause,
                                     FaultAction::clock_rate, FaultAction::disk})
      relent(action, host.id());
}

void Nemesis::strike(const ScheduledFault& fault, HostId id) {
  Host& host = world_.host(id);
  switch (fault.action) {
    case FaultAction::crash:
      for (const auto& process : host.processes()) process->crash();
      return;
    case FaultAction::power: return host.power_off();
    case FaultAction::wipe: host.power_off(); return host.disk().wipe();
    case FaultAction::pause:
      for (const auto& process : host.processes())
        if (process->running()) process->pause();
      return;
    case FaultAction::clock_rate: return set_clock(host);
    case FaultAction::clock_jump: return host.jump_clock(Duration(fault.amount));
    case FaultAction::wall_jump: return host.jump_wall_clock(Duration(fault.amount));
    case FaultAction::disk: return set_disk(host);
    default: return;
  }
}

void Nemesis::relent(FaultAction action, HostId id) {
  Host& host = world_.host(id);
  switch (action) {
    case FaultAction::crash:
      if (in_force(action, id)) return;
      if (!host.powered()) return;
      for (const auto& process : host.processes()) {
        const bool killed = !process->running() && !process->result();
        if (killed || process->dying()) process->start();
      }
      return hold_down(host);
    case FaultAction::power:
    case FaultAction::wipe:
      if (is_dark(id)) return;
      host.power_on();
      return hold_down(host);
    case FaultAction::pause:
      if (in_force(action, id)) return;
      for (const auto& process : host.processes())
        if (process->running() && process->paused()) process->resume();
      return;
    case FaultAction::clock_rate: return set_clock(host);
    case FaultAction::disk: return set_disk(host);
    default: return;
  }
}

// What starts meets the faults that still last.
void Nemesis::hold_down(Host& host) {
  for (const auto& process : host.processes()) {
    if (in_force(FaultAction::crash, host.id())) process->crash();
    if (in_force(FaultAction::pause, host.id()) && process->running()) process->pause();
  }
}

void Nemesis::set_network() {
  Links& links = world_.links();
  const std::size_t hosts = names_.size();
  std::vector<std::vector<Way>> ways(hosts, std::vector<Way>(hosts));
  std::vector<CardFaults> cards(hosts);
  std::vector<std::uint32_t> refused_ppm = refused_ppm_;
  for (const std::size_t index : active_) {
    const ScheduledFault& fault = schedule_[index];
    if (fault.action == FaultAction::partition) {
      for (HostId a = 0; a < hosts; ++a)
        for (HostId b = 0; b < hosts; ++b)
          if (a != b && !fault.joins(a, b)) ways[a][b].faults.cut = true;
    } else if (fault.is_link()) {
      for (const HostId from : fault.groups[0])
        for (const HostId to : fault.groups[1]) worsen(ways[from][to], fault);
    } else if (fault.action == FaultAction::refuse) {
      for (const HostId host : fault.groups[0]) worsen(refused_ppm[host], fault.amount);
    } else if (is_of_network(fault.action)) {
      for (const HostId host : fault.groups[0]) worsen(cards[host], fault);
    }
  }
  for (HostId from = 0; from < hosts; ++from) {
    links.set_card(from, cards[from]);
    world_.wires().refuse(from, refused_ppm[from]);
    for (HostId to = 0; to < hosts; ++to) {
      links.set_faults(from, to, ways[from][to].faults);
      const LinkConditions conditions = ways[from][to].conditions(links_[from][to]);
      if (conditions != links.conditions(from, to)) links.set_conditions(from, to, conditions);
    }
  }
}

void Nemesis::set_clock(Host& host) {
  const auto rates = those_of(FaultAction::clock_rate, host.id());
  const std::int64_t rate = rates.empty() ? 0 : rates.back()->amount;
  if (host.clock().rate_ppb() != rate) host.set_clock_rate(rate);
}

void Nemesis::set_disk(Host& host) {
  DiskConditions conditions = disks_[host.id()];
  for (const ScheduledFault* fault : those_of(FaultAction::disk, host.id()))
    if (std::uint32_t* rate = rate_of(conditions, fault->disk)) worsen(*rate, fault->amount);
  host.disk().set_conditions(conditions);
}

bool Nemesis::in_force(FaultAction action, HostId host) const {
  return !those_of(action, host).empty();
}

std::vector<const ScheduledFault*> Nemesis::those_of(FaultAction action, HostId host) const {
  std::vector<const ScheduledFault*> found;
  for (const std::size_t index : active_) {
    const ScheduledFault& fault = schedule_[index];
    if (fault.action == action && fault.strikes(host)) found.push_back(&fault);
  }
  return found;
}

}  // namespace tubing::sim
