#include "tests/sim/register_zones.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace tubing::sim {
namespace {

/// All operations of one value of one key.
struct Zone {
  std::string value;
  std::int64_t written = Operation::kNever;  ///< When its write was called.
  std::int64_t first_return = Operation::kNever;
  std::int64_t last_call = INT64_MIN;
  bool read = false;

  void add(const Operation& operation) {
    first_return = std::min(first_return, operation.returned);
    last_call = std::max(last_call, operation.called);
  }
  /// Its value was there from the first return to the last call, and nothing else.
  bool forward() const { return first_return < last_call; }
  std::int64_t begin() const { return std::min(first_return, last_call); }
  std::int64_t end() const { return std::max(first_return, last_call); }
};

std::string crossed(const Zone& a, const Zone& b) {
  if (!a.forward()) return {};
  const bool overlap = b.forward() && a.begin() < b.end() && b.begin() < a.end();
  const bool within = !b.forward() && a.begin() < b.begin() && b.end() < a.end();
  if (!overlap && !within) return {};
  return fmt::format("value {} was there from {} ns to {} ns, and {} between", a.value, a.begin(),
                     a.end(), b.value);
}

std::string judge(const std::map<std::string, Zone>& zones) {
  for (const auto& [value, zone] : zones) {
    if (zone.read && zone.written == Operation::kNever)
      return fmt::format("value {} was read and never written", value);
    if (zone.first_return < zone.written)
      return fmt::format("value {} was read before it was written", value);
    for (const auto& [other, against] : zones)
      if (&against != &zone)
        if (std::string what = crossed(zone, against); !what.empty()) return what;
  }
  return {};
}

}  // namespace

std::string find_crossed_zones(const History& history) {
  std::map<std::string, std::map<std::string, Zone>> keys;
  for (const Operation& operation : history) {
    const bool writes = operation.op == "write";
    if (operation.ending == Ending::failed) continue;
    if (!writes && operation.ending == Ending::unknown) continue;
    std::map<std::string, Zone>& zones = keys[std::string(operation.text("key"))];
    // What was there at first is called "", and was written before all.
    zones.try_emplace("",
                      Zone{.value = "nothing", .written = INT64_MIN, .first_return = INT64_MIN});
    const std::string value(operation.text("value"));
    Zone& zone = zones.try_emplace(value, Zone{.value = value}).first->second;
    if (writes) zone.written = operation.called;
    zone.read |= !writes;
    zone.add(operation);
  }
  for (auto& [key, zones] : keys) {
    // What is of unknown end, and nobody read, may never have happened.
    std::erase_if(zones, [](const auto& zone) {
      return !zone.second.read && zone.second.first_return == Operation::kNever;
    });
    std::string what = judge(zones);
    if (!what.empty()) return fmt::format("key {}: {}", key, what);
  }
  return {};
}

}  // namespace tubing::sim
