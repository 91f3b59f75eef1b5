#include "tubing/sim/swarm.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "tubing/sim/detail/draw.h"
#include "tubing/sim/detail/fault_grammar.h"

namespace tubing::sim {

using detail::FaultTarget;
using detail::FaultUnit;

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kNemesisPurpose = 0x6e656d65736973;  // "nemesis"
constexpr int kTriesPerFault = 4;

/// Between `min` and `max`, each power of two alike: short spans and small rates are drawn as often
/// as long and large ones.
std::uint64_t draw_scaled(Prng& prng, std::uint64_t min, std::uint64_t max) {
  std::uint64_t doublings = 0;
  while ((min << (doublings + 1)) <= max) ++doublings;
  const std::uint64_t low = min << prng.below(doublings + 1);
  return low + prng.below(std::min(low, max - low) + 1);
}

/// The rates at which a fault of a disk is drawn: what meets single operations leaves most of them
/// alone, so that something is done beside it.
std::pair<std::uint64_t, std::uint64_t> harm_of(DiskFault fault) {
  if (fault < DiskFault::rot) return {1'000, kPpm};
  if (fault == DiskFault::hung) return {100, 3'000};
  return {1'000, 50'000};
}

/// What one seed makes of it.
class Draw {
 public:
  Draw(Prng& prng, const SwarmOptions& options) : prng_(prng), options_(options) {
    TUBING_ASSERT(options.hosts > 0 && !options.actions.empty());
    TUBING_ASSERT(options.span >= std::chrono::microseconds(1) && options.span <= kScheduleSpanMax,
                  options.span.count());
    for (const FaultAction action : options.actions)
      if (prng_.chance(1, 2)) actions_.push_back(action);
    if (actions_.empty()) actions_.push_back(pick(options.actions));
    if (prng_.chance(1, 4))
      for (int i = 0; i < 3; ++i) moments_.push_back(draw_time());
  }

  Schedule schedule();

 private:
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[prng_.below(from.size())];
  }
  HostId host() { return static_cast<HostId>(prng_.below(options_.hosts)); }
  Duration draw_time() {
    return Duration(
        static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(options_.span.count()))));
  }
  ScheduledFault fault();
  void draw_target(ScheduledFault& fault);
  void draw_amount(ScheduledFault& fault);
  void draw_partition(ScheduledFault& fault);
  std::vector<HostId> shuffled_hosts();
  void draw_link(ScheduledFault& fault);

  Prng& prng_;
  const SwarmOptions& options_;
  std::vector<FaultAction> actions_;
  std::vector<Duration> moments_;  ///< Where not empty, all strikes at one of them.
};

std::vector<HostId> Draw::shuffled_hosts() {
  std::vector<HostId> hosts(options_.hosts);
  std::iota(hosts.begin(), hosts.end(), HostId{0});
  for (std::size_t i = hosts.size(); i > 1; --i) std::swap(hosts[i - 1], hosts[prng_.below(i)]);
  return hosts;
}

/// Two parts of any size, one host against the rest, a bridge that reaches both sides, or a ring in
/// which each reaches its neighbours alone.
void Draw::draw_partition(ScheduledFault& fault) {
  const std::vector<HostId> order = shuffled_hosts();
  const auto slice = [&](std::size_t from, std::size_t to) {
    return std::vector<HostId>(order.begin() + static_cast<std::ptrdiff_t>(from),
                               order.begin() + static_cast<std::ptrdiff_t>(to));
  };
  const std::size_t count = order.size();
  const std::uint64_t shape = count < 4 ? 0 : prng_.below(4);
  if (shape == 2) {
    fault.groups = {slice(0, count / 2 + 1), slice(count / 2, count)};
  } else if (shape == 3) {
    for (std::size_t i = 0; i < count; ++i)
      fault.groups.push_back({order[i], order[(i + 1) % count]});
  } else {
    const std::size_t first = shape == 1 || count < 3 ? 1 : 1 + prng_.below(count - 1);
    fault.groups = {slice(0, first), slice(first, count)};
  }
  for (auto& group : fault.groups) std::ranges::sort(group);
}

/// From one host to another, or to all others, or the other way.
void Draw::draw_link(ScheduledFault& fault) {
  const HostId one = host();
  std::vector<HostId> others;
  for (HostId other = 0; other < options_.hosts; ++other)
    if (other != one) others.push_back(other);
  if (!prng_.chance(1, 4)) others = {pick(others)};
  fault.groups = {{one}, std::move(others)};
  if (prng_.chance(1, 2)) std::swap(fault.groups[0], fault.groups[1]);
}

void Draw::draw_target(ScheduledFault& fault) {
  switch (detail::grammar_of(fault.action).target) {
    case FaultTarget::groups: return draw_partition(fault);
    case FaultTarget::link_or_card:
      if (prng_.chance(1, 3)) break;
      return draw_link(fault);
    case FaultTarget::link: return draw_link(fault);
    case FaultTarget::hosts:
    case FaultTarget::everything: break;
  }
  fault.groups = {{host()}};
}

