// DiskRequest: one operation on a disk, as an implementation of Disk gets it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tubing/channel/base/bytes.h"
#include "tubing/channel/base/result.h"
#include "tubing/channel/detail/frame_pool.h"
#include "tubing/channel/semaphore.h"

namespace tubing::detail {
class DiskOp;
}

namespace tubing::channel {

class Disk;

/// Two lines that are served apart, so that work in bulk never delays the log.
enum class DiskQueue : std::uint8_t { log, bulk };
inline constexpr std::size_t kDiskQueues = 2;

enum class OpenMode : std::uint8_t {
  read,        ///< One that is there; nothing may change it.
  write,       ///< One that is there; to read and write.
  create,      ///< To read and write; made where it is missing.
  create_new,  ///< To read and write; it must be missing.
};

/// What lies in a folder.
struct DiskEntry {
  std::string name;
  bool is_folder = false;
  friend bool operator==(const DiskEntry&, const DiskEntry&) = default;
};

/// Units: bytes.
struct DiskSpace {
  std::uint64_t free_bytes = 0;  ///< What this process may still write.
  std::uint64_t total_bytes = 0;
};

struct DiskStat {
  std::uint64_t size = 0;  ///< Of a file. Units: bytes.
  bool is_folder = false;
};

/// Names one opening of a file; never given twice by one Disk.
using FileId = std::uint64_t;

enum class DiskOperation : std::uint8_t {
  open,
  read,
  write,
  sync,
  truncate,
  preallocate,
  lock,
  size,
  close,
  rename,
  remove,
  make_dir,
  list,
  sync_dir,
  free_space,
  stat,
};
inline constexpr std::size_t kDiskOperations = 16;

/// Its name as it is written above; for errors too.
const char* operation_name(DiskOperation operation);

/// One operation from its submission to its answer. It owns all that it needs, so that it goes on
/// when nobody waits for it any more.
///
/// Threads: made and dropped on the Scheduler's; in between it belongs to whoever carries it out.
struct DiskRequest : tubing::detail::Pooled {
  DiskOperation operation = DiskOperation::open;
  DiskQueue queue = DiskQueue::log;
  OpenMode mode = OpenMode::read;
  FileId file = 0;     ///< Of an operation on a file, and of `open`, which gives it.
  std::string path;    ///< Of the file or the folder; also for the texts of errors.
  std::string target;  ///< Of rename.
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  ///< Of read, write, preallocate; the size of truncate.
  std::vector<Bytes> parts;  ///< Of write.

  // The answer.
  Result<> result;
  Bytes bytes;                     ///< Of read.
  std::vector<DiskEntry> entries;  ///< Of list, sorted by name.
  DiskSpace space;
  DiskStat stat;  ///< Of stat and size.

  /// An error of this operation: code, path, what was wrong and what to do.
  Error error(Code code, std::string_view what) const;

 private:
  friend class Disk;
  friend class tubing::detail::DiskOp;
  tubing::detail::DiskOp* waiter_ = nullptr;  ///< Null once nobody waits.
  Permit room_;
};

}  // namespace tubing::channel
