// Disk: the seam to files. Asynchronous, and exact about what a crash leaves.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tubing/channel/base/bytes.h"
#include "tubing/channel/disk_request.h"
#include "tubing/channel/semaphore.h"
#include "tubing/channel/task.h"

namespace tubing::channel {

class Disk;

/// What one Disk holds at most.
struct DiskLimits {
  /// One read or write. Units: bytes.
  std::size_t operation_bytes_max = 16 * 1024 * 1024;
  /// What the operations of one queue hold together, each its bytes and kOperationBytes: those that
  /// find no room wait for it, first come, first served. Units: bytes.
  std::size_t queue_bytes_max = 64 * 1024 * 1024;
  /// Files that are open at a time.
  std::size_t files_max = 1024;
  /// What `list` gives.
  std::size_t entries_max = 65'536;
};
/// What an operation counts for in its queue besides its bytes.
inline constexpr std::size_t kOperationBytes = 4096;
/// The longest path, and the longest name in one. Units: bytes.
inline constexpr std::size_t kPathBytesMax = 1024;
inline constexpr std::size_t kNameBytesMax = 255;
/// The most parts of one write.
inline constexpr std::size_t kWritePartsMax = 1024;
/// Where a write may be torn by a power loss: between two sectors, never within one. Units: bytes.
inline constexpr std::size_t kSectorBytes = 512;

/// An open file. Move-only; dropping it closes it behind its operations, and nobody hears how.
///
/// Requires: its Disk outlives it; an operation is asked of an open one.
/// Errors: of each operation: `data_loss` where the device failed; `aborted` where the file was
/// poisoned (rules 8 and 9 of Disk): open it again; `failed_precondition` where it is open for
/// reading alone; `invalid_argument` for more bytes at once than the Disk allows.
/// Threads: the Scheduler's alone.
/// Cancel: of each operation: rule 8 of Disk.
class File {
 public:
  File() = default;
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();

  /// Returns: the bytes there; fewer at the end of the file, none behind it.
  Task<Bytes> read(std::uint64_t offset, std::size_t length);
  /// Writes all of it; what lies between the old end and `offset` becomes zeros. Several parts are
  /// written one behind the other, as one operation.
  /// Errors: resource_exhausted where the disk is full, out_of_range where a file may not be so
  /// large. Any part of the bytes may have been written then (rule 10).
  Task<> write(std::uint64_t offset, Bytes bytes);
  Task<> write(std::uint64_t offset, std::vector<Bytes> parts);
  /// Makes durable what rule 2 says. Errors: whatever it is, the file is poisoned (rule 9).
  Task<> sync();
  /// Makes the file this long: cuts, or appends zeros. A change of size, for rule 2.
  Task<> truncate(std::uint64_t size);
  /// Takes the room for these bytes now; what was not there reads as zeros, and the file becomes at
  /// least that long. Writes into it find room later, on file systems that write in place.
  /// Errors: resource_exhausted; unimplemented where the file system cannot: write zeros instead.
  Task<> preallocate(std::uint64_t offset, std::uint64_t length);
  /// Keeps every other File from locking this file, in this process and in others, until this one
  /// is closed or the process ends. It keeps nobody from reading or writing.
  /// Errors: failed_precondition where another holds it.
  Task<> lock();
  Task<std::uint64_t> size();
  /// Closes it, and says how; the File is then empty. It makes nothing durable.
  /// Errors: aborted where operations of it are under way: it closes behind them.
  Task<> close();

  bool is_open() const { return disk_ != nullptr; }

 private:
  friend class Disk;
  File(Disk& disk, FileId id) : disk_(&disk), id_(id) {}
  std::unique_ptr<DiskRequest> request(DiskOperation operation) const;

