// Reads histories: bytes from outside, a line of JSON for each operation.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

#include "tubing/sim/judges/history.h"

namespace tubing::sim {
namespace {

using nlohmann::json;

/// What a line holds, and what is wrong with it; filled by nlohmann's parser as it goes.
class LineReader final : public nlohmann::json_sax<json> {
 public:
  /// `values_left` is what may still come in this line and those behind it.
  LineReader(Operation& operation, std::size_t& values_left)
      : operation_(operation), values_left_(values_left) {}

  const std::string& problem() const { return problem_; }
  bool values_exhausted() const { return values_exhausted_; }
  /// What is still wrong where the line was read to its end: a field that is missing.
  void finish();

  bool null() override { return take(std::monostate{}); }
  bool boolean(bool value) override { return take(value); }
  bool number_integer(std::int64_t value) override { return take(value); }
  bool number_unsigned(std::uint64_t value) override;
  bool number_float(double, const std::string& digits) override {
    return refuse(fmt::format("{} is not a whole number of 64 bits; write it as text", digits));
  }
  bool string(std::string& value) override { return take(std::move(value)); }
  bool binary(json::binary_t&) override { return refuse("bytes cannot be read; write text"); }
  bool start_object(std::size_t) override;
  bool key(std::string& name) override;
  bool end_object() override { return true; }
  bool start_array(std::size_t) override;
  bool end_array() override;
  bool parse_error(std::size_t position, const std::string& token,
                   const json::exception& error) override;

 private:
  bool refuse(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
    return false;
  }
  bool take(Value value);
  /// One that every line has. None: `name_` is the service's own.
  std::optional<bool> take_field(const Value& value);
  bool wrong(std::string_view want) {
    return refuse(fmt::format("\"{}\" must be {}", name_, want));
  }
  bool take_id(const Value& value, std::uint64_t& to);
  bool take_time(const Value& value, std::int64_t& to);

  Operation& operation_;
  std::size_t& values_left_;
  std::string problem_;
  bool values_exhausted_ = false;
  bool in_object_ = false;
  std::string name_;
  std::vector<std::string> seen_;
  std::vector<Values> lists_;  ///< Those that are open, the outermost first.
  bool has_return_ = false;
  std::optional<bool> ok_;
};

bool LineReader::number_unsigned(std::uint64_t value) {
  if (value <= INT64_MAX) return take(static_cast<std::int64_t>(value));
  const bool is_id = lists_.empty() && (name_ == "client" || name_ == "rev");
  if (!is_id) return refuse(fmt::format("{} is above 2^63 - 1; write it as text", value));
  (name_ == "client" ? operation_.client : operation_.revision.emplace()) = value;
  return true;
}

bool LineReader::start_object(std::size_t) {
  if (in_object_) return refuse("an object stands in the line's; write a list, or text");
  in_object_ = true;
  return true;
}

bool LineReader::key(std::string& name) {
  if (std::ranges::find(seen_, name) != seen_.end())
    return refuse(fmt::format("\"{}\" is there twice; keep one", name));
  if (seen_.size() == HistoryLimits::kFieldsMax)
    return refuse(fmt::format("it has more than {} fields; put values of one kind in a list",
                              HistoryLimits::kFieldsMax));
  seen_.push_back(name);
  name_ = name;
  return true;
}

bool LineReader::start_array(std::size_t) {
  if (!in_object_) return refuse("a line is an object; begin it with {");
  if (lists_.size() == HistoryLimits::kDepthMax)
    return refuse(fmt::format("lists stand in lists more than {} deep; write text",
                              HistoryLimits::kDepthMax));
  lists_.emplace_back();
  return true;
}

bool LineReader::end_array() {
  Values list = std::move(lists_.back());
  lists_.pop_back();
  return take(std::move(list));
}

bool LineReader::parse_error(std::size_t position, const std::string&,
                             const json::exception& error) {
  std::string_view what = error.what();
  const std::size_t reason = what.find(": ", what.find("parse error"));
  if (reason != std::string_view::npos) what.remove_prefix(reason + 2);
  return refuse(fmt::format("it is no JSON at byte {}: {}", position, what));
}

bool LineReader::take(Value value) {
  if (!in_object_) return refuse("a line is an object; begin it with {");
  if (lists_.empty()) {
    const std::optional<bool> taken = take_field(value);
    if (taken) return *taken;
  }
  if (values_left_ == 0) {
    values_exhausted_ = true;
    return false;
  }
  --values_left_;
  if (lists_.empty())
    operation_.values.push_back({.name = name_, .value = std::move(value)});
  else
    lists_.back().push_back(std::move(value));
  return true;
}

std::optional<bool> LineReader::take_field(const Value& value) {
  if (name_ == "client") return take_id(value, operation_.client);
  if (name_ == "op") {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr || text->empty()) return wrong("a text that is not empty");
    operation_.op = *text;
    return true;
  }
  if (name_ == "call") return take_time(value, operation_.called);
  if (name_ == "return") {
    has_return_ = true;
    if (std::holds_alternative<std::monostate>(value)) return true;
    return take_time(value, operation_.returned);
  }
  if (name_ == "ok") {
    const auto* ok = std::get_if<bool>(&value);
    if (ok == nullptr) return wrong("true or false");
    ok_ = *ok;
    return true;
  }
  if (name_ == "rev") return take_id(value, operation_.revision.emplace());
  return std::nullopt;
}

bool LineReader::take_id(const Value& value, std::uint64_t& to) {
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number == nullptr || *number < 0) return wrong("a whole number from 0 on");
  to = static_cast<std::uint64_t>(*number);
  return true;
}

