#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "tubing/sim/host_clock.h"
#include "tubing/sim/schedule.h"

namespace tubing::sim {
namespace {

using Names = std::vector<std::string>;

struct Unit {
  std::string_view name;
  std::int64_t ns;
};
// The largest first.
constexpr Unit kUnits[] = {{"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}};

std::string span_text(std::int64_t ns) {
  for (const Unit& unit : kUnits)
    if (ns % unit.ns == 0) return fmt::format("{}{}", ns / unit.ns, unit.name);
  return {};
}
std::string span_text(Duration span) { return span_text(span.count()); }

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

bool has_rate(FaultAction action) {
  return (action >= FaultAction::drop && action <= FaultAction::reset) ||
         action == FaultAction::disk;
}

std::string line_text(const ScheduledFault& fault, const Names& names) {
  std::string line = fmt::format("{} {}", span_text(fault.at), action_name(fault.action));
  line += target_text(fault, names);
  if (fault.action == FaultAction::disk) line += fmt::format(" {}", fault_name(fault.disk));
  if (has_rate(fault.action)) line += fmt::format(" {}ppm", fault.amount);
  if (fault.action == FaultAction::clock_rate) line += fmt::format(" {}ppb", fault.amount);
  if (fault.action == FaultAction::clock_jump || fault.action == FaultAction::wall_jump)
    line += " " + span_text(fault.amount);
  if (fault.late) line += " late";
  if (fault.lasts != Duration::zero()) line += " for " + span_text(fault.lasts);
  return line;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t begin = line.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos || line[begin] == '#') break;
    const std::size_t end = std::min(line.find_first_of(" \t\r", begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
  return words;
}

/// One line, read from its begin to its end. The first complaint stays.
class LineReader {
 public:
  LineReader(std::vector<std::string_view> words, const Names& names)
      : words_(std::move(words)), names_(names) {}

  ScheduledFault read();
  const std::string& complaint() const { return complaint_; }

 private:
  std::string_view take() { return next_ < words_.size() ? words_[next_++] : std::string_view(); }
  std::string_view peek() const {
    return next_ < words_.size() ? words_[next_] : std::string_view();
  }
  void complain(std::string what) {
    if (complaint_.empty()) complaint_ = std::move(what);
  }
  std::int64_t number(std::string_view word, std::string_view unit);
  std::int64_t span(std::string_view word);
  FaultAction action(std::string_view word);
  void targets(ScheduledFault& fault);
  std::vector<HostId> group(std::string_view word);
  void amount(ScheduledFault& fault);
  void disk_fault(ScheduledFault& fault);
  void rest(ScheduledFault& fault);

  std::vector<std::string_view> words_;
  const Names& names_;
  std::size_t next_ = 0;
  std::string complaint_;
};

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::int64_t LineReader::number(std::string_view word, std::string_view unit) {
  if (word.ends_with(unit))
    if (const auto value = whole_number(word.substr(0, word.size() - unit.size()))) return *value;
  complain(fmt::format("'{}' should be a number with its unit, as 1000{}", word, unit));
  return 0;
}

std::int64_t LineReader::span(std::string_view word) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max() / 4;
  for (const std::string_view name : {"ns", "us", "ms", "s"}) {
    if (!word.ends_with(name)) continue;
    const auto value = whole_number(word.substr(0, word.size() - name.size()));
    const auto unit = std::ranges::find(kUnits, name, &Unit::name);
    if (value && std::abs(*value) <= kMax / unit->ns) return *value * unit->ns;
    break;
  }
  complain(
      fmt::format("'{}' should be a time, as 1500ms: a whole number of s, ms, us or ns", word));
  return 0;
}

FaultAction LineReader::action(std::string_view word) {
  std::string known;
  for (std::size_t i = 0; i < kFaultActions; ++i) {
    const auto action = static_cast<FaultAction>(i);
    if (action_name(action) == word) return action;
    known += fmt::format("{}{}", i == 0 ? "" : ", ", action_name(action));
  }
  complain(fmt::format("there is no fault '{}'; there are {}", word, known));
  return FaultAction::heal;
}

std::vector<HostId> LineReader::group(std::string_view word) {
  std::vector<HostId> hosts;
  for (std::string_view left = word; complaint_.empty();) {
    const std::size_t comma = std::min(left.find(','), left.size());
    const auto found = std::ranges::find(names_, left.substr(0, comma));
    if (found == names_.end()) {
      complain(fmt::format("no host is called '{}'; there are {}", left.substr(0, comma),
                           fmt::join(names_, ", ")));
      break;
    }
    hosts.push_back(static_cast<HostId>(found - names_.begin()));
    if (comma == left.size()) break;
    left.remove_prefix(comma + 1);
  }
  return hosts;
}

/// What each action strikes: links alone, cards too, or hosts.
void LineReader::targets(ScheduledFault& fault) {
  const FaultAction action = fault.action;
  if (action == FaultAction::heal) return;
  const bool parts = action == FaultAction::partition;
  const bool card = action == FaultAction::drop || action == FaultAction::deaf;
  const bool link = action == FaultAction::cut || action == FaultAction::hold ||
                    action == FaultAction::deliver_late || has_rate(action);
  fault.groups.push_back(group(take()));
  const std::string_view between = parts ? "|" : "->";
  while (peek() == between) {
    take();
    fault.groups.push_back(group(take()));
  }
  const std::size_t count = fault.groups.size();
  const bool needs_link = link && !card && action != FaultAction::disk;
  if (needs_link && count != 2)
    complain(fmt::format("{} strikes a link: write A -> B", action_name(action)));
  if (!parts && count > (link && action != FaultAction::disk ? 2U : 1U))
    complain(fmt::format("{} strikes hosts: write A, or A,B", action_name(action)));
}

void LineReader::disk_fault(ScheduledFault& fault) {
  const std::string_view word = take();
  for (std::size_t i = 0; i < kDiskFaults; ++i) {
    fault.disk = static_cast<DiskFault>(i);
    if (fault.disk != DiskFault::wiped && fault_name(fault.disk) == word) return;
  }
  complain(fmt::format(
      "no fault '{}' strikes a disk at a rate; sync_error, write_error, hung and others do", word));
}

void LineReader::amount(ScheduledFault& fault) {
  constexpr std::int64_t kSlowest = HostClock::kSlowestPpb;
  constexpr std::int64_t kFastest = HostClock::kFastestPpb;
  if (fault.action == FaultAction::disk) disk_fault(fault);
  if (has_rate(fault.action)) {
    fault.amount = number(take(), "ppm");
    if (fault.amount < 0 || fault.amount > kPpm)
      complain(fmt::format("a rate is between 0 and {}ppm", kPpm));
  }
  if (fault.action == FaultAction::clock_rate) {
    fault.amount = number(take(), "ppb");
    if (fault.amount < kSlowest || fault.amount > kFastest)
      complain(fmt::format("a clock's rate is between {}ppb and {}ppb", kSlowest, kFastest));
  }
  if (fault.action == FaultAction::clock_jump || fault.action == FaultAction::wall_jump)
    fault.amount = span(take());
  if (fault.action == FaultAction::clock_jump && fault.amount < 0)
    complain("a monotonic clock never goes back; wall_jump may");
}

void LineReader::rest(ScheduledFault& fault) {
  if (fault.action == FaultAction::heal && peek() == "late") {
    take();
    fault.late = true;
  }
  if (peek() == "for" && !is_instant(fault.action)) {
    take();
    fault.lasts = Duration(span(take()));
    if (fault.lasts <= Duration::zero()) complain("a fault lasts longer than nothing");
  }
  if (next_ < words_.size()) complain(fmt::format("what does '{}' mean here?", peek()));
}

ScheduledFault LineReader::read() {
  ScheduledFault fault;
  fault.at = Duration(span(take()));
  if (fault.at < Duration::zero()) complain("a world begins at 0s");
  fault.action = action(take());
  if (complaint_.empty()) targets(fault);
  if (complaint_.empty()) amount(fault);
  if (complaint_.empty()) rest(fault);
  return fault;
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
    case FaultAction::hold: return fmt::format("what goes from {} is held up", ways(fault, names));
    case FaultAction::deliver_late:
      return fmt::format("what was dropped from {} arrives now", ways(fault, names));
    case FaultAction::crash: return hosts + ": every process is killed";
    case FaultAction::power: return hosts + ": the power goes";
    case FaultAction::pause: return hosts + ": every process stands still";
    case FaultAction::clock_rate:
      return fmt::format("{}: the clock gains {} ns a second", hosts, fault.amount);
    case FaultAction::clock_jump:
      return fmt::format("{}: the clock leaps ahead by {}", hosts, span_text(fault.amount));
    case FaultAction::wall_jump:
      return fmt::format("{}: the wall clock leaps by {}", hosts, span_text(fault.amount));
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

std::string schedule_text(const Schedule& schedule, const std::vector<std::string>& names) {
  std::string text;
  for (const ScheduledFault& fault : schedule) text += line_text(fault, names) + "\n";
  return text;
}

Result<Schedule> read_schedule(std::string_view text, const std::vector<std::string>& names) {
  Schedule schedule;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::vector<std::string_view> words = words_of(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (words.empty()) continue;
    LineReader reader(std::move(words), names);
    schedule.push_back(reader.read());
    if (!reader.complaint().empty())
      return Error(Code::invalid_argument, "schedule",
                   fmt::format("line {}: {}", number, reader.complaint()));
  }
  return schedule;
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