  Disk* disk_ = nullptr;
  FileId id_ = 0;
};

/// One folder of the world's files, and all below it. The real one is PosixDisk; sim::Disk stands
/// in under the same code. This is what both promise, and all that they promise:
///
///  1. What was done is seen by every operation that is submitted after it was seen to complete.
///     Of operations under way at the same time the order is open. An operation is submitted when
///     its wait begins and finds room in its queue.
///  2. `sync` makes durable exactly those writes and changes of size to its file, by whatever File,
///     whose completion was seen before the sync was submitted. It makes no name durable.
///  3. Creating a file or a folder, renaming it and removing it are durable only once a `sync_dir`
///     of the folder that holds the name has completed, which was submitted after their completion
///     was seen. A file is there after a power loss if its name and every folder above it are.
///  4. The end of the process keeps all that had completed. Of what was under way any part may have
///     happened: of a write, some of its sectors.
///  5. A power loss keeps what is durable, and of all else any part: any of the writes in any
///     order, each torn between sectors; any size between those the file had since, where a byte
///     that was lost reads as it did before, or as zero.
///  6. A rename is one change: afterwards the file has its old name or its new one, and what it
///     replaced is there or replaced. Changes that touch the same name or the same file survive in
///     their order; others independently.
///  7. An operation owns its bytes: nobody keeps a buffer for it.
///  8. Cancelling ends the wait, not the operation: it may still happen, and nobody will hear. So
///     its file is poisoned: every later operation but `close` fails with `aborted`, until it is
///     opened again and its content looked at. What was cancelled before it was submitted never
///     happens, and poisons nothing.
///  9. A failed `sync` poisons its file: bytes that no sync covered may be gone, now or later, from
///     what is read too, so that a second sync would succeed over nothing. Who opens the file again
///     writes them once more. A failed `sync_dir` lets no later one of that folder pass, as long as
///     the Disk lives.
/// 10. A write that failed leaves any mixture of old and new where it was to go, until that place
///     is written again. It does not poison: a full disk may be written to when there is room.
/// 11. The queues are served apart: bulk work, however slow, keeps no operation of the log waiting.
///
/// Paths are relative to the Disk's folder, with '/' between names; "" is the folder itself. A path
/// that is absolute, or has an empty name, "." or ".." is refused, so that none leads out.
///
///     File wal = co_await ok(disk.open("wal/1", OpenMode::create));
///     co_await ok(wal.write(0, std::move(record)));
///     co_await ok(wal.sync());
///     co_await ok(disk.sync_dir("wal"));  // the name too; "wal" itself was synced when it was
///     made
///
/// Errors: of each operation: not_found; permission_denied; `resource_exhausted` for a full disk
/// alone; data_loss where the device failed; invalid_argument for a path as above, or where a file
/// was named in place of a folder; unavailable where too many files are open.
/// Threads: the Scheduler's alone.
class Disk {
 public:
  virtual ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  /// Opens a file; all its operations then wait in `queue`.
  /// Errors: already_exists where `create_new` finds one.
  Task<File> open(std::string path, OpenMode mode, DiskQueue queue = DiskQueue::log);
  /// Gives a file or a folder another name in the same folder, in place of the file that had it.
  /// Errors: invalid_argument where the folders differ: nothing makes such a move one change.
  Task<> rename(std::string from, std::string to, DiskQueue queue = DiskQueue::log);
  /// Removes a file, or an empty folder. A file that is open goes when it is closed.
  /// Errors: failed_precondition for a folder that is not empty.
  Task<> remove(std::string path, DiskQueue queue = DiskQueue::log);
  /// Errors: already_exists.
  Task<> make_dir(std::string path, DiskQueue queue = DiskQueue::log);
  /// Returns: what lies in the folder, in the order of names.
  /// Errors: out_of_range where that is more than `entries_max`.
  Task<std::vector<DiskEntry>> list(std::string folder, DiskQueue queue = DiskQueue::log);
  Task<> sync_dir(std::string folder, DiskQueue queue = DiskQueue::log);
  Task<DiskSpace> free_space(DiskQueue queue = DiskQueue::log);
  Task<DiskStat> stat(std::string path, DiskQueue queue = DiskQueue::log);

  const DiskLimits& limits() const { return limits_; }
  std::size_t open_files() const { return files_.size(); }

 protected:
  explicit Disk(DiskLimits limits);

  /// For implementations: carries `request` out and hands it to `finish`, later, from
  /// `Reactor::park`; never from inside this call. Every `close` comes, in or out of a wait, as
  /// the last request of its file.
  virtual void start(std::unique_ptr<DiskRequest> request) = 0;
  /// Requires: the answer is in it.
  void finish(std::unique_ptr<DiskRequest> request);

 private:
  friend class File;
  friend class tubing::detail::DiskOp;

  struct OpenFile {
    std::string path;
    DiskQueue queue = DiskQueue::log;
    bool read_only = false;
    std::unique_ptr<Error> poison;  ///< Why nothing but `close` is carried out any more.
    std::size_t under_way = 0;      ///< Its operations that have not finished.
    bool dropped = false;           ///< Its File is gone: it closes behind what is under way.
    bool closing = false;           ///< Its `close` was submitted.
  };

  /// Checks it, waits for room, and for its end. Returns: the request with its answer.
  Task<std::unique_ptr<DiskRequest>> carry_out(std::unique_ptr<DiskRequest> request);
  Task<> carry_out_plain(std::unique_ptr<DiskRequest> request);
  static Task<> close_file(File file);
  std::unique_ptr<DiskRequest> path_request(DiskOperation operation, std::string path,
                                            DiskQueue queue) const;
  Result<> check(const DiskRequest& request) const;
  Result<> check_extent(const DiskRequest& request) const;
  Result<> check_state(const DiskRequest& request) const;
  void submit(std::unique_ptr<DiskRequest> request);
  void abandon(DiskRequest& request);
  void poison(FileId id, Error why);
  void drop(FileId id);
  void close_unheard(FileId id);
  void note_answer(const DiskRequest& request);
  void note_opened(const DiskRequest& request);
  Semaphore& room(DiskQueue queue) { return queue == DiskQueue::log ? log_room_ : bulk_room_; }

  const DiskLimits limits_;
  Semaphore log_room_;
  Semaphore bulk_room_;
  FileId next_file_ = 1;
  std::size_t opening_ = 0;  ///< Submitted and not finished.
  std::map<FileId, OpenFile> files_;
  std::map<std::string, Error, std::less<>> failed_folders_;  ///< Whose sync_dir failed, and how.
};

}  // namespace tubing::channel
