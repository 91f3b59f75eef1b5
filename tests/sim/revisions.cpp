#include "tests/sim/revisions.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace tubing::sim {
namespace {

constexpr std::string_view kRevision = "at";

std::int64_t drawn(Prng& prng, std::uint64_t below) {
  return static_cast<std::int64_t>(prng.below(below));
}

/// Written for the tests, and unlike MapModel: texts, one map for each table, exact versions.
class MapObject final : public AtomicObject {
 public:
  MapObject(MapWords words, bool versions) : words_(words), versions_(versions) {}

  void ask(Operation& operation, Prng& prng, const HistoryPlan& plan) override {
    const std::uint64_t kind = prng.below(words_ == MapWords::keys     ? 8
                                          : words_ == MapWords::ranges ? 11
                                                                       : 15);
    static constexpr std::array<std::string_view, 15> kNames{
        "put", "put", "put",   "get",   "get",        "delete",       "cas",       "cas",
        "txn", "txn", "range", "range", "make_table", "rename_table", "drop_table"};
    operation.op = kNames[kind];
    if (kind == 14 && prng.chance(1, 2)) operation.op = "tables";
    auto& values = operation.values;
    if (operation.op == "tables") return;
    if (words_ == MapWords::tables && operation.op != "txn")
      values.push_back({"table", table(prng)});
    if (kind < 8) values.push_back({"key", key(prng, plan)});
    if (operation.op == "put") values.push_back({"value", value(prng, plan)});
    if (operation.op == "cas") ask_cas(operation, prng, plan);
    if (operation.op == "range") ask_range(operation, prng, plan);
    if (operation.op == "txn") ask_transaction(operation, prng, plan);
    if (operation.op == "rename_table") values.push_back({"to", table(prng)});
  }

  std::vector<NamedValue> act(const Operation& operation) override {
    const std::string name(operation.text("table"));
    if (operation.op == "make_table")
      return {{"made", !name.empty() && tables_.try_emplace(name).second}};
    if (operation.op == "drop_table")
      return {{"dropped", !name.empty() && tables_.erase(name) > 0}};
    if (operation.op == "rename_table") return {{"renamed", rename(name, operation.text("to"))}};
    if (operation.op == "tables") return {{"tables", names()}};
    if (operation.op == "txn") return act_transaction(operation);
    if (words_ == MapWords::tables && !tables_.contains(name)) return {{"no_table", true}};
    if (operation.op == "range") return {{"rows", rows(operation, tables_[name])}};
    return act_single(operation, tables_[name]);
  }

 private:
  struct Entry {
    Value value;
    std::int64_t version = 0;
  };
  using Table = std::map<std::string, Entry>;

  Value table(Prng& prng) const {
    return words_ == MapWords::tables ? "t" + std::to_string(prng.below(3)) : std::string();
  }
  Value key(Prng& prng, const HistoryPlan& plan) const {
    return "k" + std::to_string(prng.below(plan.keys));
  }
  Value value(Prng& prng, const HistoryPlan& plan) const { return drawn(prng, plan.values); }

  void ask_cas(Operation& operation, Prng& prng, const HistoryPlan& plan) const {
    if (versions_ && prng.chance(1, 2))
      operation.values.push_back({"if_version", drawn(prng, 6)});
    else
      operation.values.push_back({"from", prng.chance(1, 4) ? Value() : value(prng, plan)});
    operation.values.push_back({"to", prng.chance(1, 6) ? Value() : value(prng, plan)});
  }
  void ask_range(Operation& operation, Prng& prng, const HistoryPlan& plan) const {
    if (prng.chance(1, 2)) operation.values.push_back({"from", key(prng, plan)});
    if (prng.chance(1, 2)) operation.values.push_back({"to", key(prng, plan)});
    if (prng.chance(1, 3)) operation.values.push_back({"limit", 1 + drawn(prng, 3)});
    if (prng.chance(1, 2)) operation.values.push_back({"reverse", prng.chance(1, 2)});
  }
  void ask_transaction(Operation& operation, Prng& prng, const HistoryPlan& plan) const {
    Values conditions;
    if (prng.chance(2, 3))
      conditions.push_back(Values{table(prng), key(prng, plan), "value", value(prng, plan)});
    if (prng.chance(1, 3))
      conditions.push_back(Values{table(prng), key(prng, plan), "value", Value()});
    const auto actions = [&] {
      Values list;
      for (std::uint64_t i = prng.below(3); i > 0; --i) {
        const std::uint64_t kind = prng.below(3);
        if (kind == 0) list.push_back(Values{"get", table(prng), key(prng, plan)});
        if (kind == 1) list.push_back(Values{"delete", table(prng), key(prng, plan)});
        if (kind == 2)
          list.push_back(Values{"put", table(prng), key(prng, plan), value(prng, plan)});
      }
      return list;
    };
    operation.values.push_back({"if", std::move(conditions)});
    operation.values.push_back({"then", actions()});
    operation.values.push_back({"else", actions()});
  }

  static const std::string& text(const Value& list, std::size_t at) {
    return std::get<std::string>(std::get<Values>(list)[at]);
  }

