// World: hosts, the links between them, and time; all of it follows from one seed.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "tubing/rpc/node_limits.h"
#include "tubing/sim/host.h"
#include "tubing/sim/links.h"
#include "tubing/sim/message_fabric.h"
#include "tubing/sim/network_snapshot.h"
#include "tubing/sim/process_node.h"
#include "tubing/sim/running_hash.h"
#include "tubing/sim/wires.h"

namespace tubing::sim {

/// What the Network of a process is made of.
enum class Mode : std::uint8_t {
  message,  ///< It carries message by message, fast.
  byte,     ///< rpc::Node over byte streams, with handshakes, records and mux.
};

struct WorldOptions {
  Mode mode = Mode::message;
  /// Of every link; single ones are set by `links()`.
  LinkConditions links = {};
  /// Of the network in message mode.
  NetworkConditions network = {};
  /// Of every process; single ones are set by `Process::set_pace`.
  Pace pace = {};
  /// Of every host's disk; single ones are set by `Host::disk()`.
  DiskConditions disk = {.latency_min = std::chrono::microseconds(10),
                         .latency_max = std::chrono::microseconds(200),
                         .sync_min = std::chrono::microseconds(300),
                         .sync_max = std::chrono::milliseconds(5)};
  /// Of the byte streams between processes.
  WireOptions wires = {};
  /// Of every process's Node, in byte mode.
  rpc::NodeLimits node = {};
  WallTime epoch = VirtualReactor::kEpoch;
  /// The latest time to which a run goes that has no end of its own.
  Duration time_max = std::chrono::hours(24);
};

/// A deterministic world: the same seed, and the same calls, give the same run in every build.
///
///     World world(seed);
///     Host& server = world.add_host({.name = "server"});
///     Host& client = world.add_host({.name = "client"});
///     server.spawn("echo", serve_echo);
///     Process& user = client.spawn("user", talk);
///     world.at(Time(2s), [&] { world.links().cut(server.id(), client.id()); });
///     Result<> r = world.run_until_ended(user);
///     CHECK(world.hash() == "…");
///
/// Each process runs on a Scheduler of its own. The world always drives the one whose next moment
/// is the earliest; a step takes a few drawn nanoseconds of that process's time, and what it sends
/// arrives at others later. Draws are keyed by what they are for (see Streams).
///
/// Threads: one; different worlds may run on different threads.
class World final : LinkObserver {
 public:
  explicit World(std::uint64_t seed, WorldOptions options = {});
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Requires: no other host has its name, which is not empty.
  Host& add_host(HostSpec spec);
  /// Requires: there is one of this name.
  Host& host(std::string_view name);
  Host& host(HostId id) { return hosts_[id]; }
  /// Null where there is none of this name.
  Host* find_host(std::string_view name);
  const std::deque<Host>& hosts() const { return hosts_; }

  /// The time of the last step; a process may be a little ahead of it.
  Time now() const { return now_; }
  /// Calls `callback` when the world's time is `at`: faults that are ordered in one callback strike
  /// at one instant. A time that has passed is now.
  void at(Time at, EventQueue::Callback callback);
  /// The same, until the Event is dropped.
  EventQueue::Event schedule(Time at, EventQueue::Callback callback) {
    return events_.schedule(std::max(at, now_), std::move(callback));
  }

  /// Runs all that happens up to that time, and moves time there.
  void run_until(Time time);
  void run_for(Duration span) { run_until(now_ + span); }
  /// Runs until nothing can ever happen again.
  /// Errors: failed_precondition "all tasks are asleep" with the list of who waits, where a process
  /// still runs; deadline_exceeded at `time_max`, with the same list.
  Result<> run_until_idle();
  /// Runs until the process has ended. Returns: how it ended.
  /// Errors: as run_until_idle; aborted where it crashed and nobody can start it again.
  Result<> run_until_ended(Process& process);
  /// One moment of one process, or one event of `at`. Returns: false where the next one lies behind
  /// `until`, or there is none.
  bool step(Time until = Time::max());

  Links& links() { return links_; }
  Wires& wires() { return wires_; }
  WorldKeys& keys() { return keys_; }
  const WorldOptions& options() const { return options_; }
  /// What travels in message mode.
  MessageFabric& fabric() { return fabric_; }
  /// The whole network now, in either mode: hosts, links, traffic, connections; changes nothing.
  NetworkSnapshot snapshot();
  /// For what tests and scenarios draw; no process has it.
  Prng& workload() { return workload_; }
  RunHash& run_hash() { return hash_; }
  const RunHash& run_hash() const { return hash_; }
  /// 32 hexadecimal digits over all that happened.
  std::string hash() const { return hash_.text(); }
  /// Every strand that waits, a line each, by process.
  std::string waiting() const;
  /// What programs did that no program may: a task that did not end when its process crashed.
  const std::vector<std::string>& problems() const { return problems_; }

  /// Something of note happened: into the hash.
  void note(std::string_view kind, std::uint64_t subject, ByteView payload = {}) {
    hash_.on_event(now_, kind, subject, payload);
  }
  void add_problem(std::string text) { problems_.push_back(std::move(text)); }

 private:
  friend class Host;
  friend class Process;

  struct Roots {
    explicit Roots(std::uint64_t seed);
    Streams order;
    Prng links;
    Streams entropy;
    Streams workload;
    Streams pace;
    Prng wires;
    Prng keys;
    Streams disks;
  };

  Process::Draws draws_of(std::string_view process, std::uint64_t life) const;
  Prng draws_of_disk(std::string_view host) const { return roots_.disks.of(host); }
  void tell_nodes(const Host& host);
  void on_link_change(HostId from, HostId to) override;
  void on_link_ease(HostId, HostId) override {}
  void on_deliver_late(HostId, HostId) override {}
  Result<> stopped(Code code, std::string_view why) const;

  const WorldOptions options_;
  Roots roots_;
  Prng workload_;
  Time now_{};
  RunHash hash_;
  EventQueue events_;
  Links links_;
  Wires wires_;
  WorldKeys keys_;
  MessageFabric fabric_;
  std::deque<Host> hosts_;
  std::vector<Process*> running_;  ///< In the order of their ids.
  Process* stepping_ = nullptr;    ///< Whose turn it is.
  std::uint64_t next_process_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace tubing::sim
