// MapKeys: the tables and keys of a history, numbered in their order, and which belong together.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tubing/sim/judges/history.h"

namespace tubing::sim::detail {

/// The table of an operation; the one without a name where it says none.
std::string_view table_of(const Operation& operation);
/// Whether it makes, renames, drops or lists tables.
bool is_of_tables(const Operation& operation);

/// Numbers rise with the names of table and key, so that scans and comparisons need no texts.
/// Malformed operations are passed over; the model refuses them when it reads them.
class MapKeys {
 public:
  using Number = std::uint32_t;

  void survey(const History& history);

  /// None where the survey has not met it.
  std::optional<Number> table(std::string_view name) const;
  std::optional<Number> key(Number table, std::string_view name) const;
  /// The first key of the table that is not below `name`; that of the next table where there is
  /// none.
  Number key_from(Number table, std::string_view name) const;
  Number first_of(Number table) const { return first_[table]; }
  /// One behind the last.
  Number end_of(Number table) const { return first_[table + 1]; }

  const std::string& table_name(Number table) const { return tables_[table]; }
  const std::string& key_name(Number key) const { return names_[key]; }
  Number table_of_key(Number key) const;

  /// What the keys of an operation are judged with: "key a", "table base", or "" for all.
  std::string part(const Operation& operation) const;
  /// Whether the key is a part by itself.
  bool is_alone(Number key) const { return alone_[key]; }

  bool has_tables() const { return has_tables_; }
  bool has_versions() const { return has_versions_; }

 private:
  using Names = std::map<std::string, std::map<std::string, Number, std::less<>>, std::less<>>;

  void collect(const Operation& operation, Names& names);
  void join_renamed(const History& history, Names& names) const;
  void join_parts(const History& history);
  Number root(Number at);
  void join(Number one, Number other);
  std::string label(Number at) const;

  std::vector<std::string> tables_;  ///< Sorted.
  std::vector<Number> first_;        ///< Of each table the first key; one more behind the last.
  std::vector<std::string> names_;   ///< Of keys; sorted within each table.
  /// Of keys, then of tables: what each was joined with, the first of them.
  std::vector<Number> joined_;
  std::vector<bool> alone_;
  bool has_tables_ = false;
  bool has_versions_ = false;
};

/// The (table, key) pairs that an operation names, in its order.
std::vector<std::pair<std::string_view, std::string_view>> keys_of(const Operation& operation);

}  // namespace tubing::sim::detail
