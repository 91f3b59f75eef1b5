#include "tubing/sim/detail/map_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace tubing::sim::detail {
namespace {

std::string_view text_at(const Values& values, std::size_t at) {
  const auto* text = at < values.size() ? std::get_if<std::string>(&values[at]) : nullptr;
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

bool is_text_at(const Values& values, std::size_t at) {
  return at < values.size() && std::holds_alternative<std::string>(values[at]);
}

}  // namespace

std::string_view table_of(const Operation& operation) { return operation.text("table"); }

bool is_of_tables(const Operation& operation) {
  static constexpr std::array<std::string_view, 4> kNames{"make_table", "rename_table",
                                                          "drop_table", "tables"};
  return std::ranges::find(kNames, operation.op) != kNames.end();
}

std::vector<std::pair<std::string_view, std::string_view>> keys_of(const Operation& operation) {
  std::vector<std::pair<std::string_view, std::string_view>> keys;
  if (const Value* key = operation.find("key"); key != nullptr && operation.op != "txn")
    if (const auto* text = std::get_if<std::string>(key))
      keys.emplace_back(table_of(operation), *text);
  if (operation.op != "txn") return keys;
  for (const std::string_view name : {"if", "then", "else"}) {
    const Value* value = operation.find(name);
    const auto* items = value == nullptr ? nullptr : std::get_if<Values>(value);
    if (items == nullptr) continue;
    for (const Value& item : *items) {
      const auto* words = std::get_if<Values>(&item);
      const std::size_t at = name == "if" ? 0 : 1;
      if (words != nullptr && is_text_at(*words, at) && is_text_at(*words, at + 1))
        keys.emplace_back(text_at(*words, at), text_at(*words, at + 1));
    }
  }
  return keys;
}

void MapKeys::survey(const History& history) {
  *this = MapKeys();
  Names names;
  names[""];
  for (const Operation& operation : history) collect(operation, names);
  join_renamed(history, names);
  for (const auto& [table, keys] : names) {
    tables_.push_back(table);
    first_.push_back(static_cast<Number>(names_.size()));
    for (const auto& [key, unused] : keys) names_.push_back(key);
  }
  first_.push_back(static_cast<Number>(names_.size()));
  join_parts(history);
}

void MapKeys::collect(const Operation& operation, Names& names) {
  has_tables_ |= is_of_tables(operation) || operation.find("no_table") != nullptr;
  has_versions_ |= operation.find("version") != nullptr || operation.find("if_version") != nullptr;
  names.try_emplace(std::string(table_of(operation)));
  if (operation.op == "rename_table") names.try_emplace(std::string(operation.text("to")));
  if (operation.op == "txn")
    if (const Value* conditions = operation.find("if"))
      if (const auto* items = std::get_if<Values>(conditions))
        for (const Value& item : *items)
          if (const auto* words = std::get_if<Values>(&item))
            has_versions_ |= text_at(*words, 2) == "version";
  for (const auto& [table, key] : keys_of(operation)) {
    auto found = names.find(table);
    if (found == names.end()) found = names.try_emplace(std::string(table)).first;
    if (!found->second.contains(key)) found->second.try_emplace(std::string(key));
  }
}

/// A table that takes another's name takes its keys there: all that are joined by renames know the
/// same keys.
void MapKeys::join_renamed(const History& history, Names& names) const {
  std::set<std::pair<std::string, std::string>> renames;
  for (const Operation& operation : history)
    if (operation.op == "rename_table")
      renames.emplace(operation.text("table"), operation.text("to"));
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& [from, to] : renames) {
      const std::size_t before = names[to].size() + names[from].size();
      names[to].insert(names[from].begin(), names[from].end());
      names[from].insert(names[to].begin(), names[to].end());
      grew |= names[to].size() + names[from].size() > before;
    }
  }
}

void MapKeys::join_parts(const History& history) {
  joined_.resize(names_.size() + tables_.size());
  for (Number at = 0; at < joined_.size(); ++at) joined_[at] = at;
  alone_.assign(joined_.size(), !has_tables_);
  if (has_tables_) return;
  for (const Operation& operation : history) {
    const auto keys = keys_of(operation);
    const auto number = [&](const auto& of) { return *key(*table(of.first), of.second); };
    for (std::size_t i = 1; i < keys.size(); ++i) join(number(keys[0]), number(keys[i]));
    if (operation.op != "range") continue;
    const Number table = *this->table(table_of(operation));
    const auto whole = static_cast<Number>(names_.size() + table);
    if (first_of(table) < end_of(table) && root(whole) != root(first_of(table)))
      for (Number key = first_of(table); key < end_of(table); ++key) join(key, whole);
  }
  for (Number at = 0; at < joined_.size(); ++at) {
    joined_[at] = joined_[joined_[at]];  // The first is never behind.
    if (joined_[at] != at) alone_[at] = alone_[joined_[at]] = false;
  }
}

MapKeys::Number MapKeys::root(Number at) {
  while (joined_[at] != at) at = joined_[at] = joined_[joined_[at]];
  return at;
}

void MapKeys::join(Number one, Number other) {
  one = root(one);
  other = root(other);
  const Number first = std::min(one, other);
  joined_[one] = joined_[other] = first;
}

std::optional<MapKeys::Number> MapKeys::table(std::string_view name) const {
  const auto found = std::ranges::lower_bound(tables_, name);
  if (found == tables_.end() || *found != name) return std::nullopt;
  return static_cast<Number>(found - tables_.begin());
}

MapKeys::Number MapKeys::key_from(Number table, std::string_view name) const {
  const auto begin = names_.begin() + first_of(table);
  const auto end = names_.begin() + end_of(table);
  return static_cast<Number>(std::lower_bound(begin, end, name) - names_.begin());
}

std::optional<MapKeys::Number> MapKeys::key(Number table, std::string_view name) const {
  const Number found = key_from(table, name);
  if (found == end_of(table) || names_[found] != name) return std::nullopt;
  return found;
}

MapKeys::Number MapKeys::table_of_key(Number key) const {
  return static_cast<Number>(std::ranges::upper_bound(first_, key) - first_.begin() - 1);
}

std::string MapKeys::part(const Operation& operation) const {
  if (has_tables_) return "";
  const std::optional<Number> table = this->table(table_of(operation));
  if (!table) return "";
  if (operation.op == "range") return label(static_cast<Number>(names_.size() + *table));
  const auto keys = keys_of(operation);
  if (keys.empty()) return "";
  const std::optional<Number> of = this->table(keys[0].first);
  const std::optional<Number> first = of ? key(*of, keys[0].second) : std::nullopt;
  return first ? label(*first) : "";
}

std::string MapKeys::label(Number at) const {
  at = joined_[at];
  const bool is_table = at >= names_.size();
  const Number table = is_table ? at - static_cast<Number>(names_.size()) : table_of_key(at);
  const std::string of = tables_[table].empty() ? "" : fmt::format(" of table {}", tables_[table]);
  const auto whole = static_cast<Number>(names_.size() + table);
  if (is_table || joined_[whole] == at)
    return tables_[table].empty() ? "the table without a name" : "table " + tables_[table];
  return fmt::format("key {}{}", names_[at], of);
}

}  // namespace tubing::sim::detail
