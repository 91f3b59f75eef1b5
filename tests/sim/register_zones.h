// Zones: decides histories of registers to which every value is written once.
#pragma once

#include <string>

#include "tubing/sim/judges/history.h"

namespace tubing::sim {

/// Whether `read key` and `write key value` of these operations can be explained by one order.
/// Requires: of each key, no value is written twice.
/// Returns: what cannot; empty where all can.
/// Source: Gibbons and Korach, "Testing shared memories", 1997, §4: all that concerns one value
/// makes up a zone of time, and zones may not cross.
std::string find_crossed_zones(const History& history);

}  // namespace tubing::sim
