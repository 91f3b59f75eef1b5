// The judges of tubesim check that go by more than the times of operations.
#pragma once

#include <string>
#include <vector>

#include "tubing/sim/judges/ruling.h"

namespace tubing::cli {

/// "witness", "watches", "leases", "sessions".
std::vector<std::string> ruling_judges();

/// Requires: `judge` is one of ruling_judges(); `model`, for the witness, one that check knows.
Result<sim::Ruling> rule(const std::string& judge, const std::string& model,
                         const sim::History& history);

/// What is printed; with `json` one object.
std::string ruling_report(const sim::Ruling& ruling, const std::string& judge,
                          const sim::History& history, bool json);

}  // namespace tubing::cli
