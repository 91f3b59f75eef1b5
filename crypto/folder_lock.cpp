#include "tubing/crypto/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace tubing::crypto {

Result<FolderLock> FolderLock::take(const std::string& folder) {
  const std::string path = folder + (folder.ends_with('/') ? ".lock" : "/.lock");
  FolderLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  int failed = lock.fd_ < 0 ? -1 : ::flock(lock.fd_, LOCK_EX);
  while (failed != 0 && lock.fd_ >= 0 && errno == EINTR) failed = ::flock(lock.fd_, LOCK_EX);
  if (failed != 0)
    return Error(errno == ENOENT ? Code::not_found : Code::permission_denied, "lock folder",
                 fmt::format("{}: {}", path, std::generic_category().message(errno)));
  return lock;
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) ::close(fd_);
}

FolderLock::FolderLock(FolderLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

}  // namespace tubing::crypto
