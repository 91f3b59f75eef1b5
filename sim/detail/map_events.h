// MapEvents: what a watch is shown of an operation on a map.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tubing/sim/judges/operation_reader.h"

namespace tubing::sim::detail {

struct MapEvent {
  std::string table;
  std::string key;
  std::string value;  ///< As JSON; null where the key was deleted.
  bool sure = true;   ///< False for a delete that may have found nothing.

  bool is_same(const MapEvent& other) const {
    return table == other.table && key == other.key && value == other.value;
  }
};

/// One for each key, by table and key: what became of it.
using MapEvents = std::vector<MapEvent>;

/// What an operation may have done.
struct MapEffect {
  MapEvents events = {};
  bool anything = false;  ///< Of tables that it dropped or renamed.
};

/// Each way in which the operation may have taken effect with at least one event; of one that ended
/// ok at most one. Empty for operations that are none of the map's.
/// Errors: invalid_argument, as MapModel has them.
Result<std::vector<MapEffect>> effects_of(const Operation& operation);

/// Reads [["put", table, key, value], ["delete", table, key], …].
Result<MapEvents> read_events(OperationReader& in, const Values& list);

}  // namespace tubing::sim::detail
