#include "tubing/sim/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "tubing/sim/detail/span_text.h"

namespace tubing::sim {
namespace {

/// "write KEY VALUE".
std::string usage(const WorkloadOp& op) {
  std::string text(op.name);
  for (const std::string_view argument : op.arguments) text += fmt::format(" {}", argument);
  return text;
}

std::string usages(std::span<const WorkloadOp> ops, std::string_view before = {}) {
  std::string text;
  for (const WorkloadOp& op : ops)
    text += fmt::format("{}{}{}", text.empty() ? "" : ", or ", before, usage(op));
  return text;
}

/// One line; the first complaint stays.
class StepReader {
 public:
  explicit StepReader(const WorkloadRules& rules) : rules_(rules) {}

  WorkloadStep read(const std::vector<std::string_view>& words);
  const std::string& complaint() const { return complaint_; }

 private:
  void complain(std::string what) {
    if (complaint_.empty()) complaint_ = std::move(what);
  }
  std::uint64_t client(std::string_view word);
  void due(std::string_view word, WorkloadStep& step);
  void arguments(std::span<const std::string_view> words, WorkloadStep& step);

  const WorkloadRules& rules_;
  std::string complaint_;
};

std::uint64_t StepReader::client(std::string_view word) {
  std::uint64_t number = 0;
  const std::string_view digits = word.substr(std::min<std::size_t>(word.size(), 1));
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool read = word.starts_with('c') && !digits.empty() && error == std::errc() &&
                    end == digits.data() + digits.size();
  if (!read || number == 0 || number > rules_.clients)
    complain(fmt::format("no client is called {}; there are c1 to c{}", detail::shown(word),
                         rules_.clients));
  return number;
}

void StepReader::due(std::string_view word, WorkloadStep& step) {
  step.at_time = !word.starts_with('+');
  const auto span = detail::read_span(word.substr(step.at_time ? 0 : 1));
  if (span.code() == Code::out_of_range) return complain(std::string(span.error().detail()));
  if (!span || *span < Duration::zero())
    return complain(
        fmt::format("{} should be +12ms behind the client's operation before, or 1500ms after the "
                    "world began: a whole number of s, ms, us or ns",
                    detail::shown(word)));
  step.due = *span;
}

void StepReader::arguments(std::span<const std::string_view> words, WorkloadStep& step) {
  const auto op = std::ranges::find(rules_.ops, step.op, &WorkloadOp::name);
  if (op == rules_.ops.end())
    return complain(fmt::format("there is no operation {}; write {}", detail::shown(step.op),
                                usages(rules_.ops)));
  if (words.size() != op->arguments.size())
    return complain(fmt::format("{} takes {} arguments and got {}; {} does", step.op,
                                op->arguments.size(), words.size(), usage(*op)));
  for (const std::string_view word : words) {
    if (word.size() > rules_.argument_bytes_max)
      return complain(fmt::format("an argument has {} bytes; {} are the most", word.size(),
                                  rules_.argument_bytes_max));
    if (!std::ranges::all_of(word, [](char c) { return c > ' ' && c < 0x7f; }))
      return complain(fmt::format("{} is not of printable ASCII alone", detail::shown(word)));
    step.arguments.emplace_back(word);
  }
}

WorkloadStep StepReader::read(const std::vector<std::string_view>& words) {
  WorkloadStep step;
  if (words.size() < 3) {
    complain(
        fmt::format("a line is a client, when, and what: {}", usages(rules_.ops, "c1 +12ms ")));
    return step;
  }
  step.client = client(words[0]);
  due(words[1], step);
  step.op = std::string(words[2]);
  arguments(std::span(words).subspan(3), step);
  return step;
}

}  // namespace

std::string workload_text(const Workload& workload) {
  std::string text;
  for (const WorkloadStep& step : workload) {
    text += fmt::format("c{} {}{} {}", step.client, step.at_time ? "" : "+",
                        detail::span_text(step.due), step.op);
    for (const std::string& argument : step.arguments) text += " " + argument;
    text += "\n";
  }
  return text;
}

Result<Workload> read_workload(std::string_view text, const WorkloadRules& rules) {
  Workload workload;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::vector<std::string_view> words = detail::words_of(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (words.empty()) continue;
    if (workload.size() == rules.steps_max)
      return Error(Code::resource_exhausted, "workload",
                   fmt::format("line {}: {} operations are the most", number, rules.steps_max));
    StepReader reader(rules);
    workload.push_back(reader.read(words));
    if (!reader.complaint().empty())
      return Error(Code::invalid_argument, "workload",
                   fmt::format("line {}: {}", number, reader.complaint()));
  }
  return workload;
}

}  // namespace tubing::sim