bool LineReader::take_time(const Value& value, std::int64_t& to) {
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number == nullptr || *number == Operation::kNever)
    return wrong("a time in whole nanoseconds");
  to = *number;
  return true;
}

void LineReader::finish() {
  for (const char* field : {"client", "op", "call"})
    if (std::ranges::find(seen_, field) == seen_.end()) {
      refuse(fmt::format("\"{}\" is missing", field));
      return;
    }
  if (!has_return_) {
    refuse("\"return\" is missing; write null where nobody knows how it ended");
  } else if (operation_.returned == Operation::kNever) {
    if (ok_) refuse("\"ok\" is there without a \"return\"; give its time, or leave out \"ok\"");
    if (operation_.revision) refuse("\"rev\" is there without a \"return\"; give its time");
  } else if (operation_.returned < operation_.called) {
    refuse(fmt::format("it returned at {} and was called at {}; both are of one clock",
                       operation_.returned, operation_.called));
  } else if (!ok_) {
    refuse("\"ok\" is missing; write false where it certainly took no effect");
  } else {
    operation_.ending = *ok_ ? Ending::ok : Ending::failed;
    if (!*ok_ && operation_.revision) refuse("\"rev\" is there with \"ok\":false; leave it out");
  }
}

Error malformed(std::size_t line, std::string_view problem) {
  return Error(Code::invalid_argument, "read_history", fmt::format("line {}: {}", line, problem));
}

Error too_much(std::size_t line, std::string_view what, std::size_t max) {
  return Error(Code::resource_exhausted, "read_history",
               fmt::format("line {}: more than {} {}; check a shorter history, or raise the limit",
                           line, max, what));
}

/// Each client waits for one operation at a time.
Result<> check_clients(const History& history) {
  std::vector<std::size_t> order(history.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::sort(order, {}, [&](std::size_t i) {
    const Operation& o = history[i];
    // One that it gave up it may have asked for first of all in an instant.
    return std::tuple(o.client, o.called, o.ending != Ending::unknown, o.returned, i);
  });
  for (std::size_t i = 1; i < order.size(); ++i) {
    const Operation& before = history[order[i - 1]];
    const Operation& next = history[order[i]];
    if (before.client != next.client || before.ending == Ending::unknown) continue;
    if (next.called < before.returned)
      return malformed(
          order[i] + 1,
          fmt::format("client {} called at {}, and that of line {} returned at {} only; "
                      "give each task that calls a number of its own",
                      next.client, next.called, order[i - 1] + 1, before.returned));
  }
  return {};
}

}  // namespace

Result<History> read_history(std::string_view lines, const HistoryLimits& limits) {
  if (lines.size() > limits.bytes_max)
    return Error(Code::resource_exhausted, "read_history",
                 fmt::format("it has {} bytes, more than {}; check a shorter history, or raise the "
                             "limit",
                             lines.size(), limits.bytes_max));
  History history;
  std::size_t values_left = limits.values_max;
  for (std::size_t number = 1; !lines.empty(); ++number) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (line.size() > limits.line_bytes_max)
      return too_much(number, "bytes in a line", limits.line_bytes_max);
    if (history.size() == limits.operations_max)
      return too_much(number, "operations", limits.operations_max);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos)
      return malformed(number, "it is empty; leave it out");
    LineReader reader(history.emplace_back(), values_left);
    if (json::sax_parse(line.begin(), line.end(), &reader)) reader.finish();
    if (reader.values_exhausted()) return too_much(number, "values", limits.values_max);
    if (!reader.problem().empty()) return malformed(number, reader.problem());
  }
  Result<> clients = check_clients(history);
  if (!clients) return std::move(clients).error();
  return history;
}

}  // namespace tubing::sim
