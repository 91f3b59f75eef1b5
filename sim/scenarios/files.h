// The scenario `files`: random programs of file operations, with crashes and every fault of a disk.
#pragma once

#include <cstdint>

#include "tubing/sim/scenarios/scenario.h"

namespace tubing::sim {

/// Its disk is worked on until all is healed: a schedule that goes on for longer is refused.
inline constexpr Duration kFilesScheduleMax = std::chrono::minutes(2);

/// What runs did; a campaign sums these up, so that nothing is silently never tried.
struct FilesCounts {
  std::uint64_t steps = 0;         ///< Operations of the programs.
  std::uint64_t acknowledged = 0;  ///< Of these, what ended with ok.
  std::uint64_t refused = 0;       ///< What a fault of the disk ended; its outcome may be open.
  std::uint64_t poisoned = 0;      ///< Files that a failed sync poisoned.
  std::uint64_t lives = 0;         ///< Of the process.
  std::uint64_t stops = 0;         ///< Of these, those that ended by themselves.
  std::uint64_t looks = 0;         ///< At what was left, by the next life or in the end.
  std::uint64_t files_found = 0;   ///< Then, and compared.
  std::uint64_t sectors_checked = 0;
};

/// One host, `n0`, whose process lives again and again on one disk, each time with some strands,
/// each with a folder of its own, until it ends by itself, is killed, or the power goes, with or
/// without the disk. What each operation says, and what the next life finds, is held against a
/// DiskModel. Operations are what was asked of the disk. `counts` grows by what was done.
Outcome run_files(std::uint64_t seed, const ScenarioOptions& options, const ScenarioSinks& sinks,
                  FilesCounts& counts);
Outcome run_files(std::uint64_t seed, const ScenarioOptions& options, const ScenarioSinks& sinks);

Result<> check_files(const ScenarioOptions& options);
std::vector<std::string> files_faults(const ScenarioOptions& options);

}  // namespace tubing::sim
