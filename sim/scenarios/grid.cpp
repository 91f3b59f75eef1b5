#include "tubing/sim/scenarios/grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "tubing/channel/go.h"
#include "tubing/sim/detail/draw.h"
#include "tubing/sim/scenarios/grid_judge.h"
#include "tubing/sim/scenarios/stage.h"
#include "tubing/sim/swarm.h"

namespace tubing::sim {
namespace {

using detail::draw_below;
using namespace std::chrono_literals;

/// The other direction is not used.
struct GridNothing {
  static constexpr std::string_view type_name = "GridNothing";
  bool nothing = true;
  static constexpr auto fields = tubing::fields("nothing", &GridNothing::nothing);
};

constexpr Service<GridMessage, GridNothing> kGrid{.name = "grid", .capacity = 256};
constexpr Service<GridMessage, GridNothing> kGridDatagrams{
    .name = "grid.datagrams", .capacity = 256, .delivery = channel::Delivery::datagram};

constexpr Duration kOpenMax = 5s;
constexpr Duration kRetryMax = 100ms;
constexpr std::uint64_t kBurstMax = 16;

std::size_t hosts_of(const ScenarioOptions& options) {
  return options.hosts == 0 ? kGridHosts : options.hosts;
}

/// Instead of what is left to send: the pair is done.
constexpr std::uint64_t kDone = ~std::uint64_t{0};

/// What the senders of one run have in common.
struct Grid {
  GridJudge judge;
  std::vector<std::string> names;
  std::uint64_t messages = 0;
  Duration span{};
  bool datagrams = false;
  Time healed{};
  /// By pair: what is still to be sent. The judge of a crashed process goes on where it was.
  std::vector<std::vector<std::uint64_t>> left;
  std::size_t pairs_to_do = 0;
};

/// An opening of a channel, from the sender's side.
class Opening {
 public:
  Opening(Grid& grid, std::uint64_t channel, Sender<GridMessage> tx)
      : grid_(grid), channel_(channel), tx_(std::move(tx)) {}
  ~Opening() { grid_.judge.leave(channel_, tx_.accepted(), tx_.taken_by_peer()); }
  Opening(const Opening&) = delete;
  Opening& operator=(const Opening&) = delete;

  Sender<GridMessage>& tx() { return tx_; }
  GridMessage next() { return grid_.judge.next(channel_); }

