// Process: a program on a simulated host, with a scheduler, a clock and seams of its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tubing/channel/disk.h"
#include "tubing/channel/execution.h"
#include "tubing/channel/network.h"
#include "tubing/sim/running_hash.h"
#include "tubing/sim/seeded_entropy.h"
#include "tubing/sim/virtual_reactor.h"

namespace tubing::rpc {
class Node;
}

namespace tubing::sim {

class Host;
class Network;
class Process;
class ProcessDisk;
class ProcessNode;
class ProcessWire;
class World;

/// What runs in a process: `[](Process& self) -> Task<> { … }`. It is kept, and runs again when the
/// process is started again.
using Program = std::function<Task<>(Process&)>;

/// How a process ends before its program does.
enum class Crash : std::uint8_t {
  process,  ///< It was killed: the host goes on, answers for it, and keeps completed writes.
  power,    ///< The host went dark: nobody answers, and only synced writes are sure to remain.
};

/// What a process reaches the world through, and loses first when it crashes.
class Seam {
 public:
  /// From now on no effect of the process reaches the network, the disk or the hash, and nothing
  /// reaches the process. Its tasks still live, and end after this.
  virtual void cut(Crash how) = 0;

 protected:
  ~Seam() = default;
};

/// How fast a process gets on. All is drawn for each resumption of a strand.
struct Pace {
  /// Time that a resumption takes, so that a loop without a wait comes to an end.
  Duration step_min{5};
  Duration step_max{60};
  /// So many of a million resumptions, and of the times that a clock is read, are followed by a
  /// pause: a page fault, a garbage collector beside it, a stopped virtual machine.
  std::uint32_t pause_ppm = 0;
  Duration pause_min = std::chrono::milliseconds(1);
  Duration pause_max = std::chrono::milliseconds(500);
};

/// Made by Host::spawn. It stays the same object when it crashes and is started again; what it
/// hands out belongs to the present run.
///
/// Invariant: one program at a time. What the process does follows from the world's seed and from
/// what reaches it through its seams.
/// Threads: one.
class Process final {
 public:
  Process(Host& host, std::string name, std::uint64_t id, Program program);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  const std::string& name() const { return name_; }  ///< "HOST/NAME".
  std::uint64_t id() const { return id_; }           ///< In the order of spawning, over the world.
  Host& host() { return host_; }
  World& world();

  bool running() const { return run_ != nullptr; }
  /// How often it was started.
  std::uint32_t starts() const { return starts_; }
  /// How the last run ended by itself; none while it runs, and after a crash.
  const std::optional<Result<>>& result() const { return result_; }

  /// Starts the program anew; one that is dying starts as soon as it is dead, unless it is crashed
  /// again before that. `crash(), start()` is a restart, whatever it is in the middle of.
  /// Requires: it does not run, or is dying; the host has power.
  void start();
  /// Kills the process at this instant; one that is in the middle of a step or a pause is dying,
  /// and dies behind it. Its seams are cut, then its tasks are cancelled and end, all in one
  /// instant. Does nothing where it does not run.
  void crash() { crash(Crash::process); }
  /// Stands still until `resume`, or for so long: its timers come late, what reaches it waits.
  /// Requires: running().
  void pause();
  void pause_for(Duration span);
  void resume();
  /// Whether it waits for `resume`.
  bool paused() const { return paused_until_ == Time::max(); }
  /// Whether it was killed in the middle of a step, and dies behind it; it is running() until then.
  bool dying() const { return running() && dying_.has_value(); }
  void set_pace(const Pace& pace) { pace_ = pace; }

  // The seams of the present run. Requires: running().

  Scheduler& scheduler() { return run().scheduler; }
  VirtualReactor& reactor() { return run().reactor; }
  crypto::Entropy& entropy() { return run().entropy; }
  /// Byte streams to processes of this and other hosts.
  ProcessWire& transport();
  /// Channels to services of other hosts, which are peers by their names.
  channel::Network& network();
  /// The same in byte mode, with all that a Node has to tell.
  rpc::Node& node();
  /// The host's disk.
  channel::Disk& disk();
  /// For what the program does: whom it calls, how long it thinks.
  Prng& workload() { return run().workload; }
  /// Has `seam` cut when the process crashes. It lives until the run is over, or is withdrawn.
  void add_seam(Seam& seam);
  void remove_seam(Seam& seam) { std::erase(run_->seams, &seam); }

 private:
  friend class Host;
  friend class World;

  struct Draws {
    Prng order;
    Prng entropy;
    Prng workload;
    Prng pace;
  };

  /// One run of the program: made at the start, gone when it has ended or crashed.
  struct Run final : ResumeObserver, VirtualReactor::ClockReader {
    Run(Process& process, Draws draws, WallTime epoch, const HostClock& clock);
    ~Run();
    void on_resume(Time now, const tubing::detail::Strand& strand) override;
    void on_clock_read() override { pause_sometimes(); }
    void pause_sometimes();

    Process& process;
    Prng pace;
    VirtualReactor reactor;
    Scheduler scheduler;
    SeededEntropy entropy;
    Prng workload;
    std::vector<Seam*> seams;
    bool cut = false;
    std::unique_ptr<ProcessDisk> disk;
    std::unique_ptr<ProcessWire> wire;
    std::unique_ptr<ProcessNode> node;
    std::unique_ptr<Network> network;
    std::optional<Execution> program;
  };

  channel::Network& message_network();
  Run& run() {
    TUBING_ASSERT(running() && "a process that does not run has no seams", name_);
    return *run_;
  }
  void crash(Crash how);
  /// Dies now, or behind the step that it is in; and starts then, where that was asked for.
  void die();
  /// Runs what is due at `at`, and says when it wants to be driven again.
  void turn(Time at);
  void plan_next_turn();
  void end();
  void cut_and_drain(Crash how);
  static bool drain(Run& run);

  Host& host_;
  const std::string name_;
  const std::uint64_t id_;
  Program program_;
  Pace pace_;
  std::uint32_t starts_ = 0;
  std::optional<Result<>> result_;
  Time paused_until_ = Time::min();
  std::optional<Crash> dying_;     ///< What it is killed by; stays until it starts again.
  bool starts_when_dead_ = false;  ///< The last that was asked for of one that is dying.
  std::optional<std::uint16_t> node_port_;
  std::unique_ptr<Run> run_;
  /// What could not be ended; tried once more in the end.
  std::unique_ptr<Run> stuck_;
};

}  // namespace tubing::sim
