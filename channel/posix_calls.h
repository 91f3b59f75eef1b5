// PosixCalls: the system calls of PosixDisk, so that a test can record or fail each of them.
#pragma once

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <string>
#include <vector>

#include "tubing/channel/disk_request.h"

namespace tubing::channel {

/// Each does what the call of its name does, and answers as that does: by -1 and errno.
///
/// Threads: called on those of the disk's queues, two at a time.
class PosixCalls {
 public:
  virtual ~PosixCalls() = default;

  virtual int openat(int folder, const char* path, int flags, mode_t mode);
  virtual int close(int file);
  virtual ssize_t pread(int file, void* to, std::size_t size, off_t offset);
  virtual ssize_t pwritev(int file, const iovec* parts, int count, off_t offset);
  virtual int fdatasync(int file);
  virtual int fsync(int file);
  virtual int ftruncate(int file, off_t size);
  virtual int fallocate(int file, off_t offset, off_t size);
  virtual int flock(int file, int operation);
  virtual int fstat(int file, struct stat* out);
  virtual int fstatat(int folder, const char* path, struct stat* out);
  virtual int fstatvfs(int file, struct statvfs* out);
  virtual int renameat(int folder, const char* from, const char* to);
  virtual int unlinkat(int folder, const char* path, int flags);
  virtual int mkdirat(int folder, const char* path, mode_t mode);
  /// readdir until the end, without "." and "..", or until `out` has more than `count_max`.
  virtual int read_entries(int folder, std::vector<DiskEntry>& out, std::size_t count_max);
};

}  // namespace tubing::channel
