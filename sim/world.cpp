#include "tubing/sim/world.h"

#include <fmt/format.h>

#include <algorithm>

namespace tubing::sim {
namespace {

/// What is drawn for. A new one goes behind the others, and moves none of them.
enum class Purpose : std::uint8_t { order, links, entropy, workload, pace, wires, keys, disks };

Prng root_of(std::uint64_t seed, Purpose purpose) {
  return Streams(seed).of(static_cast<std::uint64_t>(purpose));
}

Streams streams_of(std::uint64_t seed, Purpose purpose) {
  return Streams(root_of(seed, purpose).next());
}

}  // namespace

World::Roots::Roots(std::uint64_t seed)
    : order(streams_of(seed, Purpose::order)),
      links(root_of(seed, Purpose::links)),
      entropy(streams_of(seed, Purpose::entropy)),
      workload(streams_of(seed, Purpose::workload)),
      pace(streams_of(seed, Purpose::pace)),
      wires(root_of(seed, Purpose::wires)),
      keys(root_of(seed, Purpose::keys)),
      disks(streams_of(seed, Purpose::disks)) {}

World::World(std::uint64_t seed, WorldOptions options)
    : options_(options),
      roots_(seed),
      workload_(roots_.workload.of("")),
      links_(now_, roots_.links),
      wires_(*this, options_.wires, roots_.wires),
      keys_(roots_.keys),
      fabric_(*this, links_, options_.network) {
  links_.set_conditions(options_.links);
  links_.observe(*this);
}

World::~World() {
  for (Host& host : hosts_)
    for (const auto& process : host.processes()) process->cut_and_drain(Crash::power);
}

Host& World::add_host(HostSpec spec) {
  TUBING_ASSERT(!spec.name.empty() && "a host has a name");
  for (const Host& other : hosts_)
    TUBING_ASSERT(other.name() != spec.name && "two hosts have two names", spec.name);
  Host& host = hosts_.emplace_back(*this, links_.add_host(), std::move(spec));
  host.disk().set_conditions(options_.disk);
  tell_nodes(host);
  return host;
}

// Where the host can be reached is news.
void World::tell_nodes(const Host& host) {
  for (Process* process : running_)
    if (process->run_->node != nullptr) process->run_->node->learn(host);
}

Host* World::find_host(std::string_view name) {
  const auto found =
      std::ranges::find_if(hosts_, [&](const Host& host) { return host.name() == name; });
  return found == hosts_.end() ? nullptr : &*found;
}

Host& World::host(std::string_view name) {
  Host* const found = find_host(name);
  TUBING_ASSERT(found != nullptr && "no host has this name", name);
  return *found;
}

void World::at(Time at, EventQueue::Callback callback) {
  schedule(at, std::move(callback)).release();
}

bool World::step(Time until) {
  Time earliest = events_.next();
  Process* next = nullptr;
  for (Process* process : running_) {
    const Time wake = process->run_->reactor.wake_at();
    if (wake >= earliest) continue;
    earliest = wake;
    next = process;
  }
  if (earliest == Time::max() || earliest > until) return false;
  now_ = std::max(now_, earliest);
  if (next != nullptr) {
    stepping_ = next;
    hash_.set_turn(next->id_);
    next->turn(now_);
    hash_.set_turn(RunHash::kNobody);
    stepping_ = nullptr;
  } else {
    events_.run_due(now_);
  }
  return true;
}

void World::run_until(Time time) {
  while (step(time)) {
  }
  now_ = std::max(now_, time);
}

Result<> World::run_until_idle() {
  const Time limit{options_.time_max};
  while (step(limit)) {
  }
  if (running_.empty()) return {};
  const bool more =
      events_.next() != Time::max() || std::ranges::any_of(running_, [](const Process* process) {
        return process->run_->reactor.wake_at() != Time::max();
      });
  if (!more) return stopped(Code::failed_precondition, "all tasks are asleep");
  return stopped(Code::deadline_exceeded, "the world's time reached its limit");
}

Result<> World::run_until_ended(Process& process) {
  const Time limit{options_.time_max};
  while (process.running() || !process.result()) {
    if (step(limit)) continue;
    if (now_ < limit && !process.running())
      return Error(Code::aborted, "run", fmt::format("{} crashed", process.name()));
    Result<> idle = run_until_idle();
    if (!idle) return idle;
    return Error(Code::aborted, "run", fmt::format("{} crashed", process.name()));
  }
  return *process.result();
}

std::string World::waiting() const {
  std::string lines;
  for (const Process* process : running_)
    lines += fmt::format("{}:\n{}", process->name(), process->run_->scheduler.dump());
  return lines;
}

NetworkSnapshot World::snapshot() {
  const bool bytes = options_.mode == Mode::byte;
  NetworkSnapshot shot{.time_ns = now_.time_since_epoch().count(),
                       .unit = bytes ? "bytes" : "messages",
                       .hosts = {},
                       .links = {},
                       .connections = wires_.connections(),
                       .dials = wires_.dials()};
  for (Host& host : hosts_) {
    HostSnapshot& row = shot.hosts.emplace_back(
        HostSnapshot{.name = host.name(),
                     .powered = host.powered(),
                     .state = std::string(link_state_name(links_.state(host.id()))),
                     .processes = {}});
    for (const auto& process : host.processes())
      if (process->running()) row.processes.push_back(process->name());
    for (const Host& to : hosts_) {
      if (host.id() == to.id()) continue;
      const detail::MessageRoute& route = fabric_.route(host.id(), to.id());
      shot.links.push_back({.from = host.name(),
                            .to = to.name(),
                            .connected = route.connected(),
                            .held = route.held(),
                            .faulty = !route.clean(),
                            .kept = route.kept(),
                            .traffic = bytes ? wires_.traffic(host.id(), to.id()) : route.traffic});
    }
  }
  return shot;
}

Process::Draws World::draws_of(std::string_view process, std::uint64_t life) const {
  return {.order = roots_.order.of(process, life),
          .entropy = roots_.entropy.of(process, life),
          .workload = roots_.workload.of(process, life),
          .pace = roots_.pace.of(process, life)};
}

void World::on_link_change(HostId from, HostId to) {
  const LinkFaults& faults = links_.faults(from, to);
  const CardFaults& sender = links_.card(from);
  const CardFaults& receiver = links_.card(to);
  const std::string text = fmt::format(
      "{} {} {} {} {} {} {} {} {} {} {}", faults.drop_ppm, faults.deaf_ppm, faults.duplicate_ppm,
      faults.reorder_ppm, faults.corrupt_ppm, faults.reset_ppm, faults.cut, faults.held,
      sender.drop_ppm, receiver.deaf_ppm, links_.connected(from, to));
  note("link", (std::uint64_t{from} << 32) | to, as_bytes(text));
}

Result<> World::stopped(Code code, std::string_view why) const {
  return Error(code, "run", fmt::format("{}\n{}", why, waiting()));
}

}  // namespace tubing::sim
