#include "tubing/sim/cli/check_rulings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tubing/channel/fields.h"
#include "tubing/channel/json.h"
#include "tubing/sim/judges/cas_model.h"
#include "tubing/sim/judges/lease_judge.h"
#include "tubing/sim/judges/list_model.h"
#include "tubing/sim/judges/lock_model.h"
#include "tubing/sim/judges/map_model.h"
#include "tubing/sim/judges/queue_model.h"
#include "tubing/sim/judges/register_model.h"
#include "tubing/sim/judges/session_judge.h"
#include "tubing/sim/judges/watch_judge.h"
#include "tubing/sim/judges/witness.h"

namespace tubing::cli {
namespace {

using sim::History;
using sim::Ruling;

template <class... Options>
struct NamedRule {
  const char* name;
  Result<Ruling> (*judge)(const History&, const Options&...);
};
using NamedWitness = NamedRule<sim::WitnessOptions>;

template <sim::Model M>
Result<Ruling> by_witness(const History& history, const sim::WitnessOptions& options) {
  return sim::judge_by_witness(M(), history, options);
}

constexpr std::array<NamedWitness, 6> kWitnesses{{{"register", by_witness<sim::RegisterModel>},
                                                  {"cas", by_witness<sim::CasModel>},
                                                  {"map", by_witness<sim::MapModel>},
                                                  {"list", by_witness<sim::ListModel>},
                                                  {"lock", by_witness<sim::LockModel>},
                                                  {"queue", by_witness<sim::QueueModel>}}};
constexpr const char* kWatches = "watches";
constexpr std::array<NamedRule<>, 2> kRules{
    {{"leases", sim::judge_leases}, {"sessions", sim::judge_sessions}}};

Result<Ruling> ruling_of(const RuleOptions& options, const History& history) {
  if (options.judge == kWatches) {
    sim::WatchOptions watches;
    watches.work_max = options.limits.work_max.value_or(watches.work_max);
    return sim::judge_watches(history, watches);
  }
  const auto* rule = std::ranges::find(kRules, options.judge, &NamedRule<>::name);
  if (rule != kRules.end()) return rule->judge(history);
  const auto* found = std::ranges::find(kWitnesses, options.model, &NamedWitness::name);
  TUBING_ASSERT(found != kWitnesses.end(), options.model);
  const CheckLimits& limits = options.limits;
  sim::WitnessOptions witness;
  witness.steps_max = limits.work_max.value_or(witness.steps_max);
  witness.configurations_max = limits.configurations_max.value_or(witness.configurations_max);
  witness.memory_bytes_max = limits.memory_bytes_max().value_or(witness.memory_bytes_max);
  return found->judge(history, witness);
}

/// What --json prints.
struct RulingJson {
  std::string verdict;
  std::string judge;
  std::uint64_t operations = 0;
  std::uint64_t judged = 0;
  std::string why;
  std::vector<std::uint64_t> lines;
  std::vector<std::string> told;
  static constexpr auto fields =
      tubing::fields("verdict", &RulingJson::verdict, "judge", &RulingJson::judge, "operations",
                     &RulingJson::operations, "judged", &RulingJson::judged, "why",
                     &RulingJson::why, "lines", &RulingJson::lines, "told", &RulingJson::told);
};

}  // namespace

std::vector<std::string> ruling_judges() {
  std::vector<std::string> names{"witness", kWatches};
  for (const NamedRule<>& rule : kRules) names.emplace_back(rule.name);
  return names;
}

Result<Ruling> rule(const RuleOptions& options, const History& history) {
  Result<Ruling> ruling = ruling_of(options, history);
  if (ruling && ruling->judged == 0)
    return Error(Code::invalid_argument, "check",
                 fmt::format("none of its {} operations is for the judge of {}; see "
                             "sim/HISTORY.md for those that are",
                             history.size(), options.judge));
  return ruling;
}

std::string ruling_report(const Ruling& ruling, const std::string& judge, const History& history,
                          bool json) {
  const std::string_view verdict = verdict_name(ruling.verdict);
  if (!json) {
    const std::string why = ruling.legal() ? "" : told(ruling, history) + "\n";
    const std::string of =
        ruling.judged == history.size() ? "" : fmt::format("{} of ", ruling.judged);
    return fmt::format("{}: {}{} operations\n{}", verdict, of, history.size(), why);
  }
  RulingJson out{.verdict = std::string(verdict),
                 .judge = judge,
                 .operations = history.size(),
                 .judged = ruling.judged,
                 .why = ruling.why,
                 .lines = {},
                 .told = {}};
  for (const std::size_t at : ruling.operations) {
    out.lines.push_back(at + 1);
    out.told.push_back(told(history[at]));
  }
  return to_json(out) + "\n";
}

}  // namespace tubing::cli
