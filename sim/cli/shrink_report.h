// ShrinkReport: tubesim run --shrink: cuts a seed that fails down, tells its story, and writes what
// repeats it.
#pragma once

#include <string>

#include "tubing/sim/campaign.h"
#include "tubing/sim/shrinker.h"

namespace tubing::cli {

/// Shrinks the seed and writes "register-17-schedule.txt", "register-17-workload.txt" and
/// "register-17-history.jsonl" into the current folder, as far as the scenario has these.
/// Prints the story, or with `json` one object. On a terminal shows how far it is.
/// Errors: as sim::shrink; invalid_argument for a file that cannot be written.
Result<> shrink_and_tell(const sim::Scenario& scenario, std::uint64_t seed,
                         const sim::CampaignOptions& options, bool json);

/// What was left of what, the story, what did not hold, and `repeat`, the command.
std::string shrunk_text(const sim::Shrunk& shrunk, const std::string& repeat);

}  // namespace tubing::cli
