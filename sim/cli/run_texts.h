// RunTexts: the files that tubesim run reads and writes: schedules, workloads, histories, a trace.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "tubing/sim/cli/output_file.h"
#include "tubing/sim/scenarios/scenario.h"
#include "tubing/sim/trace.h"

namespace tubing::cli {

/// An option, or with a bare name an argument, that names a file; an empty name is refused.
CLI::Option& add_file_option(CLI::App& command, const char* name, std::string& path,
                             const char* what);
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
  /// Opens what will be written, before anything runs. Errors: invalid_argument, with advice: one
  /// cannot be written, or is also another that is named.
  Result<> open();
  /// None where none was asked for. Requires: open() before. Errors: failed_precondition.
  Result<std::optional<sim::TraceFile>> trace();
  /// Writes what was asked for. Requires: open() before. Errors: invalid_argument, with advice.
  Result<> keep(const sim::Outcome& outcome);

  bool gives_schedule() const { return !schedule_.empty(); }
  bool wants_trace() const { return !trace_.path.empty(); }
  /// What the command that repeats a seed has to say of them; begins with a blank.
  std::string repeat() const;

 private:
  struct Output {
    std::string path;
    std::optional<OutputFile> file = std::nullopt;  ///< From open() on.
  };

  std::string schedule_;
  std::string workload_;
  Output kept_schedule_;
  Output kept_workload_;
  Output history_;
  Output trace_;
};

}  // namespace tubing::cli
