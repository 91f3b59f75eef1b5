#include "tubing/channel/posix_disk.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "tubing/channel/detail/posix_errors.h"

namespace tubing::channel {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr mode_t kFolderMode = 0700;
constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

// One queue never makes the other wait for a thread, and no more begin than one each.
constexpr WorkerLimits kOneThread{.threads_max = 1,
                                  .queue_max = std::numeric_limits<std::uint32_t>::max()};

/// Calls until no signal came between.
template <class F>
auto uninterrupted(F call) {
  for (;;) {
    const auto answer = call();
    if (answer >= 0 || errno != EINTR) return answer;
  }
}

int flags_of(OpenMode mode) {
  // Without O_NONBLOCK a pipe of that name would block the queue; it is refused once it is open.
  constexpr int kAlways = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  switch (mode) {
    case OpenMode::read: return kAlways | O_RDONLY;
    case OpenMode::write: return kAlways | O_RDWR;
    case OpenMode::create: return kAlways | O_RDWR | O_CREAT;
    case OpenMode::create_new: break;
  }
  return kAlways | O_RDWR | O_CREAT | O_EXCL;
}

off_t offset_of(std::uint64_t at) { return static_cast<off_t>(at); }

/// What is left of the parts of a write, as pwritev takes it.
class RestOfParts {
 public:
  explicit RestOfParts(std::vector<Bytes>& parts) {
    for (Bytes& part : parts)
      if (!part.empty()) rest_.push_back({.iov_base = part.data(), .iov_len = part.size()});
  }
  bool empty() const { return first_ == rest_.size(); }
  const iovec* data() const { return rest_.data() + first_; }
  int count() const { return static_cast<int>(rest_.size() - first_); }
  void skip(std::size_t bytes) {
    while (bytes > 0) {
      iovec& part = rest_[first_];
      const std::size_t taken = std::min(bytes, part.iov_len);
      part.iov_base = static_cast<std::byte*>(part.iov_base) + taken;
      part.iov_len -= taken;
      bytes -= taken;
      if (part.iov_len == 0) ++first_;
    }
  }

 private:
  std::vector<iovec> rest_;
  std::size_t first_ = 0;
};

}  // namespace

/// One request on its way through a thread. While it runs, it alone touches the request.
class PosixDisk::Job final : public Work {
 public:
  Job(PosixDisk& disk, std::unique_ptr<DiskRequest> request, int file)
      : disk_(disk), calls_(disk.calls_), request_(std::move(request)), file_(file) {}

  std::unique_ptr<DiskRequest> take() { return std::move(request_); }
  const DiskRequest& request() const { return *request_; }
  int file() const { return file_; }

 private:
  void run() noexcept override {
    const int failed = carry_out();
    if (failed != 0) request_->result = detail::error_of_errno(*request_, failed);
  }
  void on_done() override { disk_.on_done(*this); }

  /// Returns: the errno that stopped it, or 0. An error with a text of its own is in the request.
  int carry_out();
  int open();
  int read();
  int write();
  int remove();
  int list();
  int sync_dir();
  int free_space();
  int stat();

  template <class F>
  static int failure(F call) {
    return uninterrupted(std::move(call)) < 0 ? errno : 0;
  }
  const char* path() const { return request_->path.empty() ? "." : request_->path.c_str(); }

  PosixDisk& disk_;
  PosixCalls& calls_;
  std::unique_ptr<DiskRequest> request_;
  int file_;  ///< Of an operation on a file, and what `open` opened.
};

int PosixDisk::Job::carry_out() {
  const DiskRequest& r = *request_;
  const int folder = disk_.folder_;
  switch (r.operation) {
    case DiskOperation::open: return open();
    case DiskOperation::read: return read();
    case DiskOperation::write: return write();
    case DiskOperation::sync: return failure([&] { return calls_.fdatasync(file_); });
    case DiskOperation::truncate:
      return failure([&] { return calls_.ftruncate(file_, offset_of(r.length)); });
    case DiskOperation::preallocate:
      return failure(
          [&] { return calls_.fallocate(file_, offset_of(r.offset), offset_of(r.length)); });
    case DiskOperation::lock:
      return failure([&] { return calls_.flock(file_, LOCK_EX | LOCK_NB); });
    // Never tried again: after EINTR the descriptor is gone, and may be another file's by now.
    case DiskOperation::close: return calls_.close(file_) < 0 && errno != EINTR ? errno : 0;
    case DiskOperation::rename:
      return failure([&] { return calls_.renameat(folder, path(), r.target.c_str()); });
    case DiskOperation::remove: return remove();
    case DiskOperation::make_dir:
      return failure([&] { return calls_.mkdirat(folder, path(), kFolderMode); });
    case DiskOperation::list: return list();
    case DiskOperation::sync_dir: return sync_dir();
    case DiskOperation::free_space: return free_space();
    case DiskOperation::size:
    case DiskOperation::stat: return stat();
  }
  return EINVAL;
}

int PosixDisk::Job::open() {
  const int opened = uninterrupted(
      [&] { return calls_.openat(disk_.folder_, path(), flags_of(request_->mode), kFileMode); });
  if (opened < 0) return errno;
  struct stat status = {};
  int failed = failure([&] { return calls_.fstat(opened, &status); });
  if (failed == 0 && S_ISREG(status.st_mode)) {
    file_ = opened;
    return 0;
  }
  calls_.close(opened);
  if (failed != 0) return failed;
  if (S_ISDIR(status.st_mode)) return EISDIR;
  request_->result = request_->error(Code::invalid_argument,
                                     "it is a device, a pipe or a socket; name a regular file");
  return 0;
}