void Draw::draw_amount(ScheduledFault& fault) {
  const auto signed_of = [&](std::uint64_t value) {
    const auto amount = static_cast<std::int64_t>(value);
    return prng_.chance(1, 2) ? amount : -amount;
  };
  const auto between = [&](std::uint64_t min, std::uint64_t max) {
    fault.amount = static_cast<std::int64_t>(draw_scaled(prng_, min, max));
  };
  switch (fault.action) {
    case FaultAction::disk: {
      fault.disk = pick(options_.disk_faults);
      const auto [min, max] = harm_of(fault.disk);
      const auto raised = [&](std::uint64_t rate) {
        return std::min<std::uint64_t>(rate * options_.rate_min_ppm / 1'000, kPpm);
      };
      return between(raised(min), raised(max));
    }
    case FaultAction::slow: return between(1'000'000, 1'000'000'000);
    case FaultAction::throttle: return between(1'000, 1'000'000);
    case FaultAction::clock_rate:
      // From a cheap crystal's 10 ppm to a clock that is badly broken.
      fault.amount = signed_of(draw_scaled(prng_, 10'000, 500'000'000));
      return;
    case FaultAction::clock_jump: return between(1'000'000, 60'000'000'000);
    case FaultAction::wall_jump:
      fault.amount = signed_of(draw_scaled(prng_, 1'000'000, 3'600'000'000'000));
      return;
    default:
      if (detail::grammar_of(fault.action).unit == FaultUnit::ppm)
        between(options_.rate_min_ppm, kPpm);
      return;
  }
}

ScheduledFault Draw::fault() {
  ScheduledFault fault{.at = moments_.empty() ? draw_time() : pick(moments_),
                       .action = pick(actions_)};
  draw_target(fault);
  draw_amount(fault);
  if (!is_instant(fault.action)) {
    const auto left = static_cast<std::uint64_t>((options_.span - fault.at).count());
    const auto least = static_cast<std::uint64_t>(options_.lasts_min.count());
    fault.lasts =
        Duration(static_cast<std::int64_t>(draw_scaled(prng_, std::min(left, least), left)));
  }
  return fault;
}

Schedule Draw::schedule() {
  // The last line heals.
  const std::size_t all = std::min(options_.budget.faults_max, kScheduleFaultsMax);
  const std::size_t most = all - std::min<std::size_t>(all, 1);
  const std::uint64_t wanted = most == 0 ? 0 : draw_scaled(prng_, 1, most);
  Schedule schedule;
  for (std::uint64_t tries = wanted * kTriesPerFault; tries > 0 && schedule.size() < wanted;
       --tries) {
    ScheduledFault next = fault();
    const auto behind = std::ranges::upper_bound(schedule, next.at, {}, &ScheduledFault::at);
    const auto place = schedule.insert(behind, std::move(next));
    if (!stays_within(schedule, options_.hosts, options_.budget)) schedule.erase(place);
  }
  schedule.push_back(
      {.at = options_.span, .action = FaultAction::heal, .late = prng_.chance(1, 2)});
  return schedule;
}

WireOptions draw_wires(Prng& prng) {
  WireOptions wires;
  if (prng.chance(1, 2)) {
    wires.chunk_bytes_min = 1 + prng.below(200);
    wires.chunk_bytes_max = wires.chunk_bytes_min + prng.below(20'000);
  }
  if (prng.chance(1, 2)) wires.send_buffer_bytes = 1'000 + prng.below(100'000);
  if (prng.chance(1, 2)) wires.window_bytes = 1'000 + prng.below(100'000);
  wires.retransmit_min = detail::draw(prng, 5ms, 200ms);
  wires.retransmit_max = detail::draw(prng, 200ms, 2s);
  wires.dial_retransmit = detail::draw(prng, 50ms, 1s);
  return wires;
}

}  // namespace

Prng nemesis_stream(std::uint64_t seed) { return Prng(seed ^ kNemesisPurpose); }

Schedule draw_schedule(Prng& prng, const SwarmOptions& options) {
  return Draw(prng, options).schedule();
}

LinkConditions draw_link_conditions(Prng& prng) {
  LinkConditions conditions;
  const std::uint64_t min = draw_scaled(prng, 1'000, 5'000'000);
  conditions.latency_min = Duration(static_cast<std::int64_t>(min));
  conditions.latency_max =
      conditions.latency_min + Duration(static_cast<std::int64_t>(prng.below(4 * min + 1)));
  if (prng.chance(1, 3)) {
    conditions.tail_ppm = static_cast<std::uint32_t>(draw_scaled(prng, 1'000, 100'000));
    conditions.latency_tail_max = conditions.latency_max * 20;
  }
  if (prng.chance(1, 4)) conditions.bytes_per_second = draw_scaled(prng, 1'000'000, 1'000'000'000);
  return conditions;
}

WorldOptions draw_world(Prng& prng, Mode mode) {
  WorldOptions options{.mode = mode, .links = draw_link_conditions(prng)};
  if (prng.chance(1, 3))
    options.pace = {.pause_ppm = 1 + static_cast<std::uint32_t>(prng.below(1'000)),
                    .pause_max = 200ms};
  if (mode == Mode::message) return options;
  options.wires = draw_wires(prng);
  // A peer that is silent is given up soon.
  options.node.mux.ping_after_ms = 300 + static_cast<std::uint32_t>(prng.below(1'000));
  options.node.mux.dead_after_ms = 2 * options.node.mux.ping_after_ms + 1'000;
  options.node.backoff_max = 1s;
  return options;
}

}  // namespace tubing::sim
