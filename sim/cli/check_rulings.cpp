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

struct NamedRule {
  const char* name;
  Result<Ruling> (*judge)(const History&);
};

template <sim::Model M>
Result<Ruling> by_witness(const History& history) {
  return sim::judge_by_witness(M(), history);
}

constexpr std::array<NamedRule, 6> kWitnesses{{{"register", by_witness<sim::RegisterModel>},
                                               {"cas", by_witness<sim::CasModel>},
                                               {"map", by_witness<sim::MapModel>},
                                               {"list", by_witness<sim::ListModel>},
                                               {"lock", by_witness<sim::LockModel>},
                                               {"queue", by_witness<sim::QueueModel>}}};
constexpr std::array<NamedRule, 3> kRules{{{"watches", sim::judge_watches},
                                           {"leases", sim::judge_leases},
                                           {"sessions", sim::judge_sessions}}};

/// What --json prints.
struct RulingJson {
  std::string verdict;
  std::string judge;
  std::uint64_t operations = 0;
  std::string why;
  std::vector<std::uint64_t> lines;
  std::vector<std::string> told;
  static constexpr auto fields =
      tubing::fields("verdict", &RulingJson::verdict, "judge", &RulingJson::judge, "operations",
                     &RulingJson::operations, "why", &RulingJson::why, "lines", &RulingJson::lines,
                     "told", &RulingJson::told);
};

}  // namespace

std::vector<std::string> ruling_judges() {
  std::vector<std::string> names{"witness"};
  for (const NamedRule& rule : kRules) names.emplace_back(rule.name);
  return names;
}

Result<Ruling> rule(const std::string& judge, const std::string& model, const History& history) {
  const auto* found = std::ranges::find(kRules, judge, &NamedRule::name);
  if (found != kRules.end()) return found->judge(history);
  found = std::ranges::find(kWitnesses, model, &NamedRule::name);
  TUBING_ASSERT(found != kWitnesses.end(), model);
  return found->judge(history);
}

std::string ruling_report(const Ruling& ruling, const std::string& judge, const History& history,
                          bool json) {
  const std::string_view verdict = verdict_name(ruling.verdict);
  if (!json) {
    const std::string why = ruling.legal() ? "" : told(ruling, history) + "\n";
    return fmt::format("{}: {} operations\n{}", verdict, history.size(), why);
  }
  RulingJson out{.verdict = std::string(verdict),
                 .judge = judge,
                 .operations = history.size(),
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
