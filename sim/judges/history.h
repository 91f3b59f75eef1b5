// History: what clients asked of a service and what they were told, with the times of both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/channel/base/time.h"

namespace tubing::sim {

/// What is known of an operation's end.
enum class Ending : std::uint8_t {
  ok,       ///< It took effect once, between call and return, and gave its results.
  failed,   ///< It took no effect, and takes none later.
  unknown,  ///< It may take effect at any time behind its call, or never.
};

struct Value;
/// Several values in an order, for example the rows of a scan: each may be a list itself.
using Values = std::vector<Value>;

/// An argument or a result, as JSON knows them but for fractions and objects; the first is null.
/// Texts are UTF-8: write bytes that are no text as hexadecimal digits.
struct Value : std::variant<std::monostate, bool, std::int64_t, std::string, Values> {
  using variant::variant;
};

struct NamedValue {
  std::string name;
  Value value;
  friend bool operator==(const NamedValue&, const NamedValue&) = default;
};

/// One operation: a line of a history.
struct Operation {
  std::uint64_t client = 0;  ///< Waits for one operation at a time; gives up on any number.
  std::string op;            ///< "put"; each model names those that it knows.
  /// Arguments and, where it ended ok, results, in the order of the line: `key`, `value`, …
  std::vector<NamedValue> values = {};
  std::int64_t called = 0;  ///< Units: ns.
  std::int64_t returned = kNever;
  Ending ending = Ending::unknown;
  /// Of the service, at which it took effect, or at which it read.
  std::optional<std::uint64_t> revision = {};

  static constexpr std::int64_t kNever = INT64_MAX;

  /// Null where there is none of this name.
  const Value* find(std::string_view name) const;
  /// Empty where there is none of this name, or it is no text.
  std::string_view text(std::string_view name) const;
  /// Whether it came to its end before `other` was called.
  bool precedes(const Operation& other) const { return returned < other.called; }
  friend bool operator==(const Operation&, const Operation&) = default;
};

/// In any order.
using History = std::vector<Operation>;

/// One line without its end, as HISTORY.md has it:
/// {"client":3,"op":"put","key":"a","value":"7","call":1200,"return":1450,"ok":true,"rev":17}
std::string history_line(const Operation& operation);
/// All lines, each with its end.
std::string history_text(const History& history);
/// `value` as it stands in a line: "a", 7, null, ["a",["b"]].
std::string value_text(const Value& value);
/// For people: `client 3: put key a value 7, from 1200 ns to 1450 ns: ok, at revision 17`.
std::string told(const Operation& operation);

/// How much read_history takes before it refuses. Together they hold memory to about 1.5 GB.
struct HistoryLimits {
  std::size_t bytes_max = std::size_t{256} << 20;
  std::size_t line_bytes_max = std::size_t{1} << 20;
  std::size_t operations_max = 1'000'000;
  std::size_t values_max = 8'000'000;  ///< Arguments and results, with the elements of lists.

  static constexpr std::size_t kDepthMax = 8;     ///< Of lists within lists.
  static constexpr std::size_t kFieldsMax = 100;  ///< Of a line.
};

/// Reads lines as history_line writes them, their fields in any order. Operation i is line i + 1.
/// Errors: invalid_argument with the number of the line, what is wrong in it and what would do: no
/// JSON, an empty line, a field that is missing, twice there or of a wrong type, a return before
/// its call, two operations of one client at the same time. resource_exhausted where a limit is
/// passed.
Result<History> read_history(std::string_view lines, const HistoryLimits& limits = {});

/// Takes down what clients do while they do it. An operation that is not ended stays unknown.
///
///     const auto asked = recorder.call(now, client, "put", {{"key", "a"}, {"value", "7"}});
///     Result<std::uint64_t> put = co_await store.put("a", "7");
///     if (put) recorder.ok(asked, now, {}, *put);
///
/// Threads: one.
class Recorder {
 public:
  enum class Id : std::size_t {};

  /// Requires: no argument has the name of a field that every line has: client, op, call, return,
  /// ok, rev; no two have the same.
  Id call(Time now, std::uint64_t client, std::string_view op, std::vector<NamedValue> arguments);
  /// One of the two, once for an operation. Requires: `now` is not before the call; the names of
  /// results as those of arguments, and none is an argument's.
  void ok(Id id, Time now, std::vector<NamedValue> results = {},
          std::optional<std::uint64_t> revision = {});
  void failed(Id id, Time now);

  const History& history() const { return history_; }
  /// Moved out; the recorder is empty then. Ids that it gave before are void.
  History take() { return std::exchange(history_, {}); }

 private:
  Operation& ending(Id id, Time now);
  void add(Operation& operation, std::vector<NamedValue> values);

  History history_;
};

}  // namespace tubing::sim
