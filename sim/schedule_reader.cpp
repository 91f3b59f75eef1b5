// A schedule, read from text.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "tubing/sim/detail/fault_grammar.h"
#include "tubing/sim/detail/span_text.h"

namespace tubing::sim {

using detail::FaultGrammar;
using detail::FaultTarget;
using detail::FaultUnit;

namespace {

using Names = std::vector<std::string>;

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
  void complain_of_form(std::string_view what);
  std::int64_t number(std::string_view word, std::string_view unit);
  std::int64_t span(std::string_view word);
  FaultAction action(std::string_view word);
  void targets();
  std::vector<HostId> group(std::string_view word);
  void amount();
  void disk_fault();
  void rest();

  std::vector<std::string_view> words_;
  const Names& names_;
  std::size_t next_ = 0;
  ScheduledFault fault_;
  std::string complaint_;
};

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void LineReader::complain_of_form(std::string_view what) {
  complain(fmt::format("{}: write {}", what, detail::grammar_of(fault_.action).form));
}

std::int64_t LineReader::number(std::string_view word, std::string_view unit) {
  if (word.ends_with(unit))
    if (const auto value = whole_number(word.substr(0, word.size() - unit.size()))) return *value;
  if (word.empty()) {
    complain_of_form(fmt::format("an amount is missing, as 1000{}", unit));
  } else {
    complain(fmt::format("'{}' should be a number with its unit, as 1000{}", word, unit));
  }
  return 0;
}

std::int64_t LineReader::span(std::string_view word) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  for (const std::string_view name : {"ns", "us", "ms", "s"}) {
    if (!word.ends_with(name)) continue;
    const auto value = whole_number(word.substr(0, word.size() - name.size()));
    const auto unit = std::ranges::find(detail::kSpanUnits, name, &detail::SpanUnit::name);
    if (!value) break;
    if (*value <= kMax / unit->ns && *value >= -(kMax / unit->ns)) return *value * unit->ns;
    complain(fmt::format("'{}' is more than time can count; take less", word));
    return 0;
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
  if (word.empty()) {
    complain("a fault is missing behind the time, as 1500ms cut A -> B; there are " + known);
  } else {
    complain(fmt::format("there is no fault '{}'; there are {}", word, known));
  }
  return FaultAction::heal;
}

std::vector<HostId> LineReader::group(std::string_view word) {
  std::vector<HostId> hosts;
  for (std::string_view left = word; complaint_.empty();) {
    const std::size_t comma = std::min(left.find(','), left.size());
    const std::string_view name = left.substr(0, comma);
    const auto found = std::ranges::find(names_, name);
    if (name.empty() || name == "->" || name == "|" || name == "for") {
      complain_of_form("a host is missing");
    } else if (found == names_.end()) {
      complain(fmt::format("no host is called '{}'; there are {}", name, fmt::join(names_, ", ")));
    } else {
      hosts.push_back(static_cast<HostId>(found - names_.begin()));
    }
    if (comma == left.size()) break;
    left.remove_prefix(comma + 1);
  }
  return hosts;
}

void LineReader::targets() {
  const FaultTarget target = detail::grammar_of(fault_.action).target;
  if (target == FaultTarget::everything) return;
  fault_.groups.push_back(group(take()));
  const std::string_view between = target == FaultTarget::groups ? "|" : "->";
  while (peek() == between) {
    take();
    fault_.groups.push_back(group(take()));
  }
}

void LineReader::disk_fault() {
  const std::string_view word = take();
  std::string known;
  for (std::size_t i = 0; i < kDiskFaults; ++i) {
    fault_.disk = static_cast<DiskFault>(i);
    if (fault_.disk == DiskFault::wiped) continue;
    if (fault_name(fault_.disk) == word) return;
    known += fmt::format("{}{}", i == 0 ? "" : ", ", fault_name(fault_.disk));
  }
  complain(fmt::format("no fault '{}' strikes a disk at a rate; there are {}", word, known));
}

void LineReader::amount() {
  if (fault_.action == FaultAction::disk) disk_fault();
  const FaultUnit unit = detail::grammar_of(fault_.action).unit;
  switch (unit) {
    case FaultUnit::none: return;
    case FaultUnit::ppm: fault_.amount = number(take(), "ppm"); return;
    case FaultUnit::ppb: fault_.amount = number(take(), "ppb"); return;
    case FaultUnit::bytes_per_second: fault_.amount = number(take(), "B/s"); return;
    case FaultUnit::span: fault_.amount = span(take()); return;
  }
}

void LineReader::rest() {
  if (fault_.action == FaultAction::heal && peek() == "late") {
    take();
    fault_.late = true;
  }
  if (peek() == "for" && !is_instant(fault_.action)) {
    take();
    fault_.lasts = Duration(span(take()));
    if (fault_.lasts <= Duration::zero()) complain("a fault lasts longer than nothing");
  }
  if (next_ < words_.size()) complain_of_form(fmt::format("what does '{}' mean here?", peek()));
}

ScheduledFault LineReader::read() {
  fault_.at = Duration(span(take()));
  if (complaint_.empty()) fault_.action = action(take());
  if (complaint_.empty()) targets();
  // A link that is none is told of before what is missing behind it.
  if (complaint_.empty()) complain(detail::complaint_about_groups(fault_, names_));
  if (complaint_.empty()) amount();
  if (complaint_.empty()) rest();
  if (complaint_.empty()) complain(detail::complaint_about(fault_, names_));
  return std::move(fault_);
}

}  // namespace

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
  const Result<> sound = check_schedule(schedule, names);
  if (!sound) return sound.error();
  return schedule;
}

}  // namespace tubing::sim
