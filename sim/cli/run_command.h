// tubesim run: runs seeds of a scenario, and says what came of them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "tubing/sim/campaign.h"
#include "tubing/sim/cli/run_texts.h"

namespace tubing::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitViolation = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitInterrupted = 130;

/// Exit status: 0 where every seed passed, 1 where one did not or the campaign proves too little,
/// 2 for what cannot be done as it was asked for, or could not be written; 130 for a campaign that
/// was interrupted, which tells what was done until then.
class RunCommand {
 public:
  /// Requires: `app` outlives the command, which must stay where it is.
  explicit RunCommand(CLI::App& app);
  RunCommand(const RunCommand&) = delete;
  RunCommand& operator=(const RunCommand&) = delete;

  bool chosen() const { return run_->parsed(); }
  /// Requires: chosen().
  /// Returns: the exit status.
  int run();

 private:
  /// Holds what was chosen against what the scenario knows, and completes it.
  Result<> prepare();
  Result<> add_seeds(const std::string& range);
  Result<> check_options() const;
  int run_one();
  int run_many();
  /// Of a seed that fails. Returns: the exit status.
  int shrink_first(std::uint64_t seed);
  /// Returns: whether it could be written.
  bool tell(const sim::SeedOutcome& seed);
  std::string repeat(std::uint64_t seed) const;

  CLI::App* run_;
  RunTexts texts_;
  std::string name_;
  std::vector<std::string> ranges_;
  std::string mode_ = "message";
  bool no_faults_ = false;
  bool json_ = false;
  bool quiet_ = false;
  bool shrink_ = false;
  const sim::Scenario* scenario_ = nullptr;
  sim::CampaignOptions options_;
};

/// What `tubesim list` prints.
std::string list_text();

}  // namespace tubing::cli
