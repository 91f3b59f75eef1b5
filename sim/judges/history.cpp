#include "tubing/sim/judges/history.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "tubing/channel/base/assert.h"
#include "tubing/channel/json.h"

namespace tubing::sim {
namespace {

constexpr std::array<std::string_view, 6> kFields{"client", "op", "call", "return", "ok", "rev"};

std::int64_t ns(Time time) { return time.time_since_epoch().count(); }

/// A word that reads well without quotes, and that is none of JSON's.
bool is_plain(std::string_view text) {
  static constexpr std::string_view kOthers = "-_./:@";
  return !text.empty() && text != "null" && text != "true" && text != "false" &&
         std::ranges::all_of(text, [](char c) {
           const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
           return letter || (c >= '0' && c <= '9') || kOthers.contains(c);
         });
}

std::string told(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && is_plain(*text) ? *text : value_text(value);
}

std::string told_end(const Operation& operation) {
  if (operation.ending == Ending::unknown) return "on: nobody knows how it ended";
  const std::string to = fmt::format("to {} ns: ", operation.returned);
  if (operation.ending == Ending::failed) return to + "failed";
  return operation.revision ? fmt::format("{}ok, at revision {}", to, *operation.revision)
                            : to + "ok";
}

void write(std::string& to, const Value& value);

void write(std::string& to, const Values& values) {
  to += '[';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) to += ',';
    write(to, values[i]);
  }
  to += ']';
}

void write(std::string& to, const Value& value) {
  switch (value.index()) {
    case 0: to += "null"; break;
    case 1: to += std::get<bool>(value) ? "true" : "false"; break;
    case 2: fmt::format_to(std::back_inserter(to), "{}", std::get<std::int64_t>(value)); break;
    case 3: to += to_json(std::get<std::string>(value)); break;
    default: write(to, std::get<Values>(value));
  }
}

}  // namespace

const Value* Operation::find(std::string_view name) const {
  const auto found = std::ranges::find(values, name, &NamedValue::name);
  return found == values.end() ? nullptr : &found->value;
}

std::string_view Operation::text(std::string_view name) const {
  const Value* value = find(name);
  const auto* text = value == nullptr ? nullptr : std::get_if<std::string>(value);
  return text == nullptr ? std::string_view{} : std::string_view(*text);
}

std::string value_text(const Value& value) {
  std::string text;
  write(text, value);
  return text;
}

std::string history_line(const Operation& operation) {
  std::string line =
      fmt::format(R"({{"client":{},"op":{})", operation.client, to_json(operation.op));
  for (const auto& [name, value] : operation.values) {
    fmt::format_to(std::back_inserter(line), ",{}:", to_json(name));
    write(line, value);
  }
  fmt::format_to(std::back_inserter(line), R"(,"call":{},"return":)", operation.called);
  if (operation.ending == Ending::unknown) return line + "null}";
  fmt::format_to(std::back_inserter(line), R"({},"ok":{})", operation.returned,
                 operation.ending == Ending::ok);
  if (operation.revision)
    fmt::format_to(std::back_inserter(line), R"(,"rev":{})", *operation.revision);
  return line + '}';
}

std::string history_text(const History& history) {
  std::string text;
  for (const Operation& operation : history) text += history_line(operation) + '\n';
  return text;
}

std::string told(const Operation& operation) {
  std::string text = fmt::format("client {}: {}", operation.client, operation.op);
  for (const auto& [name, value] : operation.values)
    text += fmt::format(" {} {}", name, told(value));
  return text + fmt::format(", from {} ns {}", operation.called, told_end(operation));
}

Recorder::Id Recorder::call(Time now, std::uint64_t client, std::string_view op,
                            std::vector<NamedValue> arguments) {
  Operation& operation =
      history_.emplace_back(Operation{.client = client, .op = std::string(op), .called = ns(now)});
  add(operation, std::move(arguments));
  return static_cast<Id>(history_.size() - 1);
}

void Recorder::ok(Id id, Time now, std::vector<NamedValue> results,
                  std::optional<std::uint64_t> revision) {
  Operation& operation = ending(id, now);
  operation.ending = Ending::ok;
  operation.revision = revision;
  add(operation, std::move(results));
}

void Recorder::failed(Id id, Time now) { ending(id, now).ending = Ending::failed; }

Operation& Recorder::ending(Id id, Time now) {
  const auto at = static_cast<std::size_t>(id);
  TUBING_ASSERT(at < history_.size());
  Operation& operation = history_[at];
  TUBING_ASSERT(operation.ending == Ending::unknown, operation.op);
  TUBING_ASSERT(ns(now) >= operation.called, operation.op);
  operation.returned = ns(now);
  return operation;
}

void Recorder::add(Operation& operation, std::vector<NamedValue> values) {
  for (NamedValue& value : values) {
    TUBING_ASSERT(std::ranges::find(kFields, value.name) == kFields.end(), value.name);
    TUBING_ASSERT(operation.find(value.name) == nullptr, value.name);
    operation.values.push_back(std::move(value));
  }
}

}  // namespace tubing::sim
