#include "tubing/sim/scenarios/echo.h"

#include <algorithm>
#include <utility>

#include "tubing/channel/timers.h"
#include "tubing/sim/scenarios/stage.h"
#include "tubing/sim/swarm.h"

namespace tubing::sim {
namespace {

using namespace std::chrono_literals;

/// What a seed draws from.
constexpr std::size_t kHostsMin = 2;
constexpr std::size_t kHostsMax = 4;
/// Faults strike until then, where none are given.
constexpr Duration kSpan = 6s;
/// After healing: new talks begin until the first moment; at the second one everything that still
/// waits is cancelled.
constexpr Duration kTalksOn = 2s;
constexpr Duration kOver = 24s;
/// In which all must have ended then.
constexpr Duration kPatience = 10min;
/// After the last word of it: a peer may be told a little later.
constexpr Duration kLinger = 5s;
/// How long a host that all faults have left may take to reach another one.
constexpr Duration kReachMax = 15s;
constexpr std::size_t kOpensMax = 4;  ///< That one process has under way.
/// Ends that one process has: with a clock that runs a hundred times as fast it would open more
/// than a session takes.
constexpr std::size_t kLivingMax = 200;

/// With room for one value: each but the first needs credit that was granted anew.
inline constexpr Service<std::uint64_t, std::uint64_t> kProbe{"echo.probe", 1};
constexpr std::uint64_t kProbeValues = 4;

class Echo {
 public:
  Echo(Time healed, EchoCounts& counts)
      : quiet_(healed + kTalksOn), over_(healed + kOver), counts_(counts), talks_(counts) {}

  /// Returns: what did not hold; empty for nothing.
  std::string run(World& world);

 private:
  Task<> live(Process& self);
  Task<> open_talks(Nursery& n, Process& self, Talker& talker, std::size_t& open);
  Task<> open_one(Nursery& n, Process& self, Talker& talker, std::string peer, std::size_t& open);
  Task<> probe_all(Process& self);
  Task<> probe(Process& self, std::string peer);
  Task<> probe_once(Process& self, std::string peer, Deadline until);
  void check_empty(Process& self);

  const Time quiet_;
  const Time over_;
  EchoCounts& counts_;
  Talks talks_;
};

Task<> Echo::live(Process& self) {
  channel::Network& network = self.network();
  Talker talker(talks_, Prng(self.workload().next()));
  talker.set_drops(true);
  std::size_t open = 0;  // Opens that are under way.
  const Result<> lived = co_await nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, network, kTalks,
                      [&](Talker::End<TalkNote>& end) -> Task<> { return talker.serve(n, end); }));
    co_await ok(serve(n, network, kProbe, [](Duplex<std::uint64_t, std::uint64_t>& end) -> Task<> {
      while (auto value = co_await end.rx.recv()) co_await ok(end.tx.send(*value));
      co_return {};
    }));
    n.spawn("opener", open_talks(n, self, talker, open));
    co_await ok(wait_until(self.world(), quiet_));
    co_await ok(probe_all(self));
    co_await ok(wait_until(self.world(), over_));
    n.cancel();
    co_return {};
  });
  if (!lived) co_return lived;
  co_await ok(sleep(kLinger));
  check_empty(self);
  co_return {};
}

Task<> Echo::open_talks(Nursery& n, Process& self, Talker& talker, std::size_t& open) {
  Prng prng(self.workload().next());
  World& world = self.world();
  while (world.now() < quiet_) {
    const auto hosts = static_cast<HostId>(world.hosts().size());
    const auto peer = static_cast<HostId>((self.host().id() + 1 + prng.below(hosts - 1)) % hosts);
    if (open < kOpensMax && talker.living() < kLivingMax) {
      ++open;
      n.spawn("open", open_one(n, self, talker, world.host(peer).name(), open));
    }
    co_await ok(sleep(std::chrono::milliseconds(1 + prng.below(500))));
  }
  co_return {};
}

Task<> Echo::open_one(Nursery& n, Process& self, Talker& talker, std::string peer,
                      std::size_t& open) {
  const Result<> opened = co_await talker.open(n, self.network(), {peer}, within(2s));
  --open;
  ++(opened ? counts_.opened : counts_.unopened);
  co_return {};
}

Task<> Echo::probe_all(Process& self) {
  for (const Host& host : self.world().hosts())
    if (host.id() != self.host().id()) co_await ok(probe(self, host.name()));
  co_return {};
}

Task<> Echo::probe_once(Process& self, std::string peer, Deadline until) {
  auto end = co_await ok(open(self.network(), kProbe, {peer}, until));
  for (std::uint64_t value = 0; value < kProbeValues; ++value) {
    co_await ok(end.tx.send(value, until));
    const std::uint64_t answer = co_await ok(end.rx.recv(until));
    if (answer != value) talks_.fail("a probe of {} brought {} back", value, answer);
  }
  co_return {};
}

