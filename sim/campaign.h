// Campaign: many seeds of one scenario, in processes of their own, and what they came to together.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/sim/scenarios/scenario.h"
#include "tubing/sim/trace.h"

namespace tubing::sim {

/// Seeds from `first` to `last`, both included.
struct SeedRange {
  std::uint64_t first = 1;
  std::uint64_t last = 1;

  std::uint64_t count() const { return last - first + 1; }
  friend bool operator==(const SeedRange&, const SeedRange&) = default;
};

struct CampaignOptions {
  std::vector<SeedRange> seeds;
  std::uint32_t jobs = 1;  ///< Processes at the same time.
  bool check = false;      ///< Each seed is run twice, and the runs compared; see run_check.
  ScenarioOptions scenario = {};
  /// From so many seeds on, each fault of the scenario must take effect in one of them. Fewer may
  /// have drawn none of a kind.
  std::uint64_t fault_gate_seeds = 50;
  /// A file; as soon as it can be read the campaign stops. None where negative.
  int stop_file = -1;
};

/// One seed and what it came to.
struct SeedOutcome {
  std::uint64_t seed = 0;
  Outcome outcome;
};

/// What all seeds came to together.
struct CampaignReport {
  std::uint64_t seeds = 0;
  std::vector<SeedOutcome> violations;  ///< The first kViolationsMax, by their seeds.
  std::uint64_t violations_total = 0;
  std::uint64_t operations = 0;
  std::uint64_t operations_median = 0;  ///< Of a seed; likewise p5: nineteen of twenty did more.
  std::uint64_t operations_p5 = 0;
  std::uint64_t begun = 0;
  std::uint64_t known = 0;
  std::uint64_t events = 0;
  Duration simulated{};
  std::vector<Tally> faults;
  std::vector<std::string> closed_gates;  ///< What did not happen and had to, a sentence each.
  bool stopped = false;  ///< Before its end: what was under way is not in it, and no gate is asked.

  static constexpr std::size_t kViolationsMax = 20;

  bool passed() const { return !stopped && violations_total == 0 && closed_gates.empty(); }
  /// Of a hundred thousand operations that were begun, those whose outcome is known.
  std::uint64_t known_share() const { return begun == 0 ? 0 : known * 100'000 / begun; }
};

/// Runs a seed; with `check`, twice. A difference is the violation. A violation has its class.
Outcome run_seed(const Scenario& scenario, std::uint64_t seed, const CampaignOptions& options,
                 const ScenarioSinks& sinks = {});

/// Runs a seed in a process of its own; one that dies has that as its violation, as in a campaign.
/// `trace`, which may be null, is written up to there, and closed.
/// Errors: resource_exhausted where no process can be started, or the trace could not be written.
/// Threads: as run_campaign.
Result<Outcome> run_seed_apart(const Scenario& scenario, std::uint64_t seed,
                               const CampaignOptions& options, TraceFile* trace = nullptr);

/// Runs all seeds and tells `on_outcome` of each, in their order, until it returns false: then the
/// campaign stops. A seed whose process ends, by an assertion for instance, has that as its
/// violation, with what it wrote to standard error.
/// Errors: resource_exhausted where no process can be started.
/// Threads: the process has no other thread, since it forks.
Result<CampaignReport> run_campaign(const Scenario& scenario, const CampaignOptions& options,
                                    const std::function<bool(const SeedOutcome&)>& on_outcome);

/// The command that repeats one seed: "tubesim run grid --seed 5 --hosts 7".
std::string repeat_command(const Scenario& scenario, std::uint64_t seed,
                           const CampaignOptions& options);

}  // namespace tubing::sim
