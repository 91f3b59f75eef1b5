#include "tubing/sim/shrinker.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "tubing/sim/campaign.h"
#include "tubing/sim/detail/candidate_runs.h"
#include "tubing/sim/detail/line_reduction.h"
#include "tubing/sim/detail/span_text.h"
#include "tubing/sim/judges/history.h"

namespace tubing::sim {
namespace {

using detail::Candidate;
using detail::CandidateRuns;
using detail::Lines;

constexpr std::uint32_t kHostsTried = 8;

/// The workload with each operation at the time at which it began; those that never began are left
/// out. In the order of time.
Lines pinned(const Lines& workload, const History& history) {
  std::map<std::string, std::vector<std::int64_t>> called;  // By client, in its order.
  for (const Operation& operation : history)
    called[fmt::format("c{}", operation.client)].push_back(operation.called);
  std::map<std::string, std::size_t> begun;
  std::multimap<std::int64_t, std::string> lines;
  for (const std::string& line : workload) {
    std::vector<std::string_view> words = detail::words_of(line);
    const std::string client(words[0]);
    const std::vector<std::int64_t>& times = called[client];
    const std::size_t place = begun[client]++;
    if (place >= times.size()) continue;
    const std::string at = detail::span_text(Duration(times[place]));
    words[1] = at;
    std::string text;
    for (const std::string_view word : words)
      text += fmt::format("{}{}", text.empty() ? "" : " ", word);
    lines.emplace(times[place], std::move(text));
  }
  Lines sorted;
  for (auto& [at, line] : lines) sorted.push_back(std::move(line));
  return sorted;
}

class Shrinking {
 public:
  Shrinking(const Scenario& scenario, std::uint64_t seed, const ShrinkOptions& options,
            const std::function<void(const ShrinkProgress&)>& on_progress)
      : scenario_(scenario), seed_(seed), options_(options), on_progress_(on_progress) {}

  Result<Shrunk> run();

 private:
  Result<Outcome> first_run() const;
  Result<Outcome> run_apart(const ScenarioOptions& scenario) const;
  void pin(const Outcome& outcome);
  void reduce();
  void reduce_hosts();
  bool reduce_with_other_seeds();
  bool reduce_with_other_seeds(Lines& lines);
  bool fails(const ScenarioOptions& candidate);
  ScenarioOptions with(std::uint32_t hosts, const Lines& schedule, const Lines& workload) const;
  ScenarioOptions now() const { return with(hosts_, schedule_, workload_); }
  detail::LinesTrial trial_of(bool schedule);
  void change(Lines& lines, Lines changed);
  ShrinkProgress progress() const {
    return {.runs = runs_->runs(), .faults = schedule_.size(), .operations = workload_.size()};
  }

