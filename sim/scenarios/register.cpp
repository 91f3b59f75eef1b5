#include "tubing/sim/scenarios/register.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "tubing/sim/detail/draw.h"
#include "tubing/sim/judges/history.h"
#include "tubing/sim/judges/linearizability.h"
#include "tubing/sim/judges/register_model.h"
#include "tubing/sim/scenarios/register_client.h"
#include "tubing/sim/scenarios/register_replica.h"
#include "tubing/sim/scenarios/register_state.h"
#include "tubing/sim/scenarios/register_story.h"
#include "tubing/sim/scenarios/stage.h"
#include "tubing/sim/swarm.h"

namespace tubing::sim {
namespace {

using detail::draw_below;
using namespace std::chrono_literals;

constexpr std::array<std::string_view, 3> kKeys{"a", "b", "c"};
constexpr std::size_t kFaultsMax = 24;
/// Clients ask little: what strikes more rarely meets nothing.
constexpr std::uint32_t kRateMinPpm = 30'000;
/// Operations that begin so long after all was healed must succeed.
constexpr Duration kCalm = 10s;
/// The run ends at the latest so long after everything that was ordered.
constexpr Duration kPatience = 10min;

WorkloadRules rules(std::uint64_t clients) {
  static constexpr std::array<std::string_view, 1> kRead{"KEY"};
  static constexpr std::array<std::string_view, 2> kWrite{"KEY", "VALUE"};
  static constexpr std::array kOps{WorkloadOp{.name = "read", .arguments = kRead},
                                   WorkloadOp{.name = "write", .arguments = kWrite}};
  return {.clients = clients, .ops = kOps, .argument_bytes_max = RegisterDisk::kValueBytesMax};
}

/// Clients before replicas, so that fewer replicas leave the numbers of the others as they are.
std::vector<std::string> names_of(std::size_t clients, std::size_t replicas) {
  std::vector<std::string> names;
  names.reserve(clients + replicas);
  for (std::size_t i = 0; i < clients; ++i) names.push_back(RegisterState::client_name(i));
  for (std::size_t i = 0; i < replicas; ++i) names.push_back(RegisterState::replica_name(i));
  return names;
}

std::vector<FaultAction> register_actions() {
  return {FaultAction::cut,        FaultAction::partition, FaultAction::isolate,
          FaultAction::drop,       FaultAction::deaf,      FaultAction::corrupt,
          FaultAction::reset,      FaultAction::hold,      FaultAction::crash,
          FaultAction::power,      FaultAction::pause,     FaultAction::clock_rate,
          FaultAction::clock_jump, FaultAction::wall_jump, FaultAction::disk};
}

/// Those that a disk tells of. What lies about what it stored breaks any register.
std::vector<DiskFault> honest_disk_faults() {
  return {DiskFault::read_error, DiskFault::write_error, DiskFault::sync_error, DiskFault::slow,
          DiskFault::hung};
}

/// One run, from the drawing of its world to the verdict.
class RegisterRun {
 public:
  RegisterRun(std::uint64_t seed, const ScenarioOptions& options);
  Outcome run(const ScenarioSinks& sinks);

 private:
  WorldOptions draw_world();
  Schedule draw_faults();
  void add_blackout(Schedule& schedule);
  Workload draw_workload(Prng& prng) const;
  /// The world's part first: neither a schedule nor a workload that is given changes it.
  Result<StagePlan> plan();
  Result<Workload> choose_workload(Prng& prng);
  void hand_out(const Workload& workload);
  void begin(World& world);
  /// The run ends at the latest then.
  Time limit(const Schedule& schedule, const Workload& workload) const;
  void judge();
  void judge_availability();
  void fail(std::string_view failure, std::string what);
  Outcome outcome(Stage& stage) const;

