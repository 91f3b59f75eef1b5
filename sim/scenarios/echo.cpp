#include "tubing/sim/scenarios/echo.h"

#include <optional>
#include <utility>

#include "tubing/channel/timers.h"
#include "tubing/sim/scenarios/byte_faults.h"

namespace tubing::sim {
namespace {

using namespace std::chrono_literals;

/// New talks begin until the first moment; at the second one everything that still waits is
/// cancelled.
constexpr Time kQuiet = kEchoHealed + 2s;
constexpr Time kOver{30s};
/// After the last word of it: a peer may be told a little later.
constexpr Duration kLinger = 5s;
/// How long a host that all faults have left may take to reach another one.
constexpr Duration kReachMax = 15s;
constexpr std::size_t kOpensMax = 4;  ///< That one process has under way.

/// With room for one value: each but the first needs credit that was granted anew.
inline constexpr Service<std::uint64_t, std::uint64_t> kProbe{"echo.probe", 1};
constexpr std::uint64_t kProbeValues = 4;

class Echo {
 public:
  Echo(World& world, EchoCounts& counts) : world_(world), counts_(counts), talks_(counts) {}

  void add_hosts(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) world_.add_host({.name = fmt::format("h{}", i)});
    for (std::uint64_t i = 0; i < count; ++i)
      world_.host(static_cast<HostId>(i)).spawn("echo", [this](Process& self) -> Task<> {
        return live(self);
      });
  }
  const std::string& fault() const { return talks_.fault(); }

 private:
  Task<> live(Process& self);
  Task<> open_talks(Nursery& n, Process& self, Talker& talker, std::size_t& open);
  Task<> open_one(Nursery& n, Process& self, Talker& talker, std::string peer, std::size_t& open);
  Task<> probe_all(Process& self);
  Task<> probe(Process& self, std::string peer);
  Task<> probe_once(Process& self, std::string peer, Deadline until);
  Task<> wait_until(Time at);
  void check_empty(Process& self);

  World& world_;
  EchoCounts& counts_;
  Talks talks_;
};

Task<> Echo::wait_until(Time at) {
  while (world_.now() < at) co_await ok(sleep(at - world_.now()));
  co_return {};
}

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
    co_await ok(wait_until(kQuiet));
    co_await ok(probe_all(self));
    co_await ok(wait_until(kOver));
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
  while (world_.now() < kQuiet) {
    const auto hosts = static_cast<HostId>(world_.hosts().size());
    const auto peer = static_cast<HostId>((self.host().id() + 1 + prng.below(hosts - 1)) % hosts);
    if (open < kOpensMax) {
      ++open;
      n.spawn("open", open_one(n, self, talker, world_.host(peer).name(), open));
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
  for (const Host& host : world_.hosts())
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

}  // namespace

EchoCounts& EchoCounts::operator+=(const EchoCounts& other) {
  TalkCounts::operator+=(other);
  opened += other.opened;
  unopened += other.unopened;
  probed += other.probed;
  faults += other.faults;
  events += other.events;
  simulated += other.simulated;
  return *this;
}

std::string run_echo(std::uint64_t seed, EchoCounts& counts, const EchoOptions& options) {
  Prng prng(~seed);          // The world's generators begin with the seed itself.
  std::optional<Echo> echo;  // Outlives the programs in the world.
  World world(seed, draw_byte_world(prng));
  world.run_hash().trace_to(options.trace);
  echo.emplace(world, counts);
  const std::uint64_t drawn = 2 + prng.below(3);
  echo->add_hosts(options.hosts == 0 ? drawn : options.hosts);
  ByteFaults faults(world, Prng(prng.next()));
  if (options.faults && options.disturb) options.disturb(world);
  if (options.faults && !options.disturb) faults.run_until(kEchoHealed);
  const Result<> ran = world.run_until_idle();
  counts.faults += world.links().counts();
  counts.events += world.run_hash().events();
  counts.simulated += world.now().time_since_epoch();
  if (options.hash != nullptr) *options.hash = world.hash();
  if (!echo->fault().empty()) return echo->fault();
  if (!world.problems().empty()) return world.problems().front();
  if (!ran) return fmt::format("a wait did not end: {}", ran.error().text());
  for (const Host& host : world.hosts())
    for (const auto& process : host.processes())
      if (const auto& result = process->result(); !result || !*result)
        return fmt::format("{} ended with {}", process->name(),
                           result ? result->error().text() : "a crash");
  return {};
}

Outcome run_echo_scenario(std::uint64_t seed, const ScenarioOptions& options,
                          const ScenarioSinks& sinks) {
  EchoCounts counts;
  Outcome outcome;
  outcome.violation = run_echo(seed, counts,
                               {.hosts = options.hosts,
                                .faults = options.faults,
                                .hash = &outcome.hash,
                                .trace = sinks.trace});
  outcome.events = counts.events;
  outcome.operations = counts.received;
  outcome.begun = counts.sent;
  outcome.known = counts.received;
  outcome.simulated = counts.simulated;
  for (std::size_t i = 0; i < static_cast<std::size_t>(FaultKind::count); ++i) {
    const auto kind = static_cast<FaultKind>(i);
    outcome.faults.push_back(
        {.name = std::string(fault_name(kind)), .count = counts.faults.of(kind)});
  }
  return outcome;
}

std::vector<std::string> echo_faults(const ScenarioOptions& options) {
  if (!options.faults) return {};
  return {"dropped",   "deaf",          "corrupted",    "reset",           "cut",
          "held",      "isolated",      "dial_refused", "dial_unanswered", "write_blocked",
          "half_open", "process_crash", "power_loss",   "restart",         "pause"};
}

}  // namespace tubing::sim
