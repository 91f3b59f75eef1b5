#include "tubing/channel/posix_calls.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

namespace tubing::channel {

int PosixCalls::openat(int folder, const char* path, int flags, mode_t mode) {
  return ::openat(folder, path, flags, mode);
}

int PosixCalls::close(int file) { return ::close(file); }

ssize_t PosixCalls::pread(int file, void* to, std::size_t size, off_t offset) {
  return ::pread(file, to, size, offset);
}

ssize_t PosixCalls::pwritev(int file, const iovec* parts, int count, off_t offset) {
  return ::pwritev(file, parts, count, offset);
}

int PosixCalls::fdatasync(int file) { return ::fdatasync(file); }

int PosixCalls::fsync(int file) { return ::fsync(file); }

int PosixCalls::ftruncate(int file, off_t size) { return ::ftruncate(file, size); }

int PosixCalls::fallocate(int file, off_t offset, off_t size) {
  return ::fallocate(file, 0, offset, size);
}

int PosixCalls::flock(int file, int operation) { return ::flock(file, operation); }

int PosixCalls::fstat(int file, struct stat* out) { return ::fstat(file, out); }

int PosixCalls::fstatat(int folder, const char* path, struct stat* out) {
  return ::fstatat(folder, path, out, 0);
}

int PosixCalls::fstatvfs(int file, struct statvfs* out) { return ::fstatvfs(file, out); }

int PosixCalls::renameat(int folder, const char* from, const char* to) {
  return ::renameat(folder, from, folder, to);
}

int PosixCalls::unlinkat(int folder, const char* path, int flags) {
  return ::unlinkat(folder, path, flags);
}

int PosixCalls::mkdirat(int folder, const char* path, mode_t mode) {
  return ::mkdirat(folder, path, mode);
}

int PosixCalls::read_entries(int folder, std::vector<DiskEntry>& out, std::size_t count_max) {
  const int own = ::fcntl(folder, F_DUPFD_CLOEXEC, 0);
  if (own < 0) return -1;
  DIR* dir = ::fdopendir(own);
  if (!dir) {
    ::close(own);
    return -1;
  }
  errno = 0;
  while (out.size() <= count_max) {
    const dirent* entry = ::readdir(dir);
    if (!entry) break;
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    struct stat status = {};
    const bool unclear = entry->d_type == DT_UNKNOWN || entry->d_type == DT_LNK;
    const bool is_folder =
        unclear ? ::fstatat(folder, entry->d_name, &status, 0) == 0 && S_ISDIR(status.st_mode)
                : entry->d_type == DT_DIR;
    out.push_back({std::string(name), is_folder});
    errno = 0;
  }
  const int why = errno;
  ::closedir(dir);
  errno = why;
  return why == 0 ? 0 : -1;
}

}  // namespace tubing::channel
