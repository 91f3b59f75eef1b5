#include "tubing/sim/judges/map_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "tubing/channel/base/assert.h"

namespace tubing::sim {

static_assert(Model<MapModel>);

void MapModel::survey(const History& history) {
  *this = MapModel();
  keys_.survey(history);
}

Result<MapModel::Step> MapModel::read(const Operation& operation) {
  std::string text = operation.op;
  text += operation.ending == Ending::ok ? '+' : '?';
  for (const auto& [name, value] : operation.values) {
    text += name;
    text += ' ';
    text += value_text(value);
  }
  if (const auto known = numbers_.find(text); known != numbers_.end()) return Step{known->second};
  Result<Request> request = parse(operation);
  if (!request) return request.error();
  requests_.push_back(*std::move(request));
  const auto number = static_cast<std::uint32_t>(requests_.size() - 1);
  numbers_.emplace(std::move(text), number);
  return Step{number};
}

bool MapModel::apply(State& state, const Step& step) {
  const Request& request = requests_[step.number];
  if (request.no_table) return misses_table(state, request);
  const bool of_tables = request.kind >= Kind::make_table;
  if (!of_tables && misses_table(state, request)) return !request.known;
  switch (request.kind) {
    case Kind::range: return apply_range(state, request);
    case Kind::txn: return apply_transaction(state, request);
    case Kind::make_table:
    case Kind::rename_table:
    case Kind::drop_table: return apply_to_tables(state, request);
    case Kind::tables: return apply_tables(state, request);
    default: return apply_single(state, request);
  }
}

bool MapModel::reads(const Step& step) const {
  const Request& request = requests_[step.number];
  switch (request.kind) {
    case Kind::get:
    case Kind::range:
    case Kind::tables: return true;
    case Kind::put: return request.no_table;
    case Kind::txn: {
      const auto gets = [](const std::vector<Action>& actions) {
        return std::ranges::all_of(actions, [](const Action& a) { return a.kind == Kind::get; });
      };
      const More& more = *request.more;
      if (request.no_table) return true;
      if (!request.done) return gets(more.then) && gets(more.otherwise);
      return gets(*request.done ? more.then : more.otherwise);
    }
    default: return request.no_table || (request.done && !*request.done);
  }
}

bool MapModel::changes_nothing(const Step& step) const {
  const Request& request = requests_[step.number];
  if (!reads(step)) return false;
  if (!keys_.has_versions() || !request.known || request.no_table) return true;
  return request.kind != Kind::txn && !(request.kind == Kind::get && request.version);
}

bool MapModel::settles(const Step& step) const {
  const Request& request = requests_[step.number];
  if (!request.known || keys_.has_tables() || !keys_.is_alone(request.condition.key)) return false;
  switch (request.kind) {
    case Kind::put:
    case Kind::get: return !keys_.has_versions() || (request.version && *request.version != 0);
    case Kind::remove: return !keys_.has_versions();
    case Kind::cas: return *request.done && (!keys_.has_versions() || request.version);
    default: return false;
  }
}

std::string MapModel::told(const State& state) const {
  constexpr int kShown = 8;
  std::string text;
  int shown = 0;
  nodes_.ascend(state.keys, 0, [&](Key key, const Entry& entry) {
    if (entry.value == 0) return true;
    if (shown++ == kShown) {
      text += ", …";
      return false;
    }
    const std::string& table = keys_.table_name(keys_.table_of_key(key));
    text += fmt::format("{}{}{}{} = {}", text.empty() ? "" : ", ", table, table.empty() ? "" : "/",
                        keys_.key_name(key), texts_[entry.value]);
    if (keys_.has_versions() && entry.exact) text += fmt::format(" (version {})", entry.version);
    return true;
  });
  return text.empty() ? "nothing" : text;
}

MapModel::Entry MapModel::entry(const State& state, Key key) const {
  return nodes_.find(state.keys, key).value_or(Entry());
}

/// An absent key is kept for its version alone.
void MapModel::set(State& state, Key key, const Entry& entry) {
  const bool forgotten = entry.value == 0 && !keys_.has_versions();
  state.keys = forgotten ? nodes_.without(state.keys, key) : nodes_.with(state.keys, key, entry);
}

bool MapModel::has_table(const State& state, std::uint32_t table) const {
  return !keys_.has_tables() || keys_.table_name(table).empty() ||
         nodes_.find(state.tables, table).has_value();
}

bool MapModel::misses_table(const State& state, const Request& request) const {
  if (request.kind != Kind::txn) return !has_table(state, request.table);
  const auto missing = [&](const auto& of) {
    return !has_table(state, keys_.table_of_key(of.key));
  };
  const More& more = *request.more;
  return std::ranges::any_of(more.conditions, missing) || std::ranges::any_of(more.then, missing) ||
         std::ranges::any_of(more.otherwise, missing);
}

bool MapModel::apply_single(State& state, const Request& request) {
  switch (request.kind) {
    case Kind::put: return apply_put(state, request.condition.key, request.value, request.version);
    case Kind::get: return apply_get(state, request);
    case Kind::remove: return apply_remove(state, request);
    default: return apply_cas(state, request);
  }
}

bool MapModel::apply_put(State& state, Key key, Text value,
                         const std::optional<std::uint64_t>& version) {
  if (!keys_.has_versions()) {
    set(state, key, {.value = value});
    return true;
  }
  const std::uint64_t least = entry(state, key).version + 1;
  if (version && *version < least) return false;
  set(state, key, {value, version.has_value(), version.value_or(least)});
  return true;
}

bool MapModel::apply_get(State& state, const Request& request) {
  if (!request.known) return true;
  if (entry(state, request.condition.key).value != request.value) return false;
  return !request.version || see_version(state, request.condition.key, *request.version);
}

bool MapModel::see_version(State& state, Key key, std::uint64_t version) {
  const Entry now = entry(state, key);
  if (now.value == 0 || version == 0) return now.value == 0 && version == 0;
  if (now.exact ? version != now.version : version < now.version) return false;
  set(state, key, {now.value, true, version});
  return true;
}

bool MapModel::apply_remove(State& state, const Request& request) {
  const bool found = entry(state, request.condition.key).value != 0;
  if (request.done && *request.done != found) return false;
  return !found || apply_put(state, request.condition.key, 0, request.version);
}

bool MapModel::apply_cas(State& state, const Request& request) {
  const Condition& condition = request.condition;
  if (request.known && !*request.done) return !must_hold(state, condition);
  if (!may_hold(state, condition)) return !request.known;
  assume(state, condition);
  const bool is_absent = entry(state, condition.key).value == 0;
  if (request.value == 0 && is_absent) return true;
  return apply_put(state, condition.key, request.value, request.version);
}

bool MapModel::may_hold(const State& state, const Condition& condition) const {
  const Entry now = entry(state, condition.key);
  if (!condition.version) return now.value == condition.value;
  if (*condition.version == 0 || now.value == 0) return *condition.version == 0 && now.value == 0;
  return now.exact ? now.version == *condition.version : now.version <= *condition.version;
}

bool MapModel::must_hold(const State& state, const Condition& condition) const {
  const Entry now = entry(state, condition.key);
  return may_hold(state, condition) && (!condition.version || now.value == 0 || now.exact);
}

void MapModel::assume(State& state, const Condition& condition) {
  if (condition.version) (void)see_version(state, condition.key, *condition.version);
}

bool MapModel::apply_range(const State& state, const Request& request) const {
  if (!request.known) return true;
  const More& more = *request.more;
  std::size_t row = 0;
  bool equal = true;
  const auto visit = [&](Key key, const Entry& entry) {
    if (more.reverse ? key < more.from : key >= more.to) return false;
    if (entry.value == 0) return true;
    if (row == more.limit) return false;
    equal = row < more.rows.size() && more.rows[row] == std::pair(key, entry.value);
    ++row;
    return equal;
  };
  more.reverse ? nodes_.descend(state.keys, more.to, visit)
               : nodes_.ascend(state.keys, more.from, visit);
  return equal && row == more.rows.size();
}

bool MapModel::apply_transaction(State& state, const Request& request) {
  const More& more = *request.more;
  const auto may = [&](const Condition& condition) { return may_hold(state, condition); };
  const auto must = [&](const Condition& condition) { return must_hold(state, condition); };
  const bool held = request.done.value_or(std::ranges::all_of(more.conditions, may));
  if (held && !std::ranges::all_of(more.conditions, may)) return false;
  if (request.done && !held && std::ranges::all_of(more.conditions, must)) return false;
  if (held)
    for (const Condition& condition : more.conditions) assume(state, condition);
  return apply_actions(state, held ? more.then : more.otherwise, more, request.known);
}

bool MapModel::apply_actions(State& state, const std::vector<Action>& actions, const More& more,
                             bool known) {
  std::size_t got = 0;
  for (const Action& action : actions) {
    const Text now = entry(state, action.key).value;
    if (action.kind == Kind::get) {
      if (!known || !more.got) continue;
      if (got == more.got->size() || (*more.got)[got] != now) return false;
      ++got;
    } else if (action.kind == Kind::put || now != 0) {
      (void)apply_put(state, action.key, action.value, std::nullopt);
    }
  }
  return !known || !more.got || got == more.got->size();
}

bool MapModel::apply_to_tables(State& state, const Request& request) {
  const bool there = has_table(state, request.table);
  bool can = request.kind == Kind::make_table ? !there : there;
  if (request.kind == Kind::rename_table) can = can && !has_table(state, request.other_table);
  if (keys_.table_name(request.table).empty()) can = false;
  if (request.known && *request.done != can) return false;
  if (!can) return true;
  if (request.kind == Kind::make_table) {
    state.tables = nodes_.with(state.tables, request.table, {.value = 1});
    return true;
  }
  const bool renamed = request.kind == Kind::rename_table;
  move_keys(state, request.table, renamed ? &request.other_table : nullptr);
  state.tables = nodes_.without(state.tables, request.table);
  if (renamed) state.tables = nodes_.with(state.tables, request.other_table, {.value = 1});
  return true;
}

/// Null: nowhere.
void MapModel::move_keys(State& state, std::uint32_t from, const std::uint32_t* to) {
  std::vector<std::pair<Key, Entry>> moved;
  nodes_.ascend(state.keys, keys_.first_of(from), [&](Key key, const Entry& entry) {
    if (key >= keys_.end_of(from)) return false;
    moved.emplace_back(key, entry);
    return true;
  });
  for (const auto& [key, entry] : moved) {
    state.keys = nodes_.without(state.keys, key);
    if (to == nullptr) continue;
    const std::optional<Key> there = keys_.key(*to, keys_.key_name(key));
    TUBING_ASSERT(there.has_value());
    state.keys = nodes_.with(state.keys, *there, entry);
  }
}

bool MapModel::apply_tables(const State& state, const Request& request) const {
  if (!request.known) return true;
  std::vector<std::uint32_t> tables;
  nodes_.ascend(state.tables, 0, [&](std::uint32_t table, const Entry&) {
    tables.push_back(table);
    return true;
  });
  return tables == request.more->tables;
}

}  // namespace tubing::sim
