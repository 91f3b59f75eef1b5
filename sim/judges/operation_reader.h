// OperationReader: the arguments and results of an operation, as a model wants them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tubing/channel/base/result.h"
#include "tubing/sim/judges/history.h"

namespace tubing::sim {

/// Reads one operation's fields and keeps the first thing that is wrong with them, so that a model
/// asks for what it wants and looks for trouble once, at the end. What nobody asks for is passed
/// over. Behind something wrong every field is empty.
///
///     OperationReader in(operation);
///     Step step;
///     if (in.is("write")) step.written = in.value("value");
///     if (in.is("read")) step.seen = in.result("value");
///     return in.finish(std::move(step));
///
/// Requires: the operation outlives it.
class OperationReader {
 public:
  explicit OperationReader(const Operation& operation) : operation_(operation) {}

  /// Whether the operation has this name. `finish` refuses one whose name nobody asked for.
  bool is(std::string_view op);

  /// Whether there are results to read: where it is false, every result is none.
  bool has_results() const { return operation_.ending == Ending::ok; }
  bool has(std::string_view name) const { return operation_.find(name) != nullptr; }

  /// An argument of any kind, as its JSON text: equal texts are equal values.
  std::string value(std::string_view name);
  /// Arguments that must be of one kind.
  std::string text(std::string_view name);
  std::int64_t number(std::string_view name);
  bool flag(std::string_view name);
  const Values& list(std::string_view name);

  /// The same of results.
  std::optional<std::string> result(std::string_view name);
  std::optional<std::string> text_result(std::string_view name);
  std::optional<std::int64_t> number_result(std::string_view name);
  std::optional<bool> flag_result(std::string_view name);
  /// Null where there is none.
  const Values* list_result(std::string_view name);

  /// For what only the model knows to be wrong: `what` names field and remedy.
  void refuse(std::string what);

  /// Errors: invalid_argument, "put: "key" is missing": the first that was wrong.
  template <class Step>
  Result<Step> finish(Step step) {
    if (std::optional<Error> error = first_error()) return *std::move(error);
    return step;
  }

 private:
  /// Null where it is missing, which is refused.
  const Value* need(std::string_view name);
  template <class T>
  const T* need(std::string_view name, std::string_view kind);
  std::optional<Error> first_error() const;

  const Operation& operation_;
  bool known_ = false;
  std::string names_;  ///< Those that were asked for.
  std::string problem_;
};

/// The part of models whose operations have a `key`, or none where there is only one: "key a".
Result<std::string> part_by_key(const Operation& operation);

}  // namespace tubing::sim
