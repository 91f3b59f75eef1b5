#include "tubing/sim/scenarios/stage.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tubing/channel/timers.h"
#include "tubing/sim/detail/span_text.h"

namespace tubing::sim {

using namespace std::chrono_literals;
namespace {

/// How long a process that was killed in the middle of a step may take to be behind it.
constexpr Duration kLastStepMax = std::chrono::seconds(1);

/// How often each fault took effect that did.
std::vector<Tally> tallies(World& world) {
  std::vector<Tally> faults;
  const auto add = [&](std::string_view name, std::uint64_t count) {
    if (count > 0) faults.push_back({.name = std::string(name), .count = count});
  };
  for (std::size_t i = 0; i < static_cast<std::size_t>(FaultKind::count); ++i) {
    const auto kind = static_cast<FaultKind>(i);
    add(fault_name(kind), world.links().counts().of(kind));
  }
  DiskCounts disks;
  for (const Host& host : world.hosts()) disks += world.host(host.id()).disk().counts();
  for (std::size_t i = 0; i < kDiskFaults; ++i)
    add(fault_name(static_cast<DiskFault>(i)), disks.faults[i]);
  return faults;
}

}  // namespace

std::vector<std::string> host_names(std::size_t hosts) {
  std::vector<std::string> names;
  names.reserve(hosts);
  for (std::size_t host = 0; host < hosts; ++host) names.push_back(fmt::format("n{}", host));
  return names;
}

Result<Schedule> choose_schedule(const ScenarioOptions& options, Schedule drawn,
                                 const ScheduleRules& rules) {
  if (!options.schedule) return options.faults ? std::move(drawn) : Schedule{};
  Result<Schedule> given = read_schedule(*options.schedule, rules.names);
  if (!given) return given;
  if (healed_at(*given) == Duration::max()) {
    Duration span = rules.span;
    for (const ScheduledFault& fault : *given) span = std::max(span, fault.at);
    given->push_back({.at = span, .action = FaultAction::heal});
    const Result<> sound = check_schedule(*given, rules.names);
    if (!sound) return sound.error();
  }
  if (healed_at(*given) > rules.healed_max)
    return Error(
        Code::invalid_argument, "schedule",
        fmt::format("it goes on until {}; the scenario works on until all is healed, which "
                    "has to be by {}: order what strikes later for earlier",
                    detail::span_text(healed_at(*given)), detail::span_text(rules.healed_max)));
  return given;
}

Result<> check_given_schedule(const ScenarioOptions& options, const ScheduleRules& rules) {
  const Result<Schedule> chosen = choose_schedule(options, {}, rules);
  if (!chosen) return chosen.error();
  return {};
}

Task<> wait_until(World& world, Time at) {
  // In pieces: its clock may run slowly, and be healed while it sleeps.
  while (world.now() < at) co_await ok(sleep(std::min<Duration>(at - world.now(), 1s)));
  co_return {};
}

Stage::Stage(std::uint64_t seed, StagePlan plan, const ScenarioSinks& sinks)
    : names_(std::move(plan.names)),
      workload_(std::move(plan.workload)),
      world_(seed, plan.world),
      nemesis_(with_hosts(), std::move(plan.schedule)) {
  world_.run_hash().trace_to(sinks.trace);
  if (sinks.planned) (*sinks.planned)(this->plan());
}

Outcome Stage::plan() const {
  return {.schedule = schedule_text(schedule(), names_),
          .story = told(schedule(), names_),
          .workload = workload_};
}

World& Stage::with_hosts() {
  for (const std::string& name : names_) world_.add_host({.name = name});
  return world_;
}

void Stage::close() {
  faults_ = tallies(world_);
  ran_ = world_.now().time_since_epoch();
  for (const Host& host : world_.hosts())
    for (const auto& process : host.processes()) process->crash();
  world_.run_for(kLastStepMax);
}

Outcome Stage::outcome(std::string violation) const {
  if (violation.empty() && !world_.problems().empty()) violation = world_.problems().front();
  Outcome outcome = plan();
  outcome.violation = std::move(violation);
  outcome.hash = world_.hash();
  outcome.events = world_.run_hash().events();
  outcome.faults = faults_;
  outcome.simulated = ran_;
  return outcome;
}

}  // namespace tubing::sim
