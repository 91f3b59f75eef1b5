#include "tubing/sim/schedule.h"

#include <algorithm>
#include <set>
#include <utility>

namespace tubing::sim {
namespace {

/// A link that loses so much of what it carries reaches nobody, for a budget.
constexpr std::int64_t kHopelessPpm = kPpm / 2;

bool has(const std::vector<HostId>& group, HostId host) {
  return std::ranges::find(group, host) != group.end();
}

/// Who is up, and who reaches whom, at one moment of a schedule.
class Moment {
 public:
  Moment(std::size_t hosts) : up_(hosts, true), reaches_(hosts, std::vector<bool>(hosts, true)) {}

  void suffer(const ScheduledFault& fault);
  bool leaves(const FaultBudget& budget) const;

 private:
  void part(const ScheduledFault& fault);
  void silence(HostId from, HostId to) { reaches_[from][to] = false; }
  void silence_card(HostId host, bool sending, bool receiving);

  std::vector<bool> up_;
  std::vector<std::vector<bool>> reaches_;
};

void Moment::silence_card(HostId host, bool sending, bool receiving) {
  for (HostId other = 0; other < up_.size(); ++other) {
    if (sending) silence(host, other);
    if (receiving) silence(other, host);
  }
}

void Moment::part(const ScheduledFault& fault) {
  for (HostId a = 0; a < up_.size(); ++a)
    for (HostId b = 0; b < up_.size(); ++b)
      if (a != b && !fault.joins(a, b)) silence(a, b);
}

void Moment::suffer(const ScheduledFault& fault) {
  switch (fault.action) {
    case FaultAction::crash:
    case FaultAction::power:
    case FaultAction::wipe:
    case FaultAction::pause:
      for (const HostId host : fault.groups[0]) up_[host] = false;
      return;
    case FaultAction::partition: return part(fault);
    case FaultAction::isolate:
      for (const HostId host : fault.groups[0]) silence_card(host, true, true);
      return;
    case FaultAction::cut:
    case FaultAction::hold: break;
    case FaultAction::drop:
    case FaultAction::deaf:
    case FaultAction::corrupt:
    case FaultAction::reset:
    case FaultAction::refuse:
      if (fault.amount >= kHopelessPpm) break;
      return;
    default: return;
  }
  if (fault.is_link()) {
    for (const HostId from : fault.groups[0])
      for (const HostId to : fault.groups[1]) silence(from, to);
    return;
  }
  const bool sending = fault.action == FaultAction::drop;
  for (const HostId host : fault.groups[0]) silence_card(host, sending, !sending);
}

bool Moment::leaves(const FaultBudget& budget) const {
  const auto down = static_cast<std::size_t>(std::ranges::count(up_, false));
  if (down > budget.down_max) return false;
  for (HostId center = 0; center < up_.size(); ++center) {
    if (!up_[center]) continue;
    std::size_t reached = 1;
    for (HostId other = 0; other < up_.size(); ++other)
      if (other != center && up_[other] && reaches_[center][other] && reaches_[other][center])
        ++reached;
    if (reached >= budget.quorum) return true;
  }
  return budget.quorum == 0;
}

}  // namespace

bool ScheduledFault::strikes(HostId host) const {
  return !is_link() && !groups.empty() && has(groups[0], host);
}

bool ScheduledFault::joins(HostId a, HostId b) const {
  return std::ranges::any_of(groups,
                             [&](const auto& group) { return has(group, a) && has(group, b); });
}

Duration healed_at(const Schedule& schedule) {
  // The last heal ends all that began before it: earlier, or in an earlier line.
  std::size_t last = schedule.size();
  for (std::size_t i = 0; i < schedule.size(); ++i)
    if (schedule[i].action == FaultAction::heal &&
        (last == schedule.size() || schedule[i].at >= schedule[last].at))
      last = i;
  Duration healed = last == schedule.size() ? Duration() : schedule[last].at;
  for (std::size_t i = 0; i < schedule.size(); ++i) {
    const ScheduledFault& fault = schedule[i];
    if (last != schedule.size() && std::pair(fault.at, i) <= std::pair(schedule[last].at, last))
      continue;
    healed = std::max(healed, is_instant(fault.action) ? fault.at : fault.ends());
  }
  return healed;
}

bool stays_within(const Schedule& schedule, std::size_t hosts, const FaultBudget& budget) {
  if (schedule.size() > budget.faults_max) return false;
  std::set<HostId> wiped;
  for (const ScheduledFault& fault : schedule)
    if (fault.action == FaultAction::wipe)
      wiped.insert(fault.groups[0].begin(), fault.groups[0].end());
  if (wiped.size() > budget.wiped_max) return false;
  if (budget.down_max >= hosts && budget.quorum == 0) return true;
  // Only where a fault begins can it become worse.
  for (const ScheduledFault& moment : schedule) {
    Duration healed = Duration::min();
    for (const ScheduledFault& fault : schedule)
      if (fault.action == FaultAction::heal && fault.at <= moment.at)
        healed = std::max(healed, fault.at);
    Moment state(hosts);
    for (const ScheduledFault& fault : schedule)
      if (fault.at <= moment.at && fault.ends() > moment.at && fault.at >= healed &&
          !is_instant(fault.action))
        state.suffer(fault);
    if (!state.leaves(budget)) return false;
  }
  return true;
}

}  // namespace tubing::sim
