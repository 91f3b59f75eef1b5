// The scenario `files`: random programs of file operations, with crashes and every fault of a disk.
#pragma once

#include <cstdint>
#include <string>

#include "tubing/sim/disk_conditions.h"
#include "tubing/sim/scenarios/scenario.h"

namespace tubing::sim {

/// What runs did; a campaign sums these up, so that nothing is silently never tried.
struct FilesCounts {
  std::uint64_t steps = 0;         ///< Operations of the programs.
  std::uint64_t acknowledged = 0;  ///< Of these, what ended with ok.
  std::uint64_t refused = 0;       ///< What a fault of the disk ended; its outcome may be open.
  std::uint64_t poisoned = 0;      ///< Files that a failed sync poisoned.
  std::uint64_t lives = 0;         ///< Processes.
  std::uint64_t stops = 0;         ///< How they ended: by themselves; likewise below.
  std::uint64_t crashes = 0;
  std::uint64_t power_losses = 0;
  std::uint64_t wipes = 0;
  std::uint64_t files_found = 0;  ///< After an end, and compared.
  std::uint64_t sectors_checked = 0;
  std::uint64_t events = 0;  ///< That went into the hash.
  Duration simulated{};
  DiskCounts disk;

  FilesCounts& operator+=(const FilesCounts& other);
};

/// One run: several processes live on one disk one after the other, each with some strands, each
/// with a folder of its own, until it ends, crashes, or the power goes. What each operation says,
/// and what is found after each end, is held against a DiskModel. Faults and their rates are drawn.
/// Returns: what did not hold; empty for nothing. `counts` grows by what was done; `hash`, where it
/// is given, becomes the run's; `trace` is shown every event.
std::string run_files(std::uint64_t seed, FilesCounts& counts, std::string* hash = nullptr,
                      TraceSink* trace = nullptr);

/// The same for the table of scenarios. Operations are what the programs asked of the disk.
Outcome run_files_scenario(std::uint64_t seed, const ScenarioOptions& options,
                           const ScenarioSinks& sinks);
std::vector<std::string> files_faults(const ScenarioOptions& options);

}  // namespace tubing::sim