  void change(Entry& entry, const Value& value) {
    if (entry.value == Value() && value == Value()) return;
    entry.value = value;
    ++entry.version;
  }
  std::vector<NamedValue> with_version(std::vector<NamedValue> results, const Entry& entry) const {
    if (versions_) results.push_back({"version", entry.value == Value() ? 0 : entry.version});
    return results;
  }

  std::vector<NamedValue> act_single(const Operation& operation, Table& table) {
    Entry& entry = table[std::string(operation.text("key"))];
    if (operation.op == "get") return with_version({{"value", entry.value}}, entry);
    if (operation.op == "put") {
      change(entry, *operation.find("value"));
      return with_version({}, entry);
    }
    if (operation.op == "delete") {
      const bool found = entry.value != Value();
      change(entry, Value());
      return {{"found", found}};
    }
    const Value* expected = operation.find("from");
    const bool swapped = expected != nullptr ? entry.value == *expected
                                             : Value(entry.value == Value() ? 0 : entry.version) ==
                                                   *operation.find("if_version");
    if (swapped) change(entry, *operation.find("to"));
    return {{"swapped", swapped}};
  }

  Values rows(const Operation& operation, const Table& table) const {
    std::vector<std::pair<std::string, Value>> seen;
    for (const auto& [key, entry] : table) {
      const bool low = operation.find("from") != nullptr && key < operation.text("from");
      const bool high = operation.find("to") != nullptr && key >= operation.text("to");
      if (!low && !high && entry.value != Value()) seen.emplace_back(key, entry.value);
    }
    if (const Value* reverse = operation.find("reverse"); reverse && *reverse == Value(true))
      std::ranges::reverse(seen);
    if (const Value* limit = operation.find("limit"))
      seen.resize(std::min(seen.size(), static_cast<std::size_t>(std::get<std::int64_t>(*limit))));
    Values rows;
    for (auto& [key, value] : seen) rows.push_back(Values{key, value});
    return rows;
  }

  std::vector<NamedValue> act_transaction(const Operation& operation) {
    for (const std::string_view part : {"if", "then", "else"})
      for (const Value& item : std::get<Values>(*operation.find(part)))
        if (words_ == MapWords::tables && !tables_.contains(text(item, part == "if" ? 0 : 1)))
          return {{"no_table", true}};
    bool held = true;
    for (const Value& item : std::get<Values>(*operation.find("if")))
      held &= tables_[text(item, 0)][text(item, 1)].value == std::get<Values>(item)[3];
    Values got;
    for (const Value& item : std::get<Values>(*operation.find(held ? "then" : "else"))) {
      Entry& entry = tables_[text(item, 1)][text(item, 2)];
      if (text(item, 0) == "get") got.push_back(entry.value);
      if (text(item, 0) == "put") change(entry, std::get<Values>(item)[3]);
      if (text(item, 0) == "delete") change(entry, Value());
    }
    return {{"held", held}, {"got", std::move(got)}};
  }

  bool rename(const std::string& from, std::string_view to) {
    if (!tables_.contains(from) || tables_.contains(std::string(to))) return false;
    auto moved = tables_.extract(from);
    moved.key() = to;
    tables_.insert(std::move(moved));
    return true;
  }
  Values names() const {
    Values names;
    for (const auto& [name, table] : tables_) names.push_back(name);
    return names;
  }

  const MapWords words_;
  const bool versions_;
  std::map<std::string, Table> tables_;
};

bool is_read(const Operation& operation) {
  return operation.op == "read" || operation.op == "get" || operation.op == "range" ||
         operation.op == "tables";
}

}  // namespace

std::vector<NamedValue> Revisioned::act(const Operation& operation) {
  std::vector<NamedValue> results = object_->act(operation);
  if (!is_read(operation)) revision_ += 1 + drawn(prng_, skipped_max_ + 1);
  results.push_back({std::string(kRevision), revision_});
  return results;
}

void settle_revisions(History& history) {
  for (Operation& operation : history) {
    const auto at = std::ranges::find(operation.values, kRevision, &NamedValue::name);
    if (at == operation.values.end()) continue;
    operation.revision = static_cast<std::uint64_t>(std::get<std::int64_t>(at->value));
    operation.values.erase(at);
  }
}

std::unique_ptr<AtomicObject> make_map_object(MapWords words, bool versions) {
  return std::make_unique<MapObject>(words, versions);
}

History draw_revisions(std::string_view model, const HistoryPlan& plan, Prng& prng,
                       std::uint64_t skipped_max) {
  Prng skips(prng.next());
  auto object = model == "map"          ? make_map_object(MapWords::keys, true)
                : model == "map ranges" ? make_map_object(MapWords::ranges, false)
                : model == "map tables" ? make_map_object(MapWords::tables, false)
                                        : atomic_object(model);
  Revisioned revisioned(std::move(object), skips, skipped_max);
  History history = draw_history(plan, revisioned, prng);
  settle_revisions(history);
  return history;
}

}  // namespace tubing::sim
