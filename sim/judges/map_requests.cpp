// Reads the operations of a map: what their fields must be.
#include <fmt/format.h>

#include "tubing/sim/judges/map_model.h"

namespace tubing::sim {
namespace {

const std::string* text_in(const Values& words, std::size_t at) {
  return at < words.size() ? std::get_if<std::string>(&words[at]) : nullptr;
}

std::optional<std::uint64_t> count_in(const Value& value) {
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number == nullptr || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

}  // namespace

Result<MapModel::Request> MapModel::parse(const Operation& operation) {
  OperationReader in(operation);
  Request request;
  request.known = in.has_results();
  if (in.has("table")) (void)in.text("table");
  request.table = table_of(in, operation.text("table"));
  request.no_table = request.known && in.has("no_table") && in.flag("no_table");
  parse_single(in, operation, request);
  if (in.is("range")) parse_range(in, operation, request);
  if (in.is("txn")) parse_transaction(in, request);
  parse_tables(in, operation, request);
  return in.finish(std::move(request));
}

void MapModel::parse_single(OperationReader& in, const Operation& operation, Request& request) {
  const bool put = in.is("put");
  const bool get = in.is("get");
  const bool remove = in.is("delete");
  const bool cas = in.is("cas");
  if (!put && !get && !remove && !cas) return;
  request.kind = put ? Kind::put : get ? Kind::get : remove ? Kind::remove : Kind::cas;
  const std::string key = in.text("key");
  request.condition.key = key_of(in, operation.text("table"), key);
  const std::string_view written = cas ? "to" : "value";
  if (put || cas || (get && request.known && !request.no_table)) (void)in.value(written);
  if (const Value* value = operation.find(written); value != nullptr && !remove)
    request.value = text_of(*value);
  if (put && request.value == 0) in.refuse("\"value\" is null; use delete for that");
  if (remove && in.has("found") && !request.no_table) request.done = in.flag_result("found");
  parse_version(in, operation, request);
  if (!cas) return;
  if (!request.no_table) request.done = in.flag_result("swapped");
  if (in.has("if_version") == in.has("from"))
    return in.refuse("it needs either \"from\" or \"if_version\"");
  if (const Value* expected = operation.find("from")) {
    request.condition.value = text_of(*expected);
  } else {
    request.condition.version = count_in(*operation.find("if_version"));
    if (!request.condition.version) in.refuse("\"if_version\" must be a whole number from 0 on");
  }
}

void MapModel::parse_version(OperationReader& in, const Operation& operation, Request& request) {
  const Value* version = operation.find("version");
  if (version == nullptr || !request.known) return;
  request.version = count_in(*version);
  if (!request.version) in.refuse("\"version\" must be a whole number from 0 on");
}

void MapModel::parse_range(OperationReader& in, const Operation& operation, Request& request) {
  request.kind = Kind::range;
  request.more = std::make_unique<More>();
  More& more = *request.more;
  more.from = keys_.key_from(request.table, in.has("from") ? in.text("from") : "");
  more.to =
      in.has("to") ? keys_.key_from(request.table, in.text("to")) : keys_.end_of(request.table);
  more.reverse = in.has("reverse") && in.flag("reverse");
  if (const Value* limit = operation.find("limit")) {
    more.limit = count_in(*limit).value_or(0);
    if (more.limit == 0) in.refuse("\"limit\" must be a whole number from 1 on");
  }
  if (request.known && !request.no_table) parse_rows(in, request);
}

void MapModel::parse_rows(OperationReader& in, Request& request) {
  const Values* rows = in.list_result("rows");
  if (rows == nullptr) return;
  for (const Value& row : *rows) {
    const auto* pair = std::get_if<Values>(&row);
    const std::string* key = pair == nullptr ? nullptr : text_in(*pair, 0);
    if (key == nullptr || pair->size() != 2)
      return in.refuse(fmt::format("\"rows\" has {}, and must have [key, value]", value_text(row)));
    // A key that no operation names can have no value: no state has it.
    const std::optional<Key> number = keys_.key(request.table, *key);
    request.more->rows.emplace_back(number.value_or(UINT32_MAX), text_of((*pair)[1]));
  }
}

void MapModel::parse_transaction(OperationReader& in, Request& request) {
  request.kind = Kind::txn;
  request.more = std::make_unique<More>();
  More& more = *request.more;
  bool versions = false;
  for (const Value& item : in.list("if")) {
    more.conditions.push_back(condition_of(in, item));
    versions |= more.conditions.back().version.has_value();
  }
  for (const Value& item : in.list("then")) more.then.push_back(action_of(in, item));
  for (const Value& item : in.list("else")) more.otherwise.push_back(action_of(in, item));
  const bool changes_else = std::ranges::any_of(
      more.otherwise, [](const Action& action) { return action.kind != Kind::get; });
  if (!request.known && versions && changes_else)
    in.refuse(
        "nobody can tell which way it went: it compares a version, and \"else\" changes keys");
  if (request.no_table) return;
  request.done = in.flag_result("held");
  if (!request.known || !in.has("got")) return;
  more.got.emplace();
  for (const Value& value : in.list("got")) more.got->push_back(text_of(value));
}

MapModel::Condition MapModel::condition_of(OperationReader& in, const Value& item) {
  const auto* words = std::get_if<Values>(&item);
  const std::string* what = words == nullptr ? nullptr : text_in(*words, 2);
  Condition condition;
  const bool of_version = what != nullptr && *what == "version";
  if (what == nullptr || words->size() != 4 || (!of_version && *what != "value") ||
      text_in(*words, 0) == nullptr || text_in(*words, 1) == nullptr) {
    in.refuse(fmt::format("\"if\" has {}, and must have [table, key, \"value\" or \"version\", it]",
                          value_text(item)));
    return condition;
  }
  condition.key = key_of(in, *text_in(*words, 0), *text_in(*words, 1));
  if (!of_version) {
    condition.value = text_of((*words)[3]);
    return condition;
  }
  condition.version = count_in((*words)[3]);
  if (!condition.version) in.refuse("a version in \"if\" must be a whole number from 0 on");
  return condition;
}

MapModel::Action MapModel::action_of(OperationReader& in, const Value& item) {
  const auto* words = std::get_if<Values>(&item);
  const std::string* what = words == nullptr ? nullptr : text_in(*words, 0);
  const bool put = what != nullptr && *what == "put";
  const bool other = what != nullptr && (*what == "get" || *what == "delete");
  const std::size_t size = put ? 4 : 3;
  if ((!put && !other) || words->size() != size || text_in(*words, 1) == nullptr ||
      text_in(*words, 2) == nullptr) {
    in.refuse(
        fmt::format("an action is {}, and must be [\"put\", table, key, value], [\"get\" or "
                    "\"delete\", table, key]",
                    value_text(item)));
    return {};
  }
  Action action{.key = key_of(in, *text_in(*words, 1), *text_in(*words, 2))};
  if (*what == "delete") action.kind = Kind::remove;
  if (!put) return action;
  action.kind = Kind::put;
  action.value = text_of((*words)[3]);
  if (action.value == 0) in.refuse("a value put is null; use \"delete\" for that");
  return action;
}

void MapModel::parse_tables(OperationReader& in, const Operation& operation, Request& request) {
  const bool make = in.is("make_table");
  const bool rename = in.is("rename_table");
  const bool drop = in.is("drop_table");
  if (in.is("tables")) {
    request.kind = Kind::tables;
    request.more = std::make_unique<More>();
    const Values* tables = in.list_result("tables");
    if (tables == nullptr) return;
    for (const Value& table : *tables) {
      const auto* name = std::get_if<std::string>(&table);
      if (name == nullptr) return in.refuse("\"tables\" must hold texts alone");
      request.more->tables.push_back(keys_.table(*name).value_or(UINT32_MAX));
    }
  }
  if (!make && !rename && !drop) return;
  request.kind = make ? Kind::make_table : rename ? Kind::rename_table : Kind::drop_table;
  (void)in.text("table");
  if (rename) {
    (void)in.text("to");
    request.other_table = table_of(in, operation.text("to"));
  }
  request.done = in.flag_result(make ? "made" : rename ? "renamed" : "dropped");
  if (request.no_table) in.refuse("\"no_table\" is of operations on keys");
}

MapModel::Key MapModel::key_of(OperationReader& in, std::string_view table, std::string_view key) {
  const std::optional<std::uint32_t> of = keys_.table(table);
  const std::optional<Key> number = of ? keys_.key(*of, key) : std::nullopt;
  if (!number) in.refuse(fmt::format("key {} was not in the history that was surveyed", key));
  return number.value_or(0);
}

std::uint32_t MapModel::table_of(OperationReader& in, std::string_view name) {
  const std::optional<std::uint32_t> number = keys_.table(name);
  if (!number) in.refuse(fmt::format("table {} was not in the history that was surveyed", name));
  return number.value_or(0);
}

MapModel::Text MapModel::text_of(const Value& value) {
  std::string text = value_text(value);
  if (const auto known = text_numbers_.find(text); known != text_numbers_.end())
    return known->second;
  const auto number = static_cast<Text>(texts_.size());
  texts_.push_back(text);
  text_numbers_.emplace(std::move(text), number);
  return number;
}

}  // namespace tubing::sim
