// What a fault may be, and whether it can be carried out.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tubing/sim/detail/fault_grammar.h"
#include "tubing/sim/detail/span_text.h"
#include "tubing/sim/host_clock.h"

namespace tubing::sim {

using detail::FaultGrammar;
using detail::FaultTarget;
using detail::FaultUnit;
using detail::span_text;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kSlowest = 3'600 * kSecond;
constexpr std::int64_t kFastestLine = 1'000'000'000'000;
constexpr std::int64_t kLeapMax = kScheduleLeapMax.count();

constexpr std::array<FaultGrammar, kFaultActions> kGrammar{{
    {.name = "cut", .target = FaultTarget::link, .form = "cut A -> B [for SPAN]"},
    {.name = "partition", .target = FaultTarget::groups, .form = "partition A,B | B,C [for SPAN]"},
    {.name = "isolate", .form = "isolate A,B [for SPAN]"},
    {.name = "drop",
     .target = FaultTarget::link_or_card,
     .unit = FaultUnit::ppm,
     .max = kPpm,
     .form = "drop A -> B 1000ppm [for SPAN], or drop A 1000ppm [for SPAN]"},
    {.name = "deaf",
     .target = FaultTarget::link_or_card,
     .unit = FaultUnit::ppm,
     .max = kPpm,
     .form = "deaf A -> B 1000ppm [for SPAN], or deaf B 1000ppm [for SPAN]"},
    {.name = "duplicate",
     .target = FaultTarget::link,
     .unit = FaultUnit::ppm,
     .max = kPpm,
     .form = "duplicate A -> B 1000ppm [for SPAN]"},
    {.name = "reorder",
     .target = FaultTarget::link,
     .unit = FaultUnit::ppm,
     .max = kPpm,
     .form = "reorder A -> B 1000ppm [for SPAN]"},
    {.name = "corrupt",
     .target = FaultTarget::link,
     .unit = FaultUnit::ppm,
     .max = kPpm,
     .form = "corrupt A -> B 1000ppm [for SPAN]"},
    {.name = "reset",
     .target = FaultTarget::link,
     .unit = FaultUnit::ppm,
     .max = kPpm,
     .form = "reset A -> B 1000ppm [for SPAN]"},
    {.name = "slow",
     .target = FaultTarget::link,
     .unit = FaultUnit::span,
     .max = kSlowest,
     .form = "slow A -> B 200ms [for SPAN]"},
    {.name = "throttle",
     .target = FaultTarget::link,
     .unit = FaultUnit::bytes_per_second,
     .min = 1,
     .max = kFastestLine,
     .form = "throttle A -> B 20000B/s [for SPAN]"},
    {.name = "hold", .target = FaultTarget::link, .form = "hold A -> B [for SPAN]"},
    {.name = "refuse",
     .unit = FaultUnit::ppm,
     .max = kPpm,
     .form = "refuse A 500000ppm [for SPAN]"},
    {.name = "deliver_late",
     .target = FaultTarget::link,
     .instant = true,
     .form = "deliver_late A -> B"},
    {.name = "crash", .form = "crash A,B [for SPAN]"},
    {.name = "power", .form = "power A,B [for SPAN]"},
    {.name = "wipe", .form = "wipe A [for SPAN]"},
    {.name = "pause", .form = "pause A,B [for SPAN]"},
    {.name = "clock_rate",
     .unit = FaultUnit::ppb,
     .min = HostClock::kSlowestPpb,
     .max = HostClock::kFastestPpb,
     .form = "clock_rate A -500ppb [for SPAN]"},
    {.name = "clock_jump",
     .unit = FaultUnit::span,
     .max = kLeapMax,
     .instant = true,
     .form = "clock_jump A 3s"},
    {.name = "wall_jump",
     .unit = FaultUnit::span,
     .min = -kLeapMax,
     .max = kLeapMax,
     .instant = true,
     .form = "wall_jump A -3s"},
    {.name = "disk",
     .unit = FaultUnit::ppm,
     .max = kPpm,
     .form = "disk A sync_error 1000ppm [for SPAN]"},
    {.name = "heal",
     .target = FaultTarget::everything,
     .instant = true,
     .form = "heal, or heal late"},
}};

std::string days_text(Duration span) {
  return fmt::format("{} days", std::chrono::duration_cast<std::chrono::days>(span).count());
}

std::string complaint_about_time(const ScheduledFault& fault) {
  const FaultGrammar& grammar = detail::grammar_of(fault.action);
  if (fault.at < Duration::zero()) return "a world begins at 0s: no fault is earlier";
  if (fault.at > kScheduleSpanMax)
    return fmt::format("a fault begins within {}: {} is later", days_text(kScheduleSpanMax),
                       span_text(fault.at));
  if (grammar.instant && fault.lasts != Duration::zero())
    return fmt::format("{} happens at one moment: write {}", grammar.name, grammar.form);
  if (fault.lasts < Duration::zero()) return "a fault lasts longer than nothing";
  if (fault.lasts > kScheduleSpanMax)
    return fmt::format("a fault lasts {} at most; without 'for' it lasts until it is healed",
                       days_text(kScheduleSpanMax));
  return {};
}

std::string complaint_about_amount(const ScheduledFault& fault) {
  const FaultGrammar& grammar = detail::grammar_of(fault.action);
  if (fault.action == FaultAction::disk && fault.disk == DiskFault::wiped)
    return "no operation of a disk meets wiped: write wipe A";
  if (fault.amount >= grammar.min && fault.amount <= grammar.max) return {};
  if (fault.action == FaultAction::clock_jump && fault.amount < 0)
    return "a monotonic clock never goes back; wall_jump may";
  const std::string min = detail::amount_text(grammar.min, grammar.unit);
  const std::string max = detail::amount_text(grammar.max, grammar.unit);
  switch (grammar.unit) {
    case FaultUnit::none:
      return fmt::format("{} has no amount: write {}", grammar.name, grammar.form);
    case FaultUnit::ppm: return fmt::format("a rate is between {} and {}", min, max);
    case FaultUnit::ppb: return fmt::format("a clock's rate is between {} and {}", min, max);
    case FaultUnit::bytes_per_second:
      return fmt::format("a link passes between {} and {}; to let nothing pass, cut it", min, max);
    case FaultUnit::span: break;
  }
  return fmt::format("{} takes between {} and {}", grammar.name, min, max);
}

/// Together, so that no clock leaves what its time can count.
std::string complaint_about_leaps(const Schedule& schedule, HostId host, FaultAction action) {
  constexpr std::int64_t kAll = kScheduleLeapsMax.count();
  std::int64_t sum = 0;
  for (const ScheduledFault& fault : schedule) {
    if (fault.action != action || !fault.strikes(host)) continue;
    sum += fault.amount < 0 ? -fault.amount : fault.amount;
    if (sum > kAll)
      return fmt::format(
          "each {} of a host is counted, and all together are more than {}: make "
          "them fewer, or shorter",
          action_name(action), days_text(kScheduleLeapsMax));
  }
  return {};
}

}  // namespace

