// RunTexts: the files that tubesim run reads and writes: schedules, workloads, histories.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

#include "tubing/sim/scenarios/scenario.h"

namespace tubing::cli {

/// Writes a file. Errors: invalid_argument, with advice.
Result<> write_text(const std::string& path, std::string_view content);
/// A path as a shell reads it back.
std::string quoted(const std::string& path);

class RunTexts {
 public:
  /// Adds its options to `run`, which outlives it.
  explicit RunTexts(CLI::App& run);
  RunTexts(const RunTexts&) = delete;
  RunTexts& operator=(const RunTexts&) = delete;

  /// Errors: invalid_argument, with advice: what the scenario does not know, what is that of one
  /// seed and there are several.
  Result<> check(const sim::Scenario& scenario, bool one_seed) const;
  /// Reads what is given into `options`. Errors: invalid_argument, with file and line.
  Result<> load(const sim::Scenario& scenario, sim::ScenarioOptions& options) const;
  /// Writes what was asked for. Errors: invalid_argument, with advice.
  Result<> keep(const sim::Outcome& outcome) const;

  bool gives_schedule() const { return !schedule_.empty(); }
  /// What the command that repeats a seed has to say of them; begins with a blank.
  std::string repeat() const;

 private:
  std::string schedule_;
  std::string kept_schedule_;
  std::string workload_;
  std::string kept_workload_;
  std::string history_;
};

}  // namespace tubing::cli
