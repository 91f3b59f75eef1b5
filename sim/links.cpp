#include "tubing/sim/links.h"

#include <algorithm>
#include <utility>

#include "tubing/channel/base/assert.h"
#include "tubing/sim/detail/draw.h"

namespace tubing::sim {
namespace {

constexpr std::array<std::string_view, static_cast<std::size_t>(FaultKind::count)> kFaultNames{
    "dropped",       "deaf",
    "duplicated",    "reordered",
    "corrupted",     "reset",
    "cut",           "slowed",
    "throttled",     "held",
    "isolated",      "delivered_late",
    "dial_refused",  "dial_unanswered",
    "write_blocked", "half_open",
    "process_crash", "power_loss",
    "restart",       "pause",
    "clock_rate",    "clock_jump",
    "wall_jump"};

void require_sound(const LinkConditions& conditions) {
  TUBING_ASSERT(conditions.latency_min >= Duration::zero() &&
                conditions.latency_max >= conditions.latency_min &&
                "a latency is a range that begins at 0 or later");
}

}  // namespace

std::string_view fault_name(FaultKind kind) { return kFaultNames[static_cast<std::size_t>(kind)]; }

std::string_view link_state_name(LinkState state) {
  switch (state) {
    case LinkState::healthy: return "healthy";
    case LinkState::faulty: return "faulty";
    case LinkState::isolated: return "isolated";
    case LinkState::faulty_isolated: return "faulty, isolated";
  }
  return "";
}

FaultCounts& FaultCounts::operator+=(const FaultCounts& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  return *this;
}

void Links::require_host(HostId host) const {
  TUBING_ASSERT(host < cards_.size() && "no host has this number", host, cards_.size());
}

HostId Links::add_host() {
  const auto id = static_cast<HostId>(cards_.size());
  cards_.emplace_back();
  for (HostId other = 0; other < id; ++other) links_[other].push_back(make_link(other, id));
  std::vector<Link>& row = links_.emplace_back();
  for (HostId other = 0; other <= id; ++other) row.push_back(make_link(id, other));
  return id;
}

Links::Link Links::make_link(HostId from, HostId to) const {
  return {.conditions = default_conditions_,
          .faults = {},
          .draws = TimedDraws<kLinkDraws>(streams_.of(from, to).next())};
}

void Links::set_conditions(const LinkConditions& conditions) {
  require_sound(conditions);
  default_conditions_ = conditions;
  for (HostId from = 0; from < cards_.size(); ++from)
    for (HostId to = 0; to < cards_.size(); ++to) set_conditions(from, to, conditions);
}

void Links::set_conditions(HostId from, HostId to, const LinkConditions& conditions) {
  require_sound(conditions);
  const LinkConditions before = std::exchange(at(from, to).conditions, conditions);
  tell(from, to);
  if (!conditions.eases(before)) return;
  for (LinkObserver* observer : observers_) observer->on_link_ease(from, to);
}

LinkFaults Links::set_faults(HostId from, HostId to, const LinkFaults& faults) {
  require_host(from);
  require_host(to);
  for (const std::uint32_t rate : {faults.drop_ppm, faults.deaf_ppm, faults.duplicate_ppm,
                                   faults.reorder_ppm, faults.corrupt_ppm, faults.reset_ppm})
    TUBING_ASSERT(rate <= kPpm && "a rate is in parts of a million", rate);
  const LinkFaults before = std::exchange(at(from, to).faults, faults);
  if (faults.cut && !before.cut) counts_.add(FaultKind::cut);
  if (faults.held && !before.held) counts_.add(FaultKind::held);
  if (faults != before) tell(from, to);
  return before;
}

CardFaults Links::set_card(HostId host, const CardFaults& faults) {
  require_host(host);
  TUBING_ASSERT(faults.drop_ppm <= kPpm && faults.deaf_ppm <= kPpm, faults.drop_ppm,
                faults.deaf_ppm);
  const CardFaults before = std::exchange(cards_[host], faults);
  if (faults.isolated && !before.isolated) counts_.add(FaultKind::isolated);
  if (faults != before) tell_host(host);
  return before;
}

void Links::cut(HostId a, HostId b) {
  require_host(a);
  require_host(b);
  for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
    LinkFaults faults = at(from, to).faults;
    faults.cut = true;
    set_faults(from, to, faults);
  }
}

void Links::partition(const std::vector<std::vector<HostId>>& groups) {
  std::vector<std::vector<bool>> together(cards_.size(), std::vector<bool>(cards_.size(), false));
  for (const std::vector<HostId>& group : groups)
    for (const HostId a : group)
      for (const HostId b : group) {
        require_host(a);
        require_host(b);
        together[a][b] = true;
      }
  for (HostId a = 0; a < cards_.size(); ++a)
    for (HostId b = 0; b < a; ++b)
      if (!together[a][b]) cut(a, b);
}

void Links::isolate(HostId host) {
  require_host(host);
  CardFaults card = cards_[host];
  card.isolated = true;
  set_card(host, card);
}

void Links::unisolate(HostId host) {
  require_host(host);
  CardFaults card = cards_[host];
  card.isolated = false;
  set_card(host, card);
}

void Links::repair_link(HostId from, HostId to, RepairOptions options) {
  set_faults(from, to, {});
  if (options.deliver_late) deliver_late(from, to);
}

void Links::repair_host(HostId host, RepairOptions options) {
  set_card(host, {.isolated = cards_[host].isolated && !options.unisolate});
  for (HostId other = 0; other < cards_.size(); ++other) {
    repair_link(host, other, options);
    repair_link(other, host, options);
  }
}

void Links::repair_all(RepairOptions options) {
  // All faults go before anything is delivered late, so that it meets none of them.
  for (HostId host = 0; host < cards_.size(); ++host)
    repair_host(host, {.unisolate = options.unisolate});
  if (!options.deliver_late) return;
  for (HostId from = 0; from < cards_.size(); ++from)
    for (HostId to = 0; to < cards_.size(); ++to) deliver_late(from, to);
}

void Links::deliver_late(HostId from, HostId to) {
  if (!connected(from, to)) return;
  for (LinkObserver* observer : observers_) observer->on_deliver_late(from, to);
}

LinkState Links::state(HostId host) const {
  bool faulty = cards_[host].faulty();
  for (HostId other = 0; other < cards_.size(); ++other)
    faulty = faulty || at(host, other).faults.any();
  if (cards_[host].isolated) return faulty ? LinkState::faulty_isolated : LinkState::isolated;
  return faulty ? LinkState::faulty : LinkState::healthy;
}

Duration Links::draw_latency(HostId from, HostId to) {
  const LinkConditions& conditions = at(from, to).conditions;
  const bool tail = strikes(from, to, LinkDraw::tail, conditions.tail_ppm);
  const Duration max =
      tail ? std::max(conditions.latency_tail_max, conditions.latency_max) : conditions.latency_max;
  Prng prng = draws(from, to, LinkDraw::latency);
  return detail::draw(prng, conditions.latency_min, max);
}

void Links::tell(HostId from, HostId to) {
  for (LinkObserver* observer : observers_) observer->on_link_change(from, to);
}

void Links::tell_host(HostId host) {
  for (HostId other = 0; other < cards_.size(); ++other) {
    tell(host, other);
    if (other != host) tell(other, host);
  }
}

}  // namespace tubing::sim
