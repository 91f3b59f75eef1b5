#include "tubing/sim/process.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tubing/sim/detail/draw.h"
#include "tubing/sim/disk.h"
#include "tubing/sim/network.h"
#include "tubing/sim/process_wire.h"
#include "tubing/sim/trace.h"
#include "tubing/sim/world.h"

namespace tubing::sim {

using detail::draw;

namespace {

// A program that was told to stop and goes on for so many turns, or for so long in its own time,
// does not end.
constexpr int kDrainTurnsMax = 1'000;
constexpr Duration kDrainTimeMax = std::chrono::hours(1);

}  // namespace

/// The process's Disk, which dies with it.
class ProcessDisk final : public Seam {
 public:
  ProcessDisk(VirtualReactor& reactor, DiskMedium& medium) : disk(reactor, medium) {}
  void cut(Crash) override { disk.cut(); }

  Disk disk;
};

Process::Run::Run(Process& of, Draws draws, WallTime epoch, const HostClock& clock)
    : process(of),
      pace(draws.pace),
      reactor(epoch),
      scheduler(reactor, draws.order, SchedulerOptions{.order = Order::seeded}),
      entropy(draws.entropy),
      workload(draws.workload) {
  reactor.clock() = clock;
  reactor.on_clock_read(this);
  scheduler.observe(this);
}

Process::Run::~Run() = default;

void Process::Run::on_resume(Time, const tubing::detail::Strand& strand) {
  const Pace& with = process.pace_;
  reactor.spend(draw(pace, with.step_min, with.step_max));
  pause_sometimes();
  process.world().run_hash().on_resume_of(process.id_, reactor.world_now(), strand,
                                          scheduler.prng().position());
}

void Process::Run::pause_sometimes() {
  const Pace& with = process.pace_;
  if (with.pause_ppm == 0 || !pace.chance(with.pause_ppm, kPpm)) return;
  process.world().links().counts().add(FaultKind::pause);
  reactor.spend(draw(pace, with.pause_min, with.pause_max));
}

Process::Process(Host& host, std::string name, std::uint64_t id, Program program)
    : host_(host), name_(std::move(name)), id_(id), program_(std::move(program)) {}

Process::~Process() {
  // A frame cannot be destroyed while it waits: what still does not end is never freed.
  if (stuck_ && !drain(*stuck_)) (void)stuck_.release();
}

World& Process::world() { return host_.world(); }

void Process::add_seam(Seam& seam) {
  if (run_->cut) return seam.cut(Crash::process);
  run_->seams.push_back(&seam);
}

ProcessWire& Process::transport() {
  (void)run();
  if (run_->wire == nullptr) {
    run_->wire = std::make_unique<ProcessWire>(world().wires(), host_, run_->reactor);
    add_seam(*run_->wire);
  }
  return *run_->wire;
}

channel::Disk& Process::disk() {
  (void)run();
  if (run_->disk == nullptr) {
    run_->disk = std::make_unique<ProcessDisk>(run_->reactor, host_.disk());
    add_seam(*run_->disk);
  }
  return run_->disk->disk;
}

channel::Network& Process::network() {
  (void)run();
  if (world().options().mode == Mode::message) return message_network();
  return node();
}

rpc::Node& Process::node() {
  TUBING_ASSERT(world().options().mode == Mode::byte && "a Node is there in byte mode", name_);
  if (run_->node == nullptr) {
    if (!node_port_) node_port_ = ProcessNode::kPortMin + host_.node_count_++;
    run_->node = std::make_unique<ProcessNode>(*this, transport(), *node_port_);
    world().tell_nodes(host_);
  }
  return run_->node->node();
}

channel::Network& Process::message_network() {
  if (run_->network == nullptr) {
    run_->network = std::make_unique<Network>(*this);
    add_seam(*run_->network);
  }
  return *run_->network;
}

void Process::start() {
  TUBING_ASSERT(host_.powered() && "a process starts on a host that has power", name_);
  if (dying()) {
    starts_when_dead_ = true;
    return;
  }
  TUBING_ASSERT(!running() && "a process that runs is not started", name_);
  World& world = host_.world();
  if (starts_++ > 0) world.links().counts().add(FaultKind::restart);
  result_.reset();
  paused_until_ = Time::min();
  dying_.reset();
  starts_when_dead_ = false;
  run_ = std::make_unique<Run>(*this, world.draws_of(name_, starts_), world.options_.epoch,
                               host_.clock_);
  run_->reactor.advance_to(world.now());
  run_->reactor.set_wake_at(world.now());
  world.note(kStartKind, id_, as_bytes(name_));
  run_->program.emplace(run_->scheduler, program_(*this));
  const auto behind = std::ranges::find_if(
      world.running_, [this](const Process* other) { return other->id_ > id_; });
  world.running_.insert(behind, this);
}

void Process::pause() {
  TUBING_ASSERT(running(), name_);
  paused_until_ = Time::max();
  world().links().counts().add(FaultKind::pause);
  world().note("pause", id_);
}

void Process::pause_for(Duration span) {
  pause();
  paused_until_ = std::max(world().now(), run_->reactor.world_now()) + span;
  run_->reactor.set_wake_at(std::min(run_->reactor.wake_at(), paused_until_));
}

void Process::resume() {
  TUBING_ASSERT(running(), name_);
  paused_until_ = Time::min();
  run_->reactor.set_wake_at(world().now());
  world().note("resume", id_);
}

void Process::turn(Time at) {
  VirtualReactor& reactor = run_->reactor;
  if (at < paused_until_) return reactor.set_wake_at(paused_until_);
  reactor.advance_to(at);
  reactor.set_wake_at(Time::max());
  run_->program->turn();
  if (run_->program->ended()) return end();
  plan_next_turn();
}

void Process::plan_next_turn() {
  VirtualReactor& reactor = run_->reactor;
  const Time due = run_->program->next_due();
  Time wake = due == Time::min() ? reactor.world_now() : reactor.clock().world_at(due);
  wake = std::max(std::min(wake, reactor.next_event()), reactor.world_now());
  reactor.set_wake_at(wake);
}

void Process::end() {
  World& world = host_.world();
  result_ = run_->program->take();
  world.note("end", id_, as_bytes(*result_ ? std::string() : result_->error().text()));
  std::erase(world.running_, this);
  run_->reactor.on_clock_read(nullptr);
  run_.reset();
}

void Process::crash(Crash how) {
  starts_when_dead_ = false;
  if (!running()) return;
  const bool was_dying = dying();
  // Where the host goes dark before a process that was killed is dead, nobody answers for it.
  dying_ = was_dying ? std::max(*dying_, how) : how;
  if (!was_dying) die();
}

void Process::die() {
  World& world = host_.world();
  // It may have ended by itself in its last step.
  if (running()) {
    const Time present = run_->reactor.world_now();
    if (world.stepping_ == this || present > world.now()) {
      // A step that has begun is done to its end; its effects were before the crash.
      return world.at(present, [this, start = starts_] {
        if (starts_ == start) die();
      });
    }
    const Crash how = *dying_;
    if (how == Crash::process) world.links().counts().add(FaultKind::process_crash);
    world.note(how == Crash::process ? "crash" : "dark", id_);
    cut_and_drain(how);
  }
  if (starts_when_dead_) start();
}

void Process::cut_and_drain(Crash how) {
  if (!running()) return;
  World& world = host_.world();
  paused_until_ = Time::min();
  std::erase(world.running_, this);
  run_->scheduler.observe(nullptr);
  run_->reactor.on_clock_read(nullptr);
  run_->cut = true;
  for (Seam* seam : std::exchange(run_->seams, {})) seam->cut(how);
  if (drain(*run_)) return run_.reset();
  world.add_problem(fmt::format("{} did not end when it crashed; it still had\n{}", name_,
                                run_->scheduler.dump()));
  stuck_ = std::move(run_);
}

bool Process::drain(Run& run) {
  VirtualReactor& reactor = run.reactor;
  const Time limit = reactor.world_now() + kDrainTimeMax;
  run.program->cancel();
  for (int turn = 0; turn < kDrainTurnsMax && reactor.world_now() <= limit; ++turn) {
    if (run.program->ended()) {
      (void)run.program->take();
      return true;
    }
    run.program->turn();
    const Time due = run.program->next_due();
    if (due == Time::min()) continue;
    const Time wake = std::min(reactor.clock().world_at(due), reactor.next_event());
    if (wake == Time::max() && !run.program->ended()) return false;
    if (wake != Time::max()) reactor.advance_to(wake);
  }
  return false;
}

}  // namespace tubing::sim
