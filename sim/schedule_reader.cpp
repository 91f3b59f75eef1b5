// A schedule, read from text.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tubing/sim/detail/fault_grammar.h"
#include "tubing/sim/detail/span_text.h"

namespace tubing::sim {

using detail::FaultGrammar;
using detail::FaultTarget;
using detail::FaultUnit;

namespace {

using Names = std::vector<std::string>;

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
  template <typename T>
  T taken(const Result<T>& read);
  std::int64_t number(std::string_view unit);
  Duration span(std::string_view missing);
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

void LineReader::complain_of_form(std::string_view what) {
  complain(fmt::format("{}: write {}", what, detail::grammar_of(fault_.action).form));
}

template <typename T>
T LineReader::taken(const Result<T>& read) {
  if (read) return *read;
  complain(std::string(read.error().detail()));
  return {};
}

std::int64_t LineReader::number(std::string_view unit) {
  const std::string_view word = take();
  if (!word.empty()) return taken(detail::read_amount(word, unit));
  complain_of_form(fmt::format("an amount is missing, as 1000{}", unit));
  return 0;
}

Duration LineReader::span(std::string_view missing) {
  const std::string_view word = take();
  if (!word.empty()) return taken(detail::read_span(word));
  complain_of_form(missing);
  return {};
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
    complain(fmt::format("there is no fault {}; there are {}", detail::shown(word), known));
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
      complain(fmt::format("no host is called {}; there are {}", detail::shown(name),
                           fmt::join(names_, ", ")));
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
  if (word.empty())
    return complain_of_form(fmt::format("what strikes the disk is missing; there are {}", known));
  complain(fmt::format("no fault {} strikes a disk at a rate; there are {}", detail::shown(word),
                       known));
}

void LineReader::amount() {
  if (fault_.action == FaultAction::disk) disk_fault();
  const FaultUnit unit = detail::grammar_of(fault_.action).unit;
  switch (unit) {
    case FaultUnit::none: return;
    case FaultUnit::ppm: fault_.amount = number("ppm"); return;
    case FaultUnit::ppb: fault_.amount = number("ppb"); return;
    case FaultUnit::bytes_per_second: fault_.amount = number("B/s"); return;
    case FaultUnit::span: fault_.amount = span("an amount is missing, as 200ms").count(); return;
  }
}

void LineReader::rest() {
  if (fault_.action == FaultAction::heal && peek() == "late") {
    take();
    fault_.late = true;
  }
  if (peek() == "for" && !is_instant(fault_.action)) {
    take();
    fault_.lasts = span("a span is missing, as for 500ms");
    if (fault_.lasts <= Duration::zero()) complain("a fault lasts longer than nothing");
  }
  if (next_ < words_.size())
    complain_of_form(fmt::format("what does {} mean here?", detail::shown(peek())));
}

ScheduledFault LineReader::read() {
  fault_.at = taken(detail::read_span(take()));
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
  for (std::size_t number = 1; !text.empty() && schedule.size() <= kScheduleFaultsMax; ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::vector<std::string_view> words = detail::words_of(text.substr(0, end));
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
