#include "tubing/sim/judges/operation_reader.h"

#include <fmt/format.h>

namespace tubing::sim {
namespace {

constexpr std::string_view kText = "a text";
constexpr std::string_view kNumber = "a whole number";
constexpr std::string_view kFlag = "true or false";
constexpr std::string_view kList = "a list";

const Values& no_values() {
  static const Values kNone;
  return kNone;
}

template <class T>
std::optional<T> copy(const T* value) {
  return value == nullptr ? std::nullopt : std::optional<T>(*value);
}

}  // namespace

bool OperationReader::is(std::string_view op) {
  names_ += names_.empty() ? std::string(op) : fmt::format(", {}", op);
  const bool same = operation_.op == op;
  known_ |= same;
  return same;
}

std::string OperationReader::value(std::string_view name) {
  const Value* value = need(name);
  return value == nullptr ? "" : value_text(*value);
}

std::string OperationReader::text(std::string_view name) {
  return copy(need<std::string>(name, kText)).value_or("");
}

std::int64_t OperationReader::number(std::string_view name) {
  return copy(need<std::int64_t>(name, kNumber)).value_or(0);
}

bool OperationReader::flag(std::string_view name) {
  return copy(need<bool>(name, kFlag)).value_or(false);
}

const Values& OperationReader::list(std::string_view name) {
  const auto* list = need<Values>(name, kList);
  return list == nullptr ? no_values() : *list;
}

std::optional<std::string> OperationReader::result(std::string_view name) {
  const Value* value = has_results() ? need(name) : nullptr;
  return value == nullptr ? std::nullopt : std::optional(value_text(*value));
}

std::optional<std::string> OperationReader::text_result(std::string_view name) {
  return has_results() ? copy(need<std::string>(name, kText)) : std::nullopt;
}

std::optional<std::int64_t> OperationReader::number_result(std::string_view name) {
  return has_results() ? copy(need<std::int64_t>(name, kNumber)) : std::nullopt;
}

std::optional<bool> OperationReader::flag_result(std::string_view name) {
  return has_results() ? copy(need<bool>(name, kFlag)) : std::nullopt;
}

const Values* OperationReader::list_result(std::string_view name) {
  return has_results() ? need<Values>(name, kList) : nullptr;
}

void OperationReader::refuse(std::string what) {
  if (problem_.empty()) problem_ = std::move(what);
}

const Value* OperationReader::need(std::string_view name) {
  if (!problem_.empty()) return nullptr;
  const Value* value = operation_.find(name);
  if (value == nullptr) refuse(fmt::format("\"{}\" is missing", name));
  return value;
}

template <class T>
const T* OperationReader::need(std::string_view name, std::string_view kind) {
  const Value* value = need(name);
  if (value == nullptr) return nullptr;
  const T* wanted = std::get_if<T>(value);
  if (wanted == nullptr)
    refuse(fmt::format("\"{}\" is {}, and must be {}", name, value_text(*value), kind));
  return wanted;
}

std::optional<Error> OperationReader::first_error() const {
  if (!known_)
    return Error(Code::invalid_argument, "model",
                 fmt::format("no operation '{}' is known to this model; it knows: {}",
                             operation_.op, names_));
  if (problem_.empty()) return std::nullopt;
  return Error(Code::invalid_argument, "model", fmt::format("{}: {}", operation_.op, problem_));
}

Result<std::string> part_by_key(const Operation& operation) {
  if (operation.find("key") == nullptr) return std::string();
  OperationReader in(operation);
  (void)in.is(operation.op);
  std::string key = in.text("key");
  return in.finish("key " + key);
}

}  // namespace tubing::sim
