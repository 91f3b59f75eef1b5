// PosixDisk: the files of a real folder.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "tubing/channel/disk.h"
#include "tubing/channel/posix_calls.h"
#include "tubing/channel/reactor.h"
#include "tubing/channel/worker_pool.h"

namespace tubing::channel {

struct PosixDiskOptions {
  DiskLimits limits = {};
  /// Null: the system's own. Requires: outlives the disk.
  PosixCalls* calls = nullptr;
};

/// A Disk on POSIX calls. Each queue has a thread of its own, which begins with its first operation
/// and does one after the other: libuv's pool, which resolves names, has no part in it.
///
///     UvReactor reactor;
///     auto disk = PosixDisk::make(reactor, "/var/lib/thing");
///
/// How the rules of Disk are kept: `sync` is fdatasync, and `sync_dir` is fsync of the folder. They
/// hold on file systems whose fsync reaches the device and empties its cache; network file systems
/// and some containers promise less. Files are made for their owner alone (0600, folders 0700).
/// Symbolic links are followed: the folder is its owner's.
///
/// Requires: the reactor outlives it; nobody waits for an operation when it is destroyed. It then
/// carries out what was abandoned or only closes, and blocks until that is done.
/// Threads: the Scheduler's alone.
class PosixDisk final : public Disk {
 public:
  /// Errors: not_found, permission_denied, invalid_argument where `folder` is none that can be
  /// used.
  static Result<std::unique_ptr<PosixDisk>> make(Reactor& reactor, const std::string& folder,
                                                 PosixDiskOptions options = {});
  ~PosixDisk() override;

 private:
  class Job;

  PosixDisk(Reactor& reactor, int folder, PosixDiskOptions options);

  void start(std::unique_ptr<DiskRequest> request) override;
  void on_done(Job& job);
  WorkerPool& queue(DiskQueue queue) { return queue == DiskQueue::log ? log_ : bulk_; }

  Reactor& reactor_;
  PosixCalls own_calls_;
  PosixCalls& calls_;
  const int folder_;  ///< Its descriptor; what all paths start from.
  WorkerPool log_;
  WorkerPool bulk_;
  std::map<FileId, int> descriptors_;
};

}  // namespace tubing::channel
