// MapModel: tables of keys in their order, as the API of a key-value store has them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tubing/channel/fields.h"
#include "tubing/sim/detail/map_keys.h"
#include "tubing/sim/detail/map_nodes.h"
#include "tubing/sim/judges/model.h"
#include "tubing/sim/judges/operation_reader.h"

namespace tubing::sim {

/// Operations: put, get, delete, cas, range, txn, make_table, rename_table, drop_table, tables;
/// HISTORY.md has their fields. A value is anything that a line can hold; null is an absent key.
///
/// Versions: each change of a key gives it one that is higher than all it had before, across
/// deletions too; an absent key shows version 0. A change that was not told its version is known to
/// have a higher one. A compare of versions that failed tells nothing beyond that it may have.
///
/// Parts: each key by itself; keys of one transaction together; tables in which there are range
/// scans whole; all together where a history has operations on tables, or one was told that there
/// is no such table. Then none is there at the beginning but the one without a name, which always
/// is; else every table is.
///
/// Memory: 40 bytes for each new node of the trees; see MapNodes.
class MapModel {
 public:
  /// Two numbers: equal states are equal numbers.
  struct State {
    std::uint32_t keys = detail::MapNodes::kEmpty;
    std::uint32_t tables = detail::MapNodes::kEmpty;
    static constexpr auto fields = tubing::fields("keys", &State::keys, "tables", &State::tables);
    friend bool operator==(const State&, const State&) = default;
  };
  /// The number of what was asked and told; equal ones have the same.
  struct Step {
    std::uint32_t number = 0;
    static constexpr auto fields = tubing::fields("number", &Step::number);
    friend bool operator==(const Step&, const Step&) = default;
  };

  std::string_view name() const { return "map"; }
  void survey(const History& history);
  Result<std::string> part(const Operation& operation) const { return keys_.part(operation); }
  /// Requires: survey() of a history that has it.
  Result<Step> read(const Operation& operation);
  State begin() const { return {}; }
  bool apply(State& state, const Step& step);
  bool changes_nothing(const Step& step) const;
  /// Whether it took no place of its own among the changes: it may know more of a version then.
  bool reads(const Step& step) const;
  /// Whether every state in which it can happen becomes the same one.
  bool settles(const Step& step) const;
  std::string told(const State& state) const;
  std::uint64_t bytes() const { return nodes_.bytes(); }

 private:
  using Key = detail::MapKeys::Number;
  using Text = std::uint32_t;  ///< Of a value; 0 is null.
  enum class Kind : std::uint8_t {
    put,
    get,
    remove,
    cas,
    range,
    txn,
    make_table,
    rename_table,
    drop_table,
    tables,
  };

  /// What must hold of a key: this value, or this version (0: absent).
  struct Condition {
    Key key = 0;
    Text value = 0;
    std::optional<std::uint64_t> version;
  };
  struct Action {
    Kind kind = Kind::get;  ///< put, get, remove.
    Key key = 0;
    Text value = 0;
  };
  /// What only few requests have.
  struct More {
    std::vector<Condition> conditions;
    std::vector<Action> then;
    std::vector<Action> otherwise;
    std::optional<std::vector<Text>> got;
    Key from = 0;
    Key to = 0;
    std::uint64_t limit = UINT64_MAX;
    bool reverse = false;
    std::vector<std::pair<Key, Text>> rows;
    std::vector<std::uint32_t> tables;
  };
  struct Request {
    Kind kind = Kind::get;
    bool known = false;
    bool no_table = false;  ///< Was told so.
    std::uint32_t table = 0;
    std::uint32_t other_table = 0;
    Condition condition;  ///< Of cas; of the others the key.
    Text value = 0;
    std::optional<std::uint64_t> version;  ///< As told.
    std::optional<bool> done;              ///< As told: swapped, found, held, made …
    std::unique_ptr<More> more;
  };
  using Entry = detail::MapEntry;

  Result<Request> parse(const Operation& operation);
  void parse_single(OperationReader& in, const Operation& operation, Request& request);
  void parse_range(OperationReader& in, const Operation& operation, Request& request);
  void parse_rows(OperationReader& in, Request& request);
  void parse_transaction(OperationReader& in, Request& request);
  void parse_tables(OperationReader& in, const Operation& operation, Request& request);
  void parse_version(OperationReader& in, const Operation& operation, Request& request);
  Condition condition_of(OperationReader& in, const Value& item);
  Action action_of(OperationReader& in, const Value& item);
  Key key_of(OperationReader& in, std::string_view table, std::string_view key);
  std::uint32_t table_of(OperationReader& in, std::string_view name);
  Text text_of(const Value& value);

  bool apply_single(State& state, const Request& request);
  bool apply_put(State& state, Key key, Text value, const std::optional<std::uint64_t>& version);
  bool apply_get(State& state, const Request& request);
  bool apply_remove(State& state, const Request& request);
  bool apply_cas(State& state, const Request& request);
  bool apply_range(const State& state, const Request& request) const;
  bool apply_transaction(State& state, const Request& request);
  bool apply_actions(State& state, const std::vector<Action>& actions, const More& more,
                     bool known);
  bool apply_to_tables(State& state, const Request& request);
  bool apply_tables(const State& state, const Request& request) const;
  void move_keys(State& state, std::uint32_t from, const std::uint32_t* to);

  Entry entry(const State& state, Key key) const;
  void set(State& state, Key key, const Entry& entry);
  bool has_table(const State& state, std::uint32_t table) const;
  bool misses_table(const State& state, const Request& request) const;
  /// Whether it can hold, and whether it must.
  bool may_hold(const State& state, const Condition& condition) const;
  bool must_hold(const State& state, const Condition& condition) const;
  void assume(State& state, const Condition& condition);
  bool see_version(State& state, Key key, std::uint64_t version);

  detail::MapKeys keys_;
  detail::MapNodes nodes_;
  std::vector<Request> requests_;
  std::unordered_map<std::string, std::uint32_t> numbers_;  ///< Of requests, by their text.
  std::vector<std::string> texts_{"null"};
  std::unordered_map<std::string, Text> text_numbers_{{"null", 0}};
};

}  // namespace tubing::sim
