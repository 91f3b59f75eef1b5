#include "tubing/sim/campaign.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <mutex>

#include "tubing/sim/detail/seed_worker.h"
#include "tubing/sim/run_check.h"

namespace tubing::sim {
namespace {

/// Hands out seeds in their order.
class SeedQueue {
 public:
  explicit SeedQueue(const std::vector<SeedRange>& ranges) : ranges_(ranges) { skip_used(); }

  std::optional<std::uint64_t> take() {
    if (range_ == ranges_.size()) return std::nullopt;
    const std::uint64_t seed = ranges_[range_].first + taken_++;
    skip_used();
    return seed;
  }

 private:
  void skip_used() {
    while (range_ < ranges_.size() && taken_ == ranges_[range_].count()) {
      ++range_;
      taken_ = 0;
    }
  }

  const std::vector<SeedRange>& ranges_;
  std::size_t range_ = 0;
  std::uint64_t taken_ = 0;
};

/// Adds up what the seeds came to.
class Summary {
 public:
  void add(const SeedOutcome& seed);
  void stop() { report_.stopped = true; }
  CampaignReport take(const Scenario& scenario, const CampaignOptions& options) &&;

 private:
  void add_gates(const Scenario& scenario, const CampaignOptions& options);

  CampaignReport report_;
  std::vector<std::uint64_t> operations_;
  std::optional<std::uint64_t> idle_seed_;
};

void Summary::add(const SeedOutcome& seed) {
  const Outcome& outcome = seed.outcome;
  ++report_.seeds;
  operations_.push_back(outcome.operations);
  report_.operations += outcome.operations;
  report_.begun += outcome.begun;
  report_.known += outcome.known;
  report_.events += outcome.events;
  report_.simulated += outcome.simulated;
  for (const Tally& tally : outcome.faults) {
    const auto found = std::ranges::find(report_.faults, tally.name, &Tally::name);
    if (found == report_.faults.end()) {
      report_.faults.push_back(tally);
    } else {
      found->count += tally.count;
    }
  }
  if (!outcome.violation.empty()) {
    ++report_.violations_total;
    if (report_.violations.size() < CampaignReport::kViolationsMax)
      report_.violations.push_back(seed);
  } else if (outcome.operations == 0 && !idle_seed_) {
    idle_seed_ = seed.seed;
  }
}

void Summary::add_gates(const Scenario& scenario, const CampaignOptions& options) {
  if (idle_seed_)
    report_.closed_gates.push_back(fmt::format("seed {} did no operation at all", *idle_seed_));
  if (report_.begun > 0 && report_.known == 0)
    report_.closed_gates.emplace_back("no operation had an outcome that was known");
  if (report_.seeds < options.fault_gate_seeds) return;
  for (const std::string& name : scenario.faults(options.scenario)) {
    const auto found = std::ranges::find(report_.faults, name, &Tally::name);
    if (found == report_.faults.end() || found->count == 0)
      report_.closed_gates.push_back(fmt::format("the fault '{}' never took effect", name));
  }
}

CampaignReport Summary::take(const Scenario& scenario, const CampaignOptions& options) && {
  std::ranges::sort(operations_);
  if (!operations_.empty()) {
    report_.operations_median = operations_[operations_.size() / 2];
    report_.operations_p5 = operations_[operations_.size() / 20];
  }
  if (!report_.stopped) add_gates(scenario, options);
  return std::move(report_);
}

Outcome classified(Outcome outcome) {
  if (!outcome.violation.empty() && outcome.failure.empty())
    outcome.failure = failure_class(outcome.violation);
  return outcome;
}

Outcome run_twice(const Scenario& scenario, std::uint64_t seed, const CampaignOptions& options,
                  const ScenarioSinks& sinks) {
  std::array<Outcome, 2> outcomes;
  // Either may die first; they run side by side.
  std::once_flag told;
  const std::function<void(const Outcome&)> planned = [&](const Outcome& plan) {
    std::call_once(told, [&] { (*sinks.planned)(plan); });
  };
  const auto differ = run_check([&](std::size_t run, TraceSink& sink) {
    outcomes[run] = scenario.run(seed, options.scenario,
                                 {.trace = &sink, .planned = sinks.planned ? &planned : nullptr});
  });
  Outcome& outcome = outcomes[0];
  if (differ) {
    outcome.violation = differ->text();
    outcome.failure = "two runs differ";
  } else if (outcomes[0].hash != outcomes[1].hash ||
             outcomes[0].violation != outcomes[1].violation) {
    outcome.violation = fmt::format(
        "two runs of one seed had the same events, but not the same outcome: {} '{}' and {} '{}'",
        outcomes[0].hash, outcomes[0].violation, outcomes[1].hash, outcomes[1].violation);
    outcome.failure = "two runs differ";
  }
  return classified(std::move(outcome));
}

}  // namespace

Outcome run_seed(const Scenario& scenario, std::uint64_t seed, const CampaignOptions& options,
                 const ScenarioSinks& sinks) {
  if (options.check) return run_twice(scenario, seed, options, sinks);
  return classified(scenario.run(seed, options.scenario, sinks));
}

Result<Outcome> run_seed_apart(const Scenario& scenario, std::uint64_t seed,
                               const CampaignOptions& options, TraceFile* trace) {
  const auto run = [&](const detail::SeedTask& task, const ScenarioSinks& sinks) {
    Outcome outcome =
        run_seed(scenario, task.seed, options, {.trace = trace, .planned = sinks.planned});
    if (trace == nullptr) return outcome;
    // A trouble without a violation; where both are, the violation is what counts.
    if (Result<> closed = trace->close(); !closed)
      (outcome.violation.empty() ? outcome.failure : outcome.violation) += closed.error().detail();
    return outcome;
  };
  detail::SeedWorkers workers(run, 1);
  Result<> began = workers.begin({.seed = seed});
  if (!began) return std::move(began).error();
  Outcome outcome = workers.wait().outcome;
  if (outcome.violation.empty() && !outcome.failure.empty())
    return Error(Code::resource_exhausted, "trace", outcome.failure);
  return outcome;
}

Result<CampaignReport> run_campaign(const Scenario& scenario, const CampaignOptions& options,
                                    const std::function<bool(const SeedOutcome&)>& on_outcome) {
  SeedQueue queue(options.seeds);
  Summary summary;
  const auto run = [&](const detail::SeedTask& task, const ScenarioSinks& sinks) {
    return run_seed(scenario, task.seed, options, sinks);
  };
  detail::SeedWorkers workers(run, options.jobs);
  bool heard = true;  // Whoever is told wants to be told of more.
  const auto tell = [&](const SeedOutcome& seed) {
    summary.add(seed);
    heard = on_outcome(seed);
  };
  // What is done, and not yet told: an earlier seed is still under way.
  std::map<std::uint64_t, SeedOutcome> done;
  std::uint64_t asked = 0;
  std::uint64_t told = 0;
  for (;;) {
    while (workers.has_idle()) {
      const auto seed = queue.take();
      if (!seed) break;
      const Result<> began = workers.begin({.place = asked, .seed = *seed});
      if (!began) return began.error();
      ++asked;
    }
    if (told == asked) break;
    std::optional<detail::SeedWorkers::Done> next = workers.wait_unless(options.stop_file);
    if (!next) {
      for (const auto& [place, seed] : done)
        if (heard) tell(seed);
      summary.stop();
      break;
    }
    done.emplace(next->task.place,
                 SeedOutcome{.seed = next->task.seed, .outcome = std::move(next->outcome)});
    for (auto at = done.find(told); heard && at != done.end(); at = done.find(++told)) {
      tell(at->second);
      done.erase(at);
    }
    if (!heard) {
      summary.stop();
      break;
    }
  }
  return std::move(summary).take(scenario, options);
}

std::string repeat_command(const Scenario& scenario, std::uint64_t seed,
                           const CampaignOptions& options) {
  std::string command = fmt::format("tubesim run {} --seed {}", scenario.name, seed);
  if (options.check) command += " --check";
  const ScenarioOptions& chosen = options.scenario;
  if (chosen.hosts != 0) command += fmt::format(" --hosts {}", chosen.hosts);
  if (chosen.messages != 0) command += fmt::format(" --messages {}", chosen.messages);
  if (chosen.byte_mode) command += " --mode byte";
  if (!chosen.faults) command += " --no-faults";
  if (!chosen.wrong.empty()) command += " --wrong " + chosen.wrong;
  return command;
}

}  // namespace tubing::sim
