// MemoryFile: bytes that a reader of files can open by a path, without a disk.
#pragma once

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tubing/channel/base/assert.h"
#include "tubing/channel/base/bytes.h"

namespace tubing::fuzz {

/// Owns: the file, which is gone with it.
class MemoryFile {
 public:
  MemoryFile(ByteView bytes, mode_t mode) : fd_(::memfd_create("tubing-fuzz", MFD_CLOEXEC)) {
    TUBING_ASSERT(fd_ >= 0 && ::fchmod(fd_, mode) == 0);
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    TUBING_ASSERT(written == static_cast<ssize_t>(bytes.size()), written, bytes.size());
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

}  // namespace tubing::fuzz