 private:
  Grid& grid_;
  const std::uint64_t channel_;
  Sender<GridMessage> tx_;
};

Task<> pause_between(Grid& grid, Process& self) {
  if (grid.span == Duration::zero()) co_return {};
  const Duration mean = grid.span / static_cast<std::int64_t>(grid.messages) * kBurstMax / 2;
  co_return co_await sleep(draw_below(self.workload(), 2 * mean));
}

/// Sends until nothing is left or the channel ends. The last one waits for the end of all faults,
/// so that each finds a channel that is in use. Returns: ok where all was taken.
Task<> send_over(Grid& grid, Process& self, Duplex<GridMessage, GridNothing> channel, HostId to) {
  std::uint64_t& left = grid.left[self.host().id()][to];
  Opening opening(grid, grid.judge.open(self.host().id(), to), channel.tx);
  while (left > 0) {
    const std::uint64_t burst =
        grid.span == Duration::zero() ? left : 1 + self.workload().below(kBurstMax);
    for (std::uint64_t i = 0; i < burst && left > 0; ++i) {
      if (left == 1) co_await ok(wait_until(self.world(), grid.healed));
      --left;
      co_await ok(opening.tx().send(opening.next()));
    }
    co_await ok(pause_between(grid, self));
  }
  opening.tx().close();
  co_return co_await opening.tx().flush();
}

Task<> send_all(Grid& grid, Process& self, HostId to) {
  for (;;) {
    auto channel = co_await open(self.network(), kGrid, PeerName{grid.names[to]}, within(kOpenMax));
    if (channel) {
      Result<> sent = co_await send_over(grid, self, *std::move(channel), to);
      if (sent) break;
      if (sent.code() == Code::cancelled) co_return sent;
    }
    co_await ok(sleep(draw_below(self.workload(), kRetryMax)));
  }
  --grid.pairs_to_do;
  grid.left[self.host().id()][to] = kDone;
  co_return {};
}

Task<> send_datagrams(Grid& grid, Process& self, HostId to) {
  std::uint64_t left = grid.messages / 2;
  while (left > 0) {
    auto channel =
        co_await open(self.network(), kGridDatagrams, PeerName{grid.names[to]}, within(kOpenMax));
    if (channel) {
      Opening opening(grid, grid.judge.open(self.host().id(), to, true), channel->tx);
      Result<> sent;
      while (sent && left > 0) {
        for (std::uint64_t i = self.workload().below(kBurstMax); sent && left > 0 && i > 0; --i) {
          --left;
          sent = co_await opening.tx().send(opening.next());
        }
        co_await ok(pause_between(grid, self));
      }
    }
    co_await ok(sleep(draw_below(self.workload(), kRetryMax)));
  }
  co_return {};
}

Task<> receive(Grid& grid, Process& self, Duplex<GridNothing, GridMessage>& peer) {
  while (auto message = co_await peer.rx.recv())
    grid.judge.arrived(*message, self.host().id(), peer.peer().name);
  co_return peer.rx.end();
}

Task<> run_host(Grid& grid, Process& self) {
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    const auto handler = [&grid, &self](auto& peer) { return receive(grid, self, peer); };
    co_await ok(serve(n, self.network(), kGrid, handler));
    co_await ok(serve(n, self.network(), kGridDatagrams, handler));
    for (HostId to = 0; to < grid.names.size(); ++to) {
      if (to == self.host().id()) continue;
      if (grid.left[self.host().id()][to] != kDone)
        n.spawn("to " + grid.names[to], send_all(grid, self, to));
      if (grid.datagrams) n.spawn("datagrams to " + grid.names[to], send_datagrams(grid, self, to));
    }
    co_return {};
  });
}

std::vector<FaultAction> grid_actions() {
  return {FaultAction::cut,        FaultAction::partition, FaultAction::isolate,
          FaultAction::drop,       FaultAction::deaf,      FaultAction::duplicate,
          FaultAction::reorder,    FaultAction::corrupt,   FaultAction::reset,
          FaultAction::slow,       FaultAction::throttle,  FaultAction::hold,
          FaultAction::refuse,     FaultAction::crash,     FaultAction::deliver_late,
          FaultAction::power,      FaultAction::pause,     FaultAction::clock_rate,
          FaultAction::clock_jump, FaultAction::wall_jump};
}

ScheduleRules schedule_rules(std::size_t hosts, Duration span) {
  return {.names = host_names(hosts),
          .span = span,
          .healed_max = kGridHostTimeMax / std::max<std::size_t>(hosts, kGridHosts)};
}

/// One run, of a world that is drawn, to the verdict.
class GridRun {
 public:
  GridRun(std::uint64_t seed, GridPlan plan, const ScenarioSinks& sinks);
  Outcome run();

 private:
  /// Until all pairs are done, something does not hold, or nothing comes any more.
  void run_world();

  Grid grid_;
  Stage stage_;
};

GridRun::GridRun(std::uint64_t seed, GridPlan plan, const ScenarioSinks& sinks)
    : stage_(seed,
             {.world = plan.world,
              .names = host_names(plan.hosts),
              .schedule = std::move(plan.schedule)},
             sinks) {
  grid_.names = stage_.names();
  grid_.messages = plan.messages;
  grid_.span = plan.span;
  grid_.datagrams = plan.datagrams;
  grid_.healed = stage_.healed();
  grid_.left.assign(plan.hosts, std::vector<std::uint64_t>(plan.hosts, plan.messages));
  grid_.pairs_to_do = plan.hosts * (plan.hosts - 1);
}