const FaultGrammar& detail::grammar_of(FaultAction action) {
  return kGrammar[static_cast<std::size_t>(action)];
}

std::string detail::complaint_about_groups(const ScheduledFault& fault,
                                           const std::vector<std::string>& names) {
  const FaultGrammar& grammar = detail::grammar_of(fault.action);
  const std::size_t count = fault.groups.size();
  const auto strikes = [&](std::string_view what) {
    return fmt::format("{} strikes {}: write {}", grammar.name, what, grammar.form);
  };
  switch (grammar.target) {
    case FaultTarget::everything:
      return count == 0 ? std::string() : strikes("everything, and names no hosts");
    case FaultTarget::link:
      if (count != 2) return strikes("a link");
      break;
    case FaultTarget::link_or_card:
      if (count != 1 && count != 2) return strikes("a link, or the card of a host");
      break;
    case FaultTarget::hosts:
      if (count != 1) return strikes("hosts");
      break;
    case FaultTarget::groups:
      if (count == 0) return strikes("groups of hosts");
      break;
  }
  for (const std::vector<HostId>& group : fault.groups) {
    if (group.empty()) return fmt::format("a host is missing: write {}", grammar.form);
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (group[i] >= names.size())
        return fmt::format("no host has the number {}; there are {}", group[i], names.size());
      if (std::find(group.begin(), group.begin() + static_cast<std::ptrdiff_t>(i), group[i]) !=
          group.begin() + static_cast<std::ptrdiff_t>(i))
        return fmt::format("{} is named twice in one group: leave one out", names[group[i]]);
    }
  }
  if (!fault.is_link()) return {};
  for (const HostId host : fault.groups[0])
    if (std::ranges::find(fault.groups[1], host) != fault.groups[1].end())
      return fmt::format("{} stands on both sides: a host has no link to itself", names[host]);
  return {};
}

std::string detail::complaint_about(const ScheduledFault& fault,
                                    const std::vector<std::string>& names) {
  std::string complaint = complaint_about_time(fault);
  if (complaint.empty()) complaint = complaint_about_groups(fault, names);
  if (complaint.empty()) complaint = complaint_about_amount(fault);
  return complaint;
}

std::string_view action_name(FaultAction action) { return detail::grammar_of(action).name; }

std::string schedule_forms() {
  std::string forms;
  for (const FaultGrammar& grammar : kGrammar) forms += fmt::format("{}\n", grammar.form);
  return forms;
}

bool is_instant(FaultAction action) { return detail::grammar_of(action).instant; }

Result<> check_schedule(const Schedule& schedule, const std::vector<std::string>& names) {
  const auto refuse = [](std::string_view what) {
    return Error(Code::invalid_argument, "schedule", what);
  };
  if (schedule.size() > kScheduleFaultsMax)
    return refuse(
        fmt::format("{} faults are more than the {} that a schedule may have; leave "
                    "some out",
                    schedule.size(), kScheduleFaultsMax));
  for (std::size_t i = 0; i < schedule.size(); ++i)
    if (const std::string complaint = detail::complaint_about(schedule[i], names);
        !complaint.empty())
      return refuse(fmt::format("fault {}: {}", i + 1, complaint));
  for (HostId host = 0; host < names.size(); ++host)
    for (const FaultAction action : {FaultAction::clock_jump, FaultAction::wall_jump})
      if (const std::string complaint = complaint_about_leaps(schedule, host, action);
          !complaint.empty())
        return refuse(fmt::format("{}: {}", names[host], complaint));
  return {};
}

}  // namespace tubing::sim
