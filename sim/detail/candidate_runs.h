// CandidateRuns: runs with other schedules, workloads and seeds, several at a time, of which the
// first in order counts that fails as it should.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tubing/sim/detail/seed_worker.h"

namespace tubing::sim::detail {

struct Candidate {
  std::uint64_t seed = 0;
  ScenarioOptions scenario = {};
};

/// Requires: as SeedWorkers.
class CandidateRuns {
 public:
  struct Options {
    std::string failure;  ///< The class that counts.
    bool check = false;
    std::uint32_t jobs = 1;
    std::uint64_t runs_max = 0;
  };

  CandidateRuns(const Scenario& scenario, Options options);

  /// The first that fails in this class; a candidate that the scenario refuses does not. None is
  /// run twice, and none behind `runs_max`.
  std::optional<std::size_t> first_failing(const std::vector<Candidate>& candidates);

  /// What was run, and counted: not what was begun beside a run that failed before it.
  std::uint64_t runs() const { return runs_; }
  bool gave_up() const { return gave_up_; }
  const std::optional<Error>& error() const { return error_; }

 private:
  struct Batch;
  bool begin(Batch& batch, std::size_t place);
  void take(Batch& batch);

  const Scenario& scenario_;
  const Options options_;
  SeedWorkers workers_;
  std::map<std::string, bool> known_;  ///< By the hash of what was run: whether it failed.
  std::uint64_t runs_ = 0;
  std::uint64_t places_ = 0;  ///< Given to tasks; those of a batch lie behind all before it.
  bool gave_up_ = false;
  std::optional<Error> error_;
};

}  // namespace tubing::sim::detail
