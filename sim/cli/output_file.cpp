#include "tubing/sim/cli/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace tubing::cli {
namespace {

Error refused(const std::string& path, const char* what, int error) {
  return Error(Code::invalid_argument, "write",
               fmt::format("{} {}: {}", path, what, std::strerror(error)));
}

}  // namespace

Result<OutputFile> OutputFile::open(const std::string& path) {
  constexpr ::mode_t kMode = 0666;
  int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
  const bool made = file >= 0;
  if (!made) file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, kMode);
  if (file < 0) return refused(path, "cannot be written", errno);
  return OutputFile(file, path, made);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      path_(std::move(other.path_)),
      made_(std::exchange(other.made_, false)) {}

OutputFile::~OutputFile() {
  if (file_ >= 0) ::close(file_);
  if (made_) ::unlink(path_.c_str());
}

bool OutputFile::is_also(const std::string& path) const {
  struct ::stat own{};
  struct ::stat other{};
  if (::fstat(file_, &own) != 0 || ::stat(path.c_str(), &other) != 0) return false;
  return S_ISREG(own.st_mode) && own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

Result<> OutputFile::write(std::string_view content) {
  made_ = false;
  // What is no file on a disk has nothing to be cut off.
  int error = ::ftruncate(file_, 0) == 0 || errno == EINVAL ? 0 : errno;
  while (!content.empty() && error == 0) {
    const ::ssize_t written = ::write(file_, content.data(), content.size());
    if (written >= 0) content.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 && errno != EINTR) error = errno;
  }
  if (::close(std::exchange(file_, -1)) != 0 && error == 0) error = errno;
  if (error == 0) return {};
  return refused(path_, "could not be written to its end", error);
}

Result<> write_text(const std::string& path, std::string_view content) {
  Result<OutputFile> file = OutputFile::open(path);
  if (!file) return std::move(file).error();
  return file->write(content);
}

}  // namespace tubing::cli
