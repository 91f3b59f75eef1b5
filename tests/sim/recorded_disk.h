// RecordedDisk: what a disk was told by system calls, and every state that a power loss may leave.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tubing/channel/posix_calls.h"
#include "tubing/sim/scenarios/disk_model.h"

namespace tubing::test {

/// One call that changed something, or made it durable. Files and folders are numbered as they were
/// made; 0 is the root.
struct RecordedCall {
  enum class Kind : std::uint8_t { create, write, resize, grow, sync, rename, remove, sync_folder };
  Kind kind = Kind::sync;
  std::size_t node = 0;    ///< Of a file, and of what is made; of sync_folder, the folder.
  std::size_t folder = 0;  ///< Where the names of create, rename and remove lie.
  std::string name = {};
  std::string new_name = {};
  bool is_folder = false;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
  Bytes bytes = {};
};

/// Makes each call and remembers what it did. A failed call did nothing.
///
/// Threads: any.
class RecordingCalls final : public channel::PosixCalls {
 public:
  int openat(int folder, const char* path, int flags, mode_t mode) override;
  int close(int file) override;
  ssize_t pwritev(int file, const iovec* parts, int count, off_t offset) override;
  int fdatasync(int file) override;
  int fsync(int file) override;
  int ftruncate(int file, off_t size) override;
  int fallocate(int file, off_t offset, off_t size) override;
  int renameat(int folder, const char* from, const char* to) override;
  int unlinkat(int folder, const char* path, int flags) override;
  int mkdirat(int folder, const char* path, mode_t mode) override;

  std::vector<RecordedCall> calls() const;
  std::size_t size() const;

 private:
  void sync(int file);
  void record(RecordedCall call) { calls_.push_back(std::move(call)); }
  RecordedCall of_name(RecordedCall::Kind kind, const std::string& path) const;
  std::size_t node_at(const std::string& path) const;

  mutable std::mutex lock_;
  std::vector<RecordedCall> calls_;
  std::map<std::string, std::size_t> nodes_{{".", 0}};  ///< By path, as it is now.
  std::map<int, std::size_t> open_;                     ///< By descriptor.
  std::size_t next_ = 1;
};

/// Every state that the disk may be in when the power goes after these calls: what was synced, and
/// of all else any part. Of writes any sectors; any size that a file had; of names any, as long as
/// changes of one name or one file stay in order.
/// Returns: the states, or nothing where they are more than `count_max`.
std::set<sim::DiskImage> states_after_power_loss(const std::vector<RecordedCall>& calls,
                                                 std::size_t count_max);

}  // namespace tubing::test