// A session may still be about to be given up: what is lost with it is tried again.
Task<> Echo::probe(Process& self, std::string peer) {
  const Deadline until = within(kReachMax);
  for (;;) {
    const Result<> probed = co_await probe_once(self, peer, until);
    if (probed) break;
    if (probed.code() == Code::cancelled) co_return probed;
    if (probed.code() == Code::deadline_exceeded) {
      talks_.fail("{} does not reach {} though all is healed: {}", self.name(), peer,
                  probed.error().text());
      co_return {};
    }
    co_await ok(sleep(10ms));
  }
  ++counts_.probed;
  co_return {};
}

void Echo::check_empty(Process& self) {
  for (const rpc::SessionStats& session : self.node().stats().sessions)
    if (!session.channels.empty())
      talks_.fail("{} has {} channels left when all of it is over", self.name(),
                  session.channels.size());
}

std::string Echo::run(World& world) {
  for (const Host& host : world.hosts())
    world.host(host.id()).spawn("echo", [this](Process& self) { return live(self); });
  const Result<> ran = world.run_until_idle();
  if (!talks_.fault().empty()) return talks_.fault();
  if (!ran) return fmt::format("a wait did not end: {}", ran.error().text());
  for (const Host& host : world.hosts())
    for (const auto& process : host.processes())
      if (const auto& result = process->result(); !result || !*result)
        return fmt::format("{} ended with {}", process->name(),
                           result ? result->error().text() : "a crash");
  return {};
}

std::vector<FaultAction> echo_actions() {
  return {FaultAction::cut,        FaultAction::partition, FaultAction::isolate,
          FaultAction::drop,       FaultAction::deaf,      FaultAction::corrupt,
          FaultAction::reset,      FaultAction::slow,      FaultAction::throttle,
          FaultAction::hold,       FaultAction::refuse,    FaultAction::crash,
          FaultAction::power,      FaultAction::pause,     FaultAction::clock_rate,
          FaultAction::clock_jump, FaultAction::wall_jump};
}

ScheduleRules schedule_rules(std::size_t hosts) {
  return {.names = host_names(hosts),
          .span = kSpan,
          .healed_max = kEchoHostTimeMax / std::max(hosts, kHostsMax)};
}

}  // namespace

Outcome run_echo(std::uint64_t seed, const ScenarioOptions& options, const ScenarioSinks& sinks,
                 EchoCounts& counts) {
  Prng prng = nemesis_stream(seed);
  WorldOptions world = draw_world(prng, Mode::byte);
  std::size_t hosts = kHostsMin + prng.below(kHostsMax - kHostsMin + 1);
  if (options.hosts != 0) hosts = options.hosts;
  Schedule drawn = draw_schedule(
      prng,
      {.hosts = hosts, .span = kSpan, .actions = echo_actions(), .budget = {.faults_max = 64}});
  Result<Schedule> schedule = choose_schedule(options, std::move(drawn), schedule_rules(hosts));
  if (!schedule) return refused(schedule.error());
  const Time healed(std::max(kSpan, healed_at(*schedule)));
  world.time_max = healed.time_since_epoch() + kOver + kPatience;
  Echo echo(healed, counts);
  const std::uint64_t received = counts.received;
  const std::uint64_t sent = counts.sent;
  Stage stage(seed, {.world = world, .names = host_names(hosts), .schedule = *std::move(schedule)},
              sinks);
  std::string violation = echo.run(stage.world());
  stage.close();
  Outcome outcome = stage.outcome(std::move(violation));
  outcome.operations = outcome.known = counts.received - received;
  outcome.begun = counts.sent - sent;
  return outcome;
}

Outcome run_echo(std::uint64_t seed, const ScenarioOptions& options, const ScenarioSinks& sinks) {
  EchoCounts counts;
  return run_echo(seed, options, sinks, counts);
}

Result<> check_echo(const ScenarioOptions& options) {
  return check_given_schedule(options,
                              schedule_rules(options.hosts == 0 ? kHostsMax : options.hosts));
}

std::vector<std::string> echo_faults(const ScenarioOptions& options) {
  if (!options.faults || options.schedule) return {};
  return {"dropped",         "deaf",          "corrupted",  "reset",         "cut",
          "slowed",          "throttled",     "held",       "isolated",      "dial_refused",
          "dial_unanswered", "write_blocked", "half_open",  "process_crash", "power_loss",
          "restart",         "pause",         "clock_rate", "clock_jump",    "wall_jump"};
}

}  // namespace tubing::sim