int PosixDisk::Job::read() {
  Bytes& bytes = request_->bytes;
  bytes.resize(request_->length);
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t more = uninterrupted([&] {
      return calls_.pread(file_, bytes.data() + got, bytes.size() - got,
                          offset_of(request_->offset + got));
    });
    if (more < 0) return errno;
    if (more == 0) break;  // the end of the file
    got += static_cast<std::size_t>(more);
  }
  bytes.resize(got);
  return 0;
}

int PosixDisk::Job::write() {
  RestOfParts rest(request_->parts);
  std::uint64_t at = request_->offset;
  while (!rest.empty()) {
    const ssize_t written = uninterrupted(
        [&] { return calls_.pwritev(file_, rest.data(), rest.count(), offset_of(at)); });
    if (written < 0) return errno;
    if (written == 0) return EIO;  // a device that takes nothing, for ever
    rest.skip(static_cast<std::size_t>(written));
    at += static_cast<std::uint64_t>(written);
  }
  return 0;
}

int PosixDisk::Job::remove() {
  const int failed = failure([&] { return calls_.unlinkat(disk_.folder_, path(), 0); });
  if (failed != EISDIR) return failed;
  return failure([&] { return calls_.unlinkat(disk_.folder_, path(), AT_REMOVEDIR); });
}

int PosixDisk::Job::list() {
  const int folder =
      uninterrupted([&] { return calls_.openat(disk_.folder_, path(), kFolderFlags, 0); });
  if (folder < 0) return errno;
  std::vector<DiskEntry>& entries = request_->entries;
  const std::size_t count_max = disk_.limits().entries_max;
  const int failed = calls_.read_entries(folder, entries, count_max) < 0 ? errno : 0;
  calls_.close(folder);
  if (failed != 0) return failed;
  if (entries.size() > count_max) {
    entries.clear();
    request_->result = request_->error(
        Code::out_of_range, fmt::format("more than {} names lie in it; spread them over folders, "
                                        "or raise DiskLimits::entries_max",
                                        count_max));
  }
  std::ranges::sort(entries, {}, &DiskEntry::name);
  return 0;
}

int PosixDisk::Job::sync_dir() {
  const int folder =
      uninterrupted([&] { return calls_.openat(disk_.folder_, path(), kFolderFlags, 0); });
  if (folder < 0) return errno;
  const int failed = failure([&] { return calls_.fsync(folder); });
  calls_.close(folder);
  return failed;
}

int PosixDisk::Job::free_space() {
  struct statvfs status = {};
  const int failed = failure([&] { return calls_.fstatvfs(disk_.folder_, &status); });
  request_->space = {.free_bytes = status.f_bavail * std::uint64_t{status.f_frsize},
                     .total_bytes = status.f_blocks * std::uint64_t{status.f_frsize}};
  return failed;
}

int PosixDisk::Job::stat() {
  struct stat status = {};
  const bool is_size = request_->operation == DiskOperation::size;
  const int failed = failure([&] {
    return is_size ? calls_.fstat(file_, &status) : calls_.fstatat(disk_.folder_, path(), &status);
  });
  request_->stat = {.size = static_cast<std::uint64_t>(status.st_size),
                    .is_folder = S_ISDIR(status.st_mode)};
  if (request_->stat.is_folder) request_->stat.size = 0;
  return failed;
}

Result<std::unique_ptr<PosixDisk>> PosixDisk::make(Reactor& reactor, const std::string& folder,
                                                   PosixDiskOptions options) {
  PosixCalls system;
  PosixCalls& calls = options.calls ? *options.calls : system;
  const int opened =
      uninterrupted([&] { return calls.openat(AT_FDCWD, folder.c_str(), kFolderFlags, 0); });
  if (opened < 0) {
    DiskRequest asked;
    asked.path = folder;
    return detail::error_of_errno(asked, errno);
  }
  return std::unique_ptr<PosixDisk>(new PosixDisk(reactor, opened, options));
}

PosixDisk::PosixDisk(Reactor& reactor, int folder, PosixDiskOptions options)
    : Disk(options.limits),
      reactor_(reactor),
      calls_(options.calls ? *options.calls : own_calls_),
      folder_(folder),
      log_(reactor.mailbox(), kOneThread),
      bulk_(reactor.mailbox(), kOneThread) {}

PosixDisk::~PosixDisk() {
  // What is done may let a file close, which is one operation more.
  while (log_.is_busy() || bulk_.is_busy()) {
    log_.drain();
    bulk_.drain();
  }
  calls_.close(folder_);
}

void PosixDisk::start(std::unique_ptr<DiskRequest> request) {
  const DiskQueue line = request->queue;
  const auto opened = descriptors_.find(request->file);
  const int file = opened == descriptors_.end() ? -1 : opened->second;
  auto job = std::make_unique<Job>(*this, std::move(request), file);
  const Result<> started = queue(line).start(*job.release());
  TUBING_ASSERT(started.has_value() && "no limit of its own stops a queue");
  reactor_.mailbox().expect(1);
}

void PosixDisk::on_done(Job& done) {
  reactor_.mailbox().expect(-1);
  const std::unique_ptr<Job> job(&done);
  const DiskRequest& request = job->request();
  if (request.operation == DiskOperation::open && request.result)
    descriptors_.emplace(request.file, job->file());
  if (request.operation == DiskOperation::close) descriptors_.erase(request.file);
  finish(job->take());
}

}  // namespace tubing::channel
