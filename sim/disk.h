// Disk: channel::Disk for one process of a simulation, in virtual time.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <vector>

#include "tubing/channel/disk.h"
#include "tubing/sim/disk_medium.h"
#include "tubing/sim/process.h"
#include "tubing/sim/virtual_reactor.h"

namespace tubing::sim {

/// One process's way to the disk of its host. Each queue does one operation at a time, in an order
/// that is drawn, and each takes a time that is drawn: all that the contract leaves open.
///
///     DiskMedium medium([&] { return reactor.now(); }, Prng(seed), hash);
///     sim::Disk disk(reactor, medium);
///
/// Requires: the medium and the reactor outlive it.
/// Threads: one.
class Disk final : public channel::Disk, public Seam {
 public:
  Disk(VirtualReactor& reactor, DiskMedium& medium, channel::DiskLimits limits = {});
  ~Disk() override;

  /// The process ends here: of what was under way a drawn part happened, and nothing has an effect
  /// any more. No wait for the disk ends but by being cancelled. Idempotent.
  void cut();
  /// The same: what a loss of power takes besides, DiskMedium::lose_power says.
  void cut(Crash) override { cut(); }
  bool is_cut() const { return cut_; }

 private:
  friend class DiskMedium;

  struct Queued {
    std::unique_ptr<channel::DiskRequest> request;
    detail::ChangeId covered = 0;  ///< The last change when it was submitted.
  };
  struct Line {
    std::vector<Queued> waiting;
    Queued current;
    VirtualReactor::Event done;
    Time done_at;
    bool hung = false;
  };

  void start(std::unique_ptr<channel::DiskRequest> request) override;
  void begin_next(Line& line);
  void complete(Line& line);
  void complete_at(Line& line, Time at);
  void hasten();
  void release_hung();
  DiskMedium::Opening& opening(const channel::DiskRequest& request);

  VirtualReactor& reactor_;
  DiskMedium& medium_;
  std::array<Line, channel::kDiskQueues> lines_;
  std::map<channel::FileId, DiskMedium::Opening> openings_;
  DiskMedium::Opening none_;
  Prng order_;
  bool cut_ = false;
  /// What will never complete: those who wait for it refer to it.
  std::vector<std::unique_ptr<channel::DiskRequest>> orphans_;
};

}  // namespace tubing::sim
