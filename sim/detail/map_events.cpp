#include "tubing/sim/detail/map_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace tubing::sim::detail {
namespace {

using ByKey = std::map<std::pair<std::string, std::string>, MapEvent>;

MapEvents in_order(ByKey by_key) {
  MapEvents events;
  for (auto& [key, event] : by_key) events.push_back(std::move(event));
  return events;
}

/// The last action on a key counts.
void add(OperationReader& in, const Values& list, bool sure, ByKey& events) {
  for (const Value& item : list) {
    const auto* words = std::get_if<Values>(&item);
    const auto text = [&](std::size_t at) {
      return words != nullptr && at < words->size() ? std::get_if<std::string>(&(*words)[at])
                                                    : nullptr;
    };
    const std::string* what = text(0);
    const bool put = what != nullptr && *what == "put" && words->size() == 4;
    const bool other =
        what != nullptr && (*what == "delete" || *what == "get") && words->size() == 3;
    if ((!put && !other) || text(1) == nullptr || text(2) == nullptr)
      return in.refuse(
          fmt::format("an event is {}, and must be [\"put\", table, key, value] or "
                      "[\"delete\", table, key]",
                      value_text(item)));
    if (*what == "get") continue;
    MapEvent event{*text(1), *text(2), put ? value_text((*words)[3]) : "null", put || sure};
    const auto place = std::pair(event.table, event.key);
    events.insert_or_assign(place, std::move(event));
  }
}

std::optional<MapEvents> single_event(OperationReader& in, const Operation& operation) {
  MapEvent event{std::string(operation.text("table")), in.text("key"), "null"};
  if (in.is("put")) {
    event.value = in.value("value");
  } else if (in.is("cas")) {
    event.value = in.value("to");
    if (in.has_results() && !in.flag("swapped")) return std::nullopt;
  } else {
    const bool told = in.has_results() && in.has("found");
    if (told && !in.flag("found")) return std::nullopt;
    event.sure = told || !in.has_results();
  }
  return MapEvents{std::move(event)};
}

void add_branches(OperationReader& in, std::vector<MapEffect>& effects) {
  const std::optional<bool> held = in.flag_result("held");
  for (const bool then : {true, false}) {
    if (held && *held != then) continue;
    ByKey events;
    add(in, in.list(then ? "then" : "else"), false, events);
    if (!events.empty()) effects.push_back({.events = in_order(std::move(events))});
  }
}

}  // namespace

Result<std::vector<MapEffect>> effects_of(const Operation& operation) {
  OperationReader in(operation);
  std::vector<MapEffect> effects;
  const bool no_table = in.has_results() && in.has("no_table") && in.flag("no_table");
  const bool single = in.is("put") || in.is("cas") || in.is("delete");
  const bool of_tables = in.is("rename_table") || in.is("drop_table");
  if (!single && !of_tables && !in.is("txn")) return effects;
  if (operation.ending == Ending::failed || no_table) return effects;
  if (single) {
    if (auto events = single_event(in, operation)) effects.push_back({.events = *events});
  } else if (of_tables) {
    effects.push_back({.anything = true});
  } else {
    add_branches(in, effects);
  }
  return in.finish(std::move(effects));
}

Result<MapEvents> read_events(OperationReader& in, const Values& list) {
  ByKey events;
  add(in, list, true, events);
  if (events.size() != list.size()) in.refuse("\"events\" must have one event for each key");
  return in.finish(in_order(std::move(events)));
}

}  // namespace tubing::sim::detail
