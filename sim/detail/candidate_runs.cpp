#include "tubing/sim/detail/candidate_runs.h"

#include <fmt/format.h>

#include <algorithm>

#include "tubing/sim/running_hash.h"

namespace tubing::sim::detail {
namespace {

std::string key_of(const Candidate& candidate) {
  const ScenarioOptions& options = candidate.scenario;
  RunningHash hash;
  hash.add(candidate.seed);
  hash.add(options.hosts);
  hash.add(std::string_view(options.schedule.value_or("-")));
  hash.add(std::string_view(options.workload.value_or("-")));
  return hash.text();
}

}  // namespace

/// Candidates that are tried together.
struct CandidateRuns::Batch {
  const std::vector<Candidate>& candidates;
  std::vector<std::string> keys = {};
  std::vector<std::optional<bool>> failed = {};
  std::vector<bool> ran = {};  ///< Here, and not before.
  std::uint64_t base = 0;
  std::size_t end = 0;  ///< No further than this: one there failed, or runs are at their end.
  std::size_t waiting = 0;

  bool decided() const {
    return std::all_of(failed.begin(), failed.begin() + static_cast<std::ptrdiff_t>(end),
                       [](const auto& known) { return known.has_value(); });
  }
  void set(std::size_t place, bool fails) {
    failed[place] = fails;
    if (fails) end = std::min(end, place);
  }
};

CandidateRuns::CandidateRuns(const Scenario& scenario, Options options)
    : scenario_(scenario),
      options_(std::move(options)),
      workers_(
          [this](const SeedTask& task, const ScenarioSinks& sinks) {
            const CampaignOptions run{
                .seeds = {}, .check = options_.check, .scenario = task.scenario};
            return run_seed(scenario_, task.seed, run, sinks);
          },
          options_.jobs) {}

bool CandidateRuns::begin(Batch& batch, std::size_t place) {
  const Candidate& candidate = batch.candidates[place];
  Result<> began = workers_.begin(
      {.place = batch.base + place, .seed = candidate.seed, .scenario = candidate.scenario});
  if (!began) error_ = std::move(began).error();
  return !error_;
}

void CandidateRuns::take(Batch& batch) {
  const SeedWorkers::Done done = workers_.wait();
  // One of a batch before, beside a run that failed ahead of it.
  if (done.task.place < batch.base) return;
  batch.set(done.task.place - batch.base, done.outcome.failure == options_.failure);
}

std::optional<std::size_t> CandidateRuns::first_failing(const std::vector<Candidate>& candidates) {
  Batch batch{.candidates = candidates, .base = places_, .end = candidates.size()};
  places_ += candidates.size();
  batch.failed.resize(candidates.size());
  batch.ran.resize(candidates.size());
  for (const Candidate& candidate : candidates) batch.keys.push_back(key_of(candidate));
  std::uint64_t left = options_.runs_max - runs_;
  for (std::size_t place = 0; place < batch.end && !error_; ++place) {
    if (const auto known = known_.find(batch.keys[place]); known != known_.end()) {
      batch.set(place, known->second);
      continue;
    }
    if (!scenario_.check(candidates[place].scenario)) {
      batch.set(place, false);
      continue;
    }
    if (left == 0) {
      gave_up_ = true;
      batch.end = place;
      break;
    }
    --left;
    while (!workers_.has_idle()) take(batch);
    if (place >= batch.end) break;
    batch.ran[place] = true;
    if (!begin(batch, place)) return std::nullopt;
  }
  while (!batch.decided()) take(batch);
  const bool found = batch.end < candidates.size() && batch.failed[batch.end] == true;
  for (std::size_t place = 0; place < batch.end + (found ? 1 : 0); ++place) {
    runs_ += batch.ran[place] ? 1 : 0;
    known_[batch.keys[place]] = *batch.failed[place];
  }
  return found ? std::optional(batch.end) : std::nullopt;
}

}  // namespace tubing::sim::detail
