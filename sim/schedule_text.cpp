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

/// "a", "a and b", "a, b and c".
std::string list_told(const std::vector<HostId>& group, const Names& names) {
  std::string text;
  for (std::size_t i = 0; i < group.size(); ++i) {
    if (i > 0) text += i + 1 == group.size() ? " and " : ", ";
    text += names[group[i]];
  }
  return text;
}

std::string ways(const ScheduledFault& fault, const Names& names) {
  return fmt::format("{} to {}", list_told(fault.groups[0], names),
                     list_told(fault.groups[1], names));
}

std::string rate_told(std::int64_t ppm) {
  if (ppm >= kPpm) return "all";
  if (ppm % 10'000 == 0) return fmt::format("{}%", ppm / 10'000);
  return fmt::format("{} of a million", ppm);
}

/// What happens to one thing, and to several.
struct Fate {
  std::string_view of_one;
  std::string_view of_many;
};

/// Of things that are counted: "all are refused", "1 of a million is refused".
std::string share_told(std::int64_t ppm, Fate fate) {
  return fmt::format("{} {}", rate_told(ppm), ppm == 1 ? fate.of_one : fate.of_many);
}

/// What happens to what a link, or a card, carries: "25% is dropped", "7 of a million are dropped".
std::string traffic_told(const ScheduledFault& fault, const Names& names, Fate fate) {
  const bool counted = fault.amount < kPpm && fault.amount % 10'000 != 0;
  const std::string share = counted ? share_told(fault.amount, fate)
                                    : fmt::format("{} {}", rate_told(fault.amount), fate.of_one);
  if (fault.is_link()) return fmt::format("of what goes from {}, {}", ways(fault, names), share);
  const bool one = fault.groups[0].size() == 1;
  const std::string_view does =
      fault.action == FaultAction::drop ? (one ? "sends" : "send") : (one ? "is sent" : "are sent");
  return fmt::format("of all that {} {}, {}", list_told(fault.groups[0], names), does, share);
}

std::string throttle_told(const ScheduledFault& fault, const Names& names) {
  return fmt::format("no more than {} {} from {}", fault.amount,
                     fault.amount == 1 ? "byte a second passes" : "bytes a second pass",
                     ways(fault, names));
}

/// Of the clocks of one host, or of several.
std::string clock_told(const ScheduledFault& fault, const Names& names) {
  const bool ahead = fault.amount >= 0;
  const std::int64_t much = ahead ? fault.amount : -fault.amount;
  const std::string clock = fmt::format(
      "{}: {} {}", list_told(fault.groups[0], names), fault.groups[0].size() == 1 ? "the" : "each",
      fault.action == FaultAction::wall_jump ? "wall clock" : "clock");
  if (fault.action == FaultAction::clock_rate)
    return fmt::format("{} {} {} ns a second", clock, ahead ? "gains" : "loses", much);
  return fmt::format("{} leaps {} by {}", clock, ahead ? "ahead" : "back",
                     span_text(Duration(much)));
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
      fault.groups.size() == 1 ? list_told(fault.groups[0], names) : std::string();
  switch (fault.action) {
    case FaultAction::cut: return fmt::format("nothing passes from {}", ways(fault, names));
    case FaultAction::partition: return partition_told(fault, names);
    case FaultAction::isolate: return hosts + ": the network is dead";
    case FaultAction::drop: return traffic_told(fault, names, {"is dropped", "are dropped"});
    case FaultAction::deaf: return traffic_told(fault, names, {"is not heard", "are not heard"});
    case FaultAction::duplicate:
      return traffic_told(fault, names, {"arrives twice", "arrive twice"});
    case FaultAction::reorder:
      return traffic_told(fault, names, {"may be overtaken", "may be overtaken"});
    case FaultAction::corrupt:
      return traffic_told(fault, names, {"arrives damaged", "arrive damaged"});
    case FaultAction::reset:
      return traffic_told(fault, names, {"breaks its channel", "break their channels"});
    case FaultAction::slow:
      return fmt::format("what goes from {} takes up to {} longer", ways(fault, names),
                         span_text(Duration(fault.amount)));
    case FaultAction::throttle: return throttle_told(fault, names);
    case FaultAction::hold: return fmt::format("what goes from {} is held up", ways(fault, names));
    case FaultAction::refuse:
      return fmt::format("of all dials to {}, {}", hosts,
                         share_told(fault.amount, {"is refused", "are refused"}));
    case FaultAction::deliver_late:
      return fmt::format("what was dropped from {} arrives now", ways(fault, names));
    case FaultAction::crash: return hosts + ": every process is killed";
    case FaultAction::power: return hosts + ": the power goes";
    case FaultAction::wipe: return hosts + ": the power goes, and all that the disk held";
    case FaultAction::pause: return hosts + ": every process stands still";
    case FaultAction::clock_rate:
    case FaultAction::clock_jump:
    case FaultAction::wall_jump: return clock_told(fault, names);
    case FaultAction::disk:
      return fmt::format("{}: of the disk's operations, {} {}", hosts,
                         share_told(fault.amount, {"meets", "meet"}), fault_name(fault.disk));
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
