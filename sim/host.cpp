#include "tubing/sim/host.h"

#include <fmt/format.h>

#include <algorithm>

#include "tubing/sim/world.h"

namespace tubing::sim {

Host::Host(World& world, HostId id, HostSpec spec)
    : world_(world),
      id_(id),
      spec_(std::move(spec)),
      disk_([&world] { return world.now(); }, world.draws_of_disk(spec_.name), world.run_hash(),
            id) {}

Process& Host::spawn(std::string name, Program program) {
  TUBING_ASSERT(powered_ && "a process starts on a host that has power", spec_.name);
  for (const auto& other : processes_)
    TUBING_ASSERT(other->name() != spec_.name + "/" + name && "two processes have two names", name);
  processes_.push_back(std::make_unique<Process>(*this, fmt::format("{}/{}", spec_.name, name),
                                                 world_.next_process_++, std::move(program)));
  processes_.back()->set_pace(world_.options_.pace);
  processes_.back()->start();
  return *processes_.back();
}

Process& Host::process(std::string_view name) {
  const auto found = std::ranges::find_if(processes_, [&](const auto& process) {
    return process->name().substr(spec_.name.size() + 1) == name;
  });
  TUBING_ASSERT(found != processes_.end() && "no process of this host has this name", name);
  return **found;
}

void Host::power_off() {
  if (!powered_) return;
  powered_ = false;
  world_.links().counts().add(FaultKind::power_loss);
  world_.note("power_off", id_);
  for (const auto& process : processes_) process->crash(Crash::power);
  disk_.lose_power();
}

void Host::power_on() {
  if (powered_) return;
  powered_ = true;
  world_.note("power_on", id_);
  world_.wires().on_power(id_);
  for (const auto& process : processes_) process->start();
}

void Host::set_clock_rate(std::int64_t ppb) {
  world_.links().counts().add(FaultKind::clock_rate);
  change_clock([ppb](HostClock& clock, Time now) { clock.set_rate(now, ppb); });
}

void Host::jump_clock(Duration by) {
  world_.links().counts().add(FaultKind::clock_jump);
  change_clock([by](HostClock& clock, Time now) { clock.jump(now, by); });
}

void Host::jump_wall_clock(Duration by) {
  world_.links().counts().add(FaultKind::wall_jump);
  change_clock([by](HostClock& clock, Time) { clock.jump_wall(by); });
}

void Host::change_clock(const std::function<void(HostClock&, Time)>& change) {
  // No process may have read a later time of the clock that is changed.
  Time now = world_.now();
  for (const auto& process : processes_)
    if (process->running()) now = std::max(now, process->reactor().world_now());
  change(clock_, now);
  for (const auto& process : processes_) {
    if (!process->running()) continue;
    process->reactor().clock() = clock_;
    process->reactor().set_wake_at(now);  // Its timers are due at other times now.
  }
  world_.note("clock", id_);
}

}  // namespace tubing::sim