  const std::uint64_t seed_;
  const ScenarioOptions& options_;
  Prng prng_;
  RegisterState state_;
  std::vector<std::string> names_;
  Duration span_{};  ///< Of faults.
  Workload workload_;
  std::string violation_;
  std::string failure_;
};

RegisterRun::RegisterRun(std::uint64_t seed, const ScenarioOptions& options)
    : seed_(seed), options_(options), prng_(nemesis_stream(seed)) {
  state_.flaw = register_flaw(options.wrong).value_or(RegisterFlaw::none);
}

void RegisterRun::fail(std::string_view failure, std::string what) {
  if (!violation_.empty()) return;
  failure_ = failure;
  violation_ = std::move(what);
}

WorldOptions RegisterRun::draw_world() {
  WorldOptions world;
  world.mode = options_.byte_mode ? Mode::byte : Mode::message;
  const std::uint64_t replicas =
      kRegisterReplicasMin + prng_.below(kRegisterReplicasMax - kRegisterReplicasMin + 1);
  state_.replicas = options_.hosts == 0 ? replicas : options_.hosts;
  state_.clients = 2 + prng_.below(kRegisterClientsMax - 1);
  const std::uint64_t keys = prng_.chance(1, 2) ? 1 : 1 + prng_.below(kKeys.size());
  for (std::uint64_t key = 0; key < keys; ++key) state_.keys.emplace_back(kKeys[key]);
  names_ = names_of(state_.clients, state_.replicas);
  span_ = Duration(250ms) * static_cast<std::int64_t>(1U << prng_.below(5));
  world.links = draw_link_conditions(prng_);
  if (prng_.chance(1, 4)) world.pace.pause_ppm = 1'000;
  if (prng_.chance(1, 2)) world.wires.chunk_bytes_min = 1;
  return world;
}

Schedule RegisterRun::draw_faults() {
  Schedule schedule = draw_schedule(prng_, {.hosts = names_.size(),
                                            .span = span_,
                                            .actions = register_actions(),
                                            .disk_faults = honest_disk_faults(),
                                            .lasts_min = span_ / 64,
                                            .rate_min_ppm = kRateMinPpm,
                                            .budget = {.faults_max = kFaultsMax}});
  if (prng_.chance(1, 3)) {
    for (std::uint64_t blackouts = 1 + prng_.below(3); blackouts > 0; --blackouts)
      add_blackout(schedule);
  }
  return schedule;
}

/// The power goes at several replicas at once.
void RegisterRun::add_blackout(Schedule& schedule) {
  ScheduledFault fault{
      .at = draw_below(prng_, span_), .action = FaultAction::power, .groups = {{}}};
  fault.lasts = std::min(span_ - fault.at, 1ms + draw_below(prng_, span_ / 16));
  for (std::size_t replica = 0; replica < state_.replicas; ++replica)
    if (prng_.chance(3, 4))
      fault.groups[0].push_back(static_cast<HostId>(state_.clients + replica));
  if (fault.groups[0].empty()) return;
  const auto behind = std::ranges::upper_bound(schedule, fault.at, {}, &ScheduledFault::at);
  schedule.insert(behind, std::move(fault));
}

Workload RegisterRun::draw_workload(Prng& prng) const {
  Workload workload;
  std::uint64_t value = 0;
  for (std::uint64_t client = 1; client <= state_.clients; ++client) {
    const std::uint64_t operations = 10 + prng.below(51);
    const Duration pause_max = 2 * span_ / static_cast<std::int64_t>(operations << prng.below(6));
    const std::uint64_t writes_of_ten = 2 + prng.below(7);
    const auto pick_key = [&] { return state_.keys[prng.below(state_.keys.size())]; };
    for (std::uint64_t i = 0; i < operations; ++i) {
      WorkloadStep step{.client = client,
                        .due = draw_below(prng, pause_max),
                        .op = "read",
                        .arguments = {pick_key()}};
      step.due -= step.due % 1us;
      if (prng.chance(writes_of_ten, 10)) {
        step.op = "write";
        step.arguments.push_back(std::to_string(++value));
      }
      workload.push_back(std::move(step));
    }
    for (const std::string& key : state_.keys)
      workload.push_back({.client = client,
                          .due = span_ + kCalm + 1s,
                          .at_time = true,
                          .op = "read",
                          .arguments = {key}});
  }
  return workload;
}

Result<StagePlan> RegisterRun::plan() {
  StagePlan plan{.world = draw_world(), .names = names_};
  Prng prng(prng_.next());
  Result<Workload> workload = choose_workload(prng);
  if (!workload) return std::move(workload).error();
  workload_ = *std::move(workload);
  plan.workload = workload_text(workload_);
  Result<Schedule> schedule =
      choose_schedule(options_, draw_faults(), {.names = names_, .span = span_});
  if (!schedule) return std::move(schedule).error();
  plan.schedule = *std::move(schedule);
  return plan;
}

Result<Workload> RegisterRun::choose_workload(Prng& prng) {
  if (!options_.workload) return draw_workload(prng);
  Result<Workload> given = read_workload(*options_.workload, rules(state_.clients));
  if (!given) return given;
  for (const WorkloadStep& step : *given)
    if (std::ranges::find(state_.keys, step.arguments[0]) == state_.keys.end())
      return Error(
          Code::invalid_argument, "workload",
          fmt::format("there is no key '{}' in this seed, but {}, for {}", step.arguments[0],
                      fmt::join(state_.keys, ", "), workload_text({step})));
  return given;
}

void RegisterRun::hand_out(const Workload& workload) {
  state_.steps.resize(state_.clients);
  state_.next.resize(state_.clients);
  state_.clients_to_do = state_.clients;
  for (const WorkloadStep& step : workload) state_.steps[step.client - 1].push_back(step);
}

void RegisterRun::begin(World& world) {
  for (std::size_t client = 0; client < state_.clients; ++client)
    world.host(names_[client]).spawn("client", [this, client](Process& self) {
      return run_register_client(state_, self, client);
    });
  for (std::size_t replica = 0; replica < state_.replicas; ++replica)
    world.host(names_[state_.clients + replica]).spawn("replica", [this, replica](Process& self) {
      return run_register_replica(state_, self, replica);
    });
}

Time RegisterRun::limit(const Schedule& schedule, const Workload& workload) const {
  Duration last{};
  for (const ScheduledFault& fault : schedule) last = std::max(last, fault.at + fault.lasts);
  for (const WorkloadStep& step : workload) last += step.at_time ? Duration() : step.due;
  for (const WorkloadStep& step : workload) last = std::max(last, step.due);
  return Time(last + kPatience);
}

Outcome RegisterRun::run(const ScenarioSinks& sinks) {
  Result<StagePlan> planned = plan();
  if (!planned) return refused(planned.error());
  hand_out(workload_);
  Stage stage(seed_, *std::move(planned), sinks);
  state_.healed = stage.healed();
  begin(stage.world());
  const Time until = limit(stage.schedule(), workload_);
  while (state_.clients_to_do > 0 && stage.world().step(until)) {
  }
  judge();
  stage.close();
  return outcome(stage);
}

void RegisterRun::judge() {
  const History& history = state_.recorder.history();
  const Result<LinearizabilityReport> report = check_linearizable(RegisterModel(), history);
  if (!report) {
    fail("not judged", report.error().text());
  } else if (report->illegal) {
    fail("linearizability", report->illegal->text(history));
  } else if (report->verdict == Verdict::undecided) {
    fail("not judged", report->undecided);
  }
  judge_availability();
}

void RegisterRun::judge_availability() {
  const std::int64_t calm = (state_.healed + kCalm).time_since_epoch().count();
  for (const Operation& operation : state_.recorder.history())
    if (operation.called >= calm && operation.ending != Ending::ok)
      fail("availability", fmt::format("{} s and more after all was healed it got no answer:\n{}",
                                       kCalm / 1s, told(operation)));
  if (state_.clients_to_do > 0)
    fail("availability", fmt::format("{} clients are not done {} s after all was healed",
                                     state_.clients_to_do, kPatience / 1s));
}

Outcome RegisterRun::outcome(Stage& stage) const {
  const History& history = state_.recorder.history();
  Outcome outcome = stage.outcome(violation_);
  outcome.failure = failure_;
  outcome.begun = history.size();
  if (!violation_.empty() && options_.history && history.size() <= kRegisterStoryMax)
    outcome.story = register_story(state_, stage.schedule(), names_, stage.world().now());
  if (options_.history) outcome.history = history_text(history);
  for (const Operation& operation : history) {
    outcome.operations += operation.ending == Ending::ok ? 1 : 0;
    outcome.known += operation.ending == Ending::unknown ? 0 : 1;
  }
  return outcome;
}

}  // namespace

std::optional<RegisterFlaw> register_flaw(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames{
      "", "no_sync", "no_tie_break", "no_write_back", "one_replica_reads", "small_quorum"};
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<RegisterFlaw>(found - kNames.begin());
}

Outcome run_register(std::uint64_t seed, const ScenarioOptions& options,
                     const ScenarioSinks& sinks) {
  return RegisterRun(seed, options).run(sinks);
}

Result<> check_register(const ScenarioOptions& options) {
  if (options.hosts != 0 &&
      (options.hosts < kRegisterReplicasMin || options.hosts > kRegisterReplicasMax))
    return Error(Code::invalid_argument, "register",
                 fmt::format("the register has {} to {} replicas", kRegisterReplicasMin,
                             kRegisterReplicasMax));
  const std::size_t replicas = options.hosts == 0 ? kRegisterReplicasMax : options.hosts;
  Result<> schedule =
      check_given_schedule(options, {.names = names_of(kRegisterClientsMax, replicas)});
  if (!schedule) return schedule;
  if (options.workload) {
    Result<Workload> read = read_workload(*options.workload, rules(kRegisterClientsMax));
    if (!read) return std::move(read).error();
  }
  return {};
}

std::vector<std::string> register_faults(const ScenarioOptions& options) {
  if (!options.faults || options.schedule) return {};
  std::vector<std::string> names;
  for (const FaultKind kind :
       {FaultKind::dropped, FaultKind::deaf, FaultKind::corrupted, FaultKind::reset, FaultKind::cut,
        FaultKind::held, FaultKind::isolated, FaultKind::process_crash, FaultKind::power_loss,
        FaultKind::restart, FaultKind::pause, FaultKind::clock_rate, FaultKind::clock_jump,
        FaultKind::wall_jump})
    names.emplace_back(fault_name(kind));
  for (const DiskFault fault : honest_disk_faults()) names.emplace_back(fault_name(fault));
  return names;
}

}  // namespace tubing::sim