  const Scenario& scenario_;
  std::uint64_t seed_;  ///< Whose draws are used.
  const ShrinkOptions& options_;
  const std::function<void(const ShrinkProgress&)>& on_progress_;
  std::optional<CandidateRuns> runs_;
  std::uint32_t hosts_ = 0;
  Lines schedule_;
  Lines workload_;
  bool changed_ = false;
};

ScenarioOptions Shrinking::with(std::uint32_t hosts, const Lines& schedule,
                                const Lines& workload) const {
  ScenarioOptions scenario = options_.scenario;
  scenario.hosts = hosts;
  if (scenario_.knows("schedule") && scenario.faults) scenario.schedule = detail::text_of(schedule);
  if (scenario_.knows("workload")) scenario.workload = detail::text_of(workload);
  return scenario;
}

Result<Outcome> Shrinking::run_apart(const ScenarioOptions& scenario) const {
  CampaignOptions run{.seeds = {}, .check = options_.check, .scenario = scenario};
  run.scenario.history = scenario_.knows("history");
  return run_seed_apart(scenario_, seed_, run);
}

bool Shrinking::fails(const ScenarioOptions& candidate) {
  return runs_->first_failing({{.seed = seed_, .scenario = candidate}}).has_value();
}

void Shrinking::pin(const Outcome& outcome) {
  Result<History> history = read_history(outcome.history);
  if (!history || history->empty()) return;
  Lines lines = pinned(workload_, *history);
  if (fails(with(hosts_, schedule_, lines))) workload_ = std::move(lines);
}

void Shrinking::change(Lines& lines, Lines changed) {
  changed_ |= lines != changed;
  lines = std::move(changed);
}

detail::LinesTrial Shrinking::trial_of(bool schedule) {
  return [this, schedule](const std::vector<Lines>& candidates) {
    std::vector<Candidate> runs;
    runs.reserve(candidates.size());
    for (const Lines& lines : candidates)
      runs.push_back(
          {.seed = seed_,
           .scenario = with(hosts_, schedule ? lines : schedule_, schedule ? workload_ : lines)});
    const auto held = runs_->first_failing(runs);
    ShrinkProgress so_far = progress();
    (schedule ? so_far.faults : so_far.operations) = candidates[held.value_or(0)].size();
    if (on_progress_) on_progress_(so_far);
    return held;
  };
}

void Shrinking::reduce_hosts() {
  if (!scenario_.knows("hosts")) return;
  std::vector<Candidate> candidates;
  const std::uint32_t most = hosts_ == 0 ? kHostsTried : hosts_ - 1;
  for (std::uint32_t hosts = 2; hosts <= most; ++hosts)
    candidates.push_back({.seed = seed_, .scenario = with(hosts, schedule_, workload_)});
  const auto held = runs_->first_failing(candidates);
  if (!held) return;
  hosts_ = candidates[*held].scenario.hosts;
  changed_ = true;
}

// Smaller and smaller parts are left out, each with each seed.
bool Shrinking::reduce_with_other_seeds(Lines& lines) {
  const Lines all = lines;
  for (std::size_t parts = 1; parts < 2 * all.size(); parts *= 2) {
    const std::size_t count = std::min(parts, all.size());
    std::vector<Candidate> candidates;
    for (std::uint64_t seed = 1; seed <= options_.other_seeds; ++seed)
      for (std::size_t part = 0; part < count; ++part) {
        lines = detail::without_part(all, part, count);
        candidates.push_back({.seed = seed, .scenario = now()});
      }
    const auto held = runs_->first_failing(candidates);
    if (held) {
      seed_ = candidates[*held].seed;
      lines = detail::without_part(all, *held % count, count);
      return true;
    }
    lines = all;
  }
  return false;
}

bool Shrinking::reduce_with_other_seeds() {
  return reduce_with_other_seeds(workload_) || reduce_with_other_seeds(schedule_);
}

void Shrinking::reduce() {
  const detail::LinesTrial of_schedule = trial_of(true);
  const detail::LinesTrial of_workload = trial_of(false);
  do {
    changed_ = false;
    change(schedule_, detail::minimize(schedule_, of_schedule));
    change(workload_, detail::minimize(workload_, of_workload));
    reduce_hosts();
    change(schedule_, detail::simplify(schedule_, of_schedule, detail::simpler_faults));
    change(workload_, detail::simplify(workload_, of_workload, detail::simpler_operations));
  } while ((changed_ || reduce_with_other_seeds()) && !runs_->gave_up() && !runs_->error());
}

Result<Outcome> Shrinking::first_run() const {
  if (!scenario_.knows("schedule") && !scenario_.knows("workload"))
    return Error(Code::invalid_argument, "shrink",
                 fmt::format("the scenario {} takes neither a schedule nor a workload, so there is "
                             "nothing to leave out",
                             scenario_.name));
  Result<Outcome> outcome = run_apart(options_.scenario);
  if (outcome && outcome->violation.empty())
    return Error(Code::failed_precondition, "shrink",
                 fmt::format("seed {} does not fail; there is nothing to shrink", seed_));
  return outcome;
}

Result<Shrunk> Shrinking::run() {
  Result<Outcome> first = first_run();
  if (!first) return std::move(first).error();
  Shrunk shrunk{.seed = seed_, .failure = first->failure};
  runs_.emplace(scenario_, CandidateRuns::Options{.failure = first->failure,
                                                  .check = options_.check,
                                                  .jobs = options_.jobs,
                                                  .runs_max = options_.runs_max});
  hosts_ = options_.scenario.hosts;
  schedule_ = detail::lines_of(first->schedule);
  workload_ = detail::lines_of(first->workload);
  shrunk.before = progress();
  if (!fails(now()) && !runs_->error())
    return Error(Code::failed_precondition, "shrink",
                 fmt::format("seed {} does not fail in the same way with the schedule and workload "
                             "that it had; run it with --check",
                             seed_));
  pin(*first);
  reduce();
  if (runs_->error()) return *runs_->error();
  shrunk.after = progress();
  shrunk.repeat_seed = seed_;
  shrunk.complete = !runs_->gave_up();
  shrunk.scenario = now();
  Result<Outcome> last = run_apart(shrunk.scenario);
  if (!last) return std::move(last).error();
  shrunk.outcome = *std::move(last);
  return shrunk;
}

}  // namespace

Result<Shrunk> shrink(const Scenario& scenario, std::uint64_t seed, const ShrinkOptions& options,
                      const std::function<void(const ShrinkProgress&)>& on_progress) {
  return Shrinking(scenario, seed, options, on_progress).run();
}

}  // namespace tubing::sim
