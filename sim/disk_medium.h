// DiskMedium: the disk of a simulated host, which outlives its processes; and its faults.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tubing/channel/base/prng.h"
#include "tubing/sim/detail/disk_tree.h"
#include "tubing/sim/disk_conditions.h"
#include "tubing/sim/disk_image.h"
#include "tubing/sim/running_hash.h"
#include "tubing/sim/streams.h"

namespace tubing::sim {

class Disk;

/// What is stored, and what is written to it and not yet stored: the device, and the kernel's cache
/// of it. Processes reach it through a sim::Disk each. All faults are ordered here: at a rate, by
/// `set_conditions`; of the next operations, by `order`; at once, by a call of their own.
///
/// Every operation goes into the run's hash as it takes effect, with its bytes; so does every
/// fault.
///
/// Requires: it outlives its Disks.
/// Threads: one.
class DiskMedium {
 public:
  /// What is written to a file and not synced is kept apart up to this; beyond it the oldest is
  /// stored, as a kernel does with its dirty pages. Units: bytes.
  static constexpr std::size_t kUnsyncedBytesMax = 8 * 1024 * 1024;

  /// `clock` is the host's; `host` tells its events from those of others.
  DiskMedium(std::function<Time()> clock, Prng prng, RunHash& hash, std::uint64_t host = 0);
  ~DiskMedium();
  DiskMedium(const DiskMedium&) = delete;
  DiskMedium& operator=(const DiskMedium&) = delete;

  /// What is under way ends no later than if it began now; what hung at a rate ends once that is 0.
  void set_conditions(const DiskConditions& conditions);
  const DiskConditions& conditions() const { return conditions_; }
  /// The next `count` operations that the fault can meet, on paths that begin with `path`, meet it.
  /// Requires: it is one that strikes single operations: rot (of a read), misdirected, an error,
  /// no_space, slow or hung.
  void order(DiskFault fault, std::string path = {}, std::uint64_t count = 1);
  /// Every rate becomes 0 but those of a power loss; what was ordered is forgotten; what hangs goes
  /// on. Speed and capacity stay.
  void heal();
  /// What hangs goes on.
  void release_hung();

  /// The power goes: every Disk is cut, and of what no sync covered a drawn part stays.
  void lose_power();
  /// Another disk stands in its place, empty. The Disks of before meet data_loss on open files.
  void wipe();
  /// Flips the bits of `mask` in a stored byte. What is in the cache still hides it.
  /// Returns: whether there is such a byte.
  bool rot(std::string_view path, std::uint64_t offset, std::byte mask = std::byte{1});

  /// How a judge reads a disk: all that a process would find, at once, without any fault and
  /// without a trace of having looked. After a loss of power that is what it left. It takes as much
  /// memory as the files are long, with their holes.
  DiskImage image() const;
  const DiskCounts& counts() const { return counts_; }
  /// Told of each damage as it happens, for a model that must not take it for a bug.
  void on_damage(std::function<void(const DiskDamage&)> told) { on_damage_ = std::move(told); }
  /// Changes that a power loss would put at risk.
  std::size_t unsynced_changes() const;
  std::uint64_t blocks_used() const { return tree_.blocks_used(); }

 private:
  friend class Disk;

  /// One opening of a file by a Disk.
  struct Opening {
    detail::NodeId node = 0;
    std::uint64_t id = 0;  ///< For its lock.
    std::uint64_t failed_syncs_told = 0;
  };
  struct Order {
    DiskFault fault;
    std::string path;
    std::uint64_t left;
  };

  // What a Disk does with it.
  void attach(Disk& disk) { disks_.push_back(&disk); }
  void detach(Disk& disk) { std::erase(disks_, &disk); }
  /// Carries it out now. `covered`: the last change when it was submitted.
  void perform(channel::DiskRequest& request, Opening& opening, detail::ChangeId covered);
  /// Its process ends while it is under way: a drawn part of it happens.
  void perform_part(channel::DiskRequest& request, Opening& opening);
  void close(Opening& opening);
  Duration draw_time(const channel::DiskRequest& request);
  Duration draw_healthy_time(const channel::DiskRequest& request);
  bool draw_hang(const channel::DiskRequest& request);
  detail::ChangeId last_change() const { return last_change_; }

  bool strikes(DiskFault fault, std::uint32_t rate, std::string_view path);
  /// What the next event of this class draws from.
  Prng draws(DiskFault fault) { return draws_.next(clock_(), static_cast<std::size_t>(fault)); }
  Prng draws_latency() { return draws_.next(clock_(), kDiskFaults); }
  /// How much is done of what a crash interrupts.
  Prng draws_part() { return draws_.next(clock_(), kDiskFaults + 1); }
  static Duration between(Prng prng, Duration min, Duration max);
  void count(DiskFault fault) { ++counts_.faults[static_cast<std::size_t>(fault)]; }
  void note(const channel::DiskRequest& request, const Opening& opening);
  void note(std::string_view kind, std::initializer_list<std::uint64_t> words);

  Result<> carry_out(channel::DiskRequest& request, Opening& opening, detail::ChangeId covered);
  Result<> on_file(channel::DiskRequest& request, Opening& opening, detail::ChangeId covered);
  Result<> open(const channel::DiskRequest& request, Opening& opening);
  Result<> read(channel::DiskRequest& request, detail::NodeId id);
  Result<> write(const channel::DiskRequest& request, detail::NodeId id);
  Result<> write_in_part(const channel::DiskRequest& request, detail::NodeId id, ByteView bytes);
  Result<> preallocate(const channel::DiskRequest& request, detail::NodeId id);
  Result<> sync(const channel::DiskRequest& request, Opening& opening, detail::ChangeId covered);
  Result<> lock(const channel::DiskRequest& request, const Opening& opening);
  Result<> on_names(channel::DiskRequest& request, detail::ChangeId covered);
  Result<> change_names(const channel::DiskRequest& request, const detail::DiskTree::Place& place);
  Result<> list(channel::DiskRequest& request, const detail::DiskTree::Place& place);
  bool has_room(const channel::DiskRequest& request, std::uint64_t blocks);
  void change(detail::NodeId id, detail::FileChange change);
  void store(detail::NodeId id, const detail::FileChange& change);
  void misdirect(detail::NodeId id, const detail::FileChange& change);
  void damage(detail::NodeId id, std::uint64_t offset, std::uint64_t length, DiskFault fault);
  void lose_unsynced(detail::NodeId id);
  bool store_torn(detail::DiskFile& file, const detail::FileChange& change, Prng& prng);

  std::function<Time()> clock_;
  TimedDraws<kDiskFaults + 2> draws_;
  Prng orders_of_disks_;  ///< Seeds each Disk.
  // What a loss of power leaves of one hangs on no other: a stream for each path and each loss.
  const Streams losses_of_files_;
  const Streams losses_of_names_;
  RunHash& hash_;
  const std::uint64_t host_;
  DiskConditions conditions_;
  DiskCounts counts_;
  std::vector<Order> orders_;
  std::function<void(const DiskDamage&)> on_damage_;
  std::vector<Disk*> disks_;
  detail::DiskTree tree_;
  detail::ChangeId last_change_ = 0;
  std::uint64_t next_opening_ = 1;
};

}  // namespace tubing::sim