void GridRun::run_world() {
  World& world = stage_.world();
  Time limit = grid_.healed + kGridPatience;
  for (std::uint64_t received = 0; grid_.pairs_to_do > 0 && grid_.judge.violation().empty();) {
    if (world.step(limit)) continue;
    if (grid_.judge.received() == received) break;
    received = grid_.judge.received();
    limit += kGridPatience;
  }
  if (grid_.pairs_to_do > 0)
    grid_.judge.fail(fmt::format(
        "{} of the pairs are not done, and nothing arrives for {} s after all was healed\n{}",
        grid_.pairs_to_do, std::chrono::duration_cast<std::chrono::seconds>(kGridPatience).count(),
        world.waiting()));
}

Outcome GridRun::run() {
  for (const std::string& name : grid_.names)
    stage_.world().host(name).spawn("grid",
                                    [this](Process& self) { return run_host(grid_, self); });
  run_world();
  stage_.close();
  Outcome outcome = stage_.outcome(grid_.judge.violation());
  outcome.operations = grid_.judge.received();
  outcome.begun = grid_.judge.accepted();
  outcome.known = grid_.judge.known();
  return outcome;
}

}  // namespace

Result<GridPlan> plan_grid(std::uint64_t seed, const ScenarioOptions& options) {
  Prng prng = nemesis_stream(seed);
  GridPlan plan{.world = draw_world(prng, options.byte_mode ? Mode::byte : Mode::message),
                .hosts = hosts_of(options),
                .messages = options.messages == 0 ? kGridMessages : options.messages,
                .datagrams = true};
  plan.span = Duration(100ms) * static_cast<std::int64_t>(1U << prng.below(7));
  Schedule drawn = draw_schedule(prng, {.hosts = plan.hosts,
                                        .span = plan.span,
                                        .actions = grid_actions(),
                                        .budget = {.faults_max = 32}});
  Result<Schedule> chosen =
      choose_schedule(options, std::move(drawn), schedule_rules(plan.hosts, plan.span));
  if (!chosen) return std::move(chosen).error();
  plan.schedule = *std::move(chosen);
  return plan;
}

Outcome run_planned_grid(std::uint64_t seed, GridPlan plan, const ScenarioSinks& sinks) {
  return GridRun(seed, std::move(plan), sinks).run();
}

Outcome run_grid(std::uint64_t seed, const ScenarioOptions& options, const ScenarioSinks& sinks) {
  Result<GridPlan> plan = plan_grid(seed, options);
  if (!plan) return refused(plan.error());
  return run_planned_grid(seed, *std::move(plan), sinks);
}

Result<> check_grid(const ScenarioOptions& options) {
  return check_given_schedule(options, schedule_rules(hosts_of(options), {}));
}

std::vector<std::string> grid_faults(const ScenarioOptions& options) {
  if (!options.faults || options.schedule) return {};
  std::vector<FaultKind> kinds{
      FaultKind::dropped,    FaultKind::deaf,          FaultKind::corrupted,
      FaultKind::reset,      FaultKind::cut,           FaultKind::held,
      FaultKind::isolated,   FaultKind::process_crash, FaultKind::power_loss,
      FaultKind::restart,    FaultKind::pause,         FaultKind::clock_rate,
      FaultKind::clock_jump, FaultKind::wall_jump,     FaultKind::dial_refused,
      FaultKind::slowed,     FaultKind::throttled};
  if (options.byte_mode) {
    kinds.push_back(FaultKind::dial_unanswered);
  } else {
    kinds.insert(kinds.end(),
                 {FaultKind::duplicated, FaultKind::reordered, FaultKind::delivered_late});
  }
  std::vector<std::string> names;
  names.reserve(kinds.size());
  for (const FaultKind kind : kinds) names.emplace_back(fault_name(kind));
  return names;
}

}  // namespace tubing::sim
