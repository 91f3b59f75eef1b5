#include "tubing/crypto/detail/small_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace tubing::crypto::detail {
namespace {

/// An open file descriptor, or -1.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

Code code_of(int reason) {
  switch (reason) {
    case ENOENT: return Code::not_found;
    case EEXIST: return Code::already_exists;
    case EACCES: return Code::permission_denied;
    case EPERM: return Code::permission_denied;
    case EROFS: return Code::permission_denied;
    case ENOSPC: return Code::resource_exhausted;
    default: return Code::unavailable;
  }
}

/// The error for the system call that has just failed.
Error system_error(const char* operation, const std::string& path) {
  const int reason = errno;
  if (reason == EEXIST)
    return Error(Code::already_exists, operation,
                 fmt::format("{} exists and is not overwritten; move it away, or choose another "
                             "name",
                             path));
  return Error(code_of(reason), operation,
               fmt::format("{}: {}", path, std::generic_category().message(reason)));
}

Result<void> check_kind(int fd, const std::string& path, Readers readers) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return system_error("read file", path);
  if (!S_ISREG(status.st_mode))
    return Error(Code::invalid_argument, "read file", fmt::format("{} is no regular file", path));
  const unsigned mode = status.st_mode & 07777;
  if (readers == Readers::owner && (mode & 077) != 0)
    return Error(Code::permission_denied, "read file",
                 fmt::format("{} has mode {:04o}, which opens it to others than its owner; run "
                             "`chmod 600 {}`, and make a new key if somebody may have read it",
                             path, mode, path));
  if (readers == Readers::everyone_of_a_list && (mode & 022) != 0)
    return Error(Code::permission_denied, "read file",
                 fmt::format("{} has mode {:04o}, which lets others than its owner say whom to "
                             "believe; look through it, and run `chmod go-w {}`",
                             path, mode, path));
  return {};
}

Result<void> write_all(int fd, const std::string& path, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error("write file", path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  if (::fsync(fd) != 0) return system_error("write file", path);
  return {};
}

/// Forces the names in the file's folder to the disk.
Result<void> sync_folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open() || ::fsync(fd.get()) != 0) return system_error("write file", folder);
  return {};
}

/// Gives the finished temporary file its name; link() refuses to overwrite, rename() does not.
Result<void> publish(const std::string& temporary, const std::string& path, IfExists if_exists) {
  if (if_exists == IfExists::replace) {
    if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error("write file", path);
  } else {
    if (::link(temporary.c_str(), path.c_str()) != 0) return system_error("write file", path);
    if (::unlink(temporary.c_str()) != 0) return system_error("write file", temporary);
  }
  return sync_folder_of(path);
}

std::string temporary_name(const std::string& path, Entropy& entropy) {
  std::array<std::byte, 8> random;
  entropy.fill(random);
  return fmt::format("{}.{}.new", path, to_hex(random));
}

}  // namespace

Result<std::size_t> read_small_file(const std::string& path, Readers readers, MutableBytes out) {
  // Without O_NONBLOCK a named pipe would hold the open until somebody writes.
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.is_open()) return system_error("read file", path);
  if (auto checked = check_kind(fd.get(), path, readers); !checked)
    return std::move(checked).error();
  std::size_t size = 0;
  while (true) {
    std::byte beyond;
    const bool full = size == out.size();
    const ssize_t got = full ? ::read(fd.get(), &beyond, 1)
                             : ::read(fd.get(), out.data() + size, out.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read file", path);
    if (got == 0) return size;
    if (full)
      return Error(Code::out_of_range, "read file",
                   fmt::format("{} is longer than {} bytes", path, out.size()));
    size += static_cast<std::size_t>(got);
  }
}

Result<void> write_small_file(const std::string& path, Readers readers, ByteView bytes,
                              IfExists if_exists, Entropy& entropy) {
  const std::string temporary = temporary_name(path, entropy);
  const mode_t mode = readers == Readers::owner ? 0600 : 0644;
  Result<void> done;
  {
    const Descriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    if (!fd.is_open()) return system_error("write file", temporary);
    done = write_all(fd.get(), temporary, bytes);
  }
  if (done) done = publish(temporary, path, if_exists);
  if (!done) ::unlink(temporary.c_str());
  return done;
}

}  // namespace tubing::crypto::detail
