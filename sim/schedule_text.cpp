// A schedule as text, and in words.
#include <fmt/format.h>

#include "tubing/sim/detail/fault_grammar.h"
#include "tubing/sim/detail/span_text.h"

namespace tubing::sim {

using detail::FaultGrammar;
using detail::span_text;

namespace {

using Names = std::vector<std::string>;

std::string group_text(const std::vector<HostId>& group, const Names& names,
                       std::string_view between) {
  std::string text;
  for (const HostId host : group) {
    if (!text.empty()) text += between;
    text += names[host];
  }
  return text;
}

std::string target_text(const ScheduledFault& fault, const Names& names) {
  const std::string_view between = fault.action == FaultAction::partition ? " | " : " -> ";
  std::string text;
  for (const auto& group : fault.groups) {
    text += text.empty() ? std::string_view(" ") : between;
    text += group_text(group, names, ",");
  }
  return text;
}

std::string line_text(const ScheduledFault& fault, const Names& names) {
  const FaultGrammar& grammar = detail::grammar_of(fault.action);
  std::string line = fmt::format("{} {}", span_text(fault.at), grammar.name);
  line += target_text(fault, names);
  if (fault.action == FaultAction::disk) line += fmt::format(" {}", fault_name(fault.disk));
  if (grammar.unit != detail::FaultUnit::none)
    line += " " + detail::amount_text(fault.amount, grammar.unit);
  if (fault.late) line += " late";
  if (fault.lasts != Duration::zero()) line += " for " + span_text(fault.lasts);
  return line;
}

std::string rate_told(std::int64_t ppm) {
  if (ppm >= kPpm) return "all";
  if (ppm % 10'000 == 0) return fmt::format("{}%", ppm / 10'000);
  return fmt::format("{} of a million", ppm);
}

std::string ways(const ScheduledFault& fault, const Names& names) {
  return fmt::format("{} to {}", group_text(fault.groups[0], names, " and "),
                     group_text(fault.groups[1], names, " and "));
}

/// What happens to what a link, or a card, carries.
std::string traffic_told(const ScheduledFault& fault, const Names& names, std::string_view fate) {
  const std::string rate = rate_told(fault.amount);
  if (fault.is_link())
    return fmt::format("of what goes from {}, {} {}", ways(fault, names), rate, fate);
  return fmt::format("of all that {} {}, {} {}", group_text(fault.groups[0], names, " and "),
                     fault.action == FaultAction::drop ? "sends" : "is sent", rate, fate);
}

std::string partition_told(const ScheduledFault& fault, const Names& names) {
  std::string groups;
  for (const auto& group : fault.groups)
    groups +=
        fmt::format("{}{{{}}}", groups.empty() ? "" : " and ", group_text(group, names, ", "));
  return fmt::format("hosts reach each other only within {}", groups);
}

std::string what_happens(const ScheduledFault& fault, const Names& names) {
  const std::string hosts =
      fault.groups.size() == 1 ? group_text(fault.groups[0], names, " and ") : std::string();
  switch (fault.action) {
    case FaultAction::cut: return fmt::format("nothing passes from {}", ways(fault, names));
    case FaultAction::partition: return partition_told(fault, names);
    case FaultAction::isolate: return hosts + ": the network is dead";
    case FaultAction::drop: return traffic_told(fault, names, "is dropped");
    case FaultAction::deaf: return traffic_told(fault, names, "is not heard");
    case FaultAction::duplicate: return traffic_told(fault, names, "arrives twice");
    case FaultAction::reorder: return traffic_told(fault, names, "may be overtaken");
    case FaultAction::corrupt: return traffic_told(fault, names, "arrives damaged");
    case FaultAction::reset: return traffic_told(fault, names, "breaks its channel");
    case FaultAction::slow:
      return fmt::format("what goes from {} takes up to {} longer", ways(fault, names),
                         span_text(Duration(fault.amount)));
    case FaultAction::throttle:
      return fmt::format("no more than {} bytes a second pass from {}", fault.amount,
                         ways(fault, names));
    case FaultAction::hold: return fmt::format("what goes from {} is held up", ways(fault, names));
    case FaultAction::refuse:
      return fmt::format("of all dials to {}, {} is refused", hosts, rate_told(fault.amount));
    case FaultAction::deliver_late:
      return fmt::format("what was dropped from {} arrives now", ways(fault, names));
    case FaultAction::crash: return hosts + ": every process is killed";
    case FaultAction::power: return hosts + ": the power goes";
    case FaultAction::wipe: return hosts + ": the power goes, and all that the disk held";
    case FaultAction::pause: return hosts + ": every process stands still";
    case FaultAction::clock_rate:
      return fmt::format("{}: the clock gains {} ns a second", hosts, fault.amount);
    case FaultAction::clock_jump:
      return fmt::format("{}: the clock leaps ahead by {}", hosts,
                         span_text(Duration(fault.amount)));
    case FaultAction::wall_jump:
      return fmt::format("{}: the wall clock leaps by {}", hosts,
                         span_text(Duration(fault.amount)));
    case FaultAction::disk:
      return fmt::format("{}: {} of the disk's operations meet {}", hosts, rate_told(fault.amount),
                         fault_name(fault.disk));
    case FaultAction::heal:
      return std::string("all is healed") +
             (fault.late ? ", and what was dropped arrives late" : "");
  }
  return {};
}

}  // namespace

std::string detail::amount_text(std::int64_t amount, FaultUnit unit) {
  switch (unit) {
    case FaultUnit::none: return {};
    case FaultUnit::ppm: return fmt::format("{}ppm", amount);
    case FaultUnit::ppb: return fmt::format("{}ppb", amount);
    case FaultUnit::span: return span_text(Duration(amount));
    case FaultUnit::bytes_per_second: return fmt::format("{}B/s", amount);
  }
  return {};
}

std::string schedule_text(const Schedule& schedule, const std::vector<std::string>& names) {
  std::string text;
  for (const ScheduledFault& fault : schedule) text += line_text(fault, names) + "\n";
  return text;
}

std::string told(const ScheduledFault& fault, const std::vector<std::string>& names) {
  std::string text = fmt::format("After {}, {}", span_text(fault.at), what_happens(fault, names));
  if (fault.lasts != Duration::zero()) text += ", for " + span_text(fault.lasts);
  return text + ".";
}

std::string told(const Schedule& schedule, const std::vector<std::string>& names) {
  std::string text;
  for (const ScheduledFault& fault : schedule) text += told(fault, names) + "\n";
  return text;
}

}  // namespace tubing::sim
