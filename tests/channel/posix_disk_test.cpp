#include "tubing/channel/posix_disk.h"

#include <doctest/doctest.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <semaphore>

#include "tests/channel/disk_cases.h"
#include "tests/channel/disk_text.h"
#include "tests/crypto/temp_folder.h"
#include "tubing/channel/uv_reactor.h"

using namespace tubing;
using channel::Disk;
using channel::DiskLimits;
using channel::File;
using channel::OpenMode;
using channel::PosixDisk;
using test::bytes_of;
using test::text_of;

namespace {

class PosixHouse final : public test::DiskHouse {
 public:
  explicit PosixHouse(channel::PosixCalls* calls = nullptr) : calls_(calls) {}
  using DiskHouse::open;
  std::unique_ptr<Disk> open(DiskLimits limits) override {
    return *PosixDisk::make(reactor, folder.path(), {.limits = limits, .calls = calls_});
  }

  crypto::TempFolder folder;
  channel::UvReactor reactor;
  Scheduler scheduler{reactor, Prng(1)};

 private:
  channel::PosixCalls* calls_;
};

void run_cases(const std::vector<test::DiskCase>& cases) {
  for (const test::DiskCase& disk_case : cases) {
    CAPTURE(disk_case.fact);
    PosixHouse house;
    const Result<> ran = house.scheduler.run(disk_case.run(house));
    CHECK_MESSAGE(ran, (ran ? std::string() : ran.error().text()));
  }
}

/// Each call does less than it was asked for, and every other one is interrupted.
class SlowCalls final : public channel::PosixCalls {
 public:
  ssize_t pread(int file, void* to, std::size_t size, off_t offset) override {
    if (is_interrupted()) return -1;
    return PosixCalls::pread(file, to, std::min<std::size_t>(size, 7), offset);
  }
  ssize_t pwritev(int file, const iovec* parts, int, off_t offset) override {
    if (is_interrupted()) return -1;
    const iovec first{.iov_base = parts->iov_base,
                      .iov_len = std::min<std::size_t>(parts->iov_len, 5)};
    return PosixCalls::pwritev(file, &first, 1, offset);
  }
  int openat(int folder, const char* path, int flags, mode_t mode) override {
    return is_interrupted() ? -1 : PosixCalls::openat(folder, path, flags, mode);
  }
  int fdatasync(int file) override { return is_interrupted() ? -1 : PosixCalls::fdatasync(file); }
  int fsync(int file) override { return is_interrupted() ? -1 : PosixCalls::fsync(file); }
  int ftruncate(int file, off_t size) override {
    return is_interrupted() ? -1 : PosixCalls::ftruncate(file, size);
  }
  int close(int file) override {
    // The descriptor is gone although it was interrupted: a second close would hit another file.
    const int closed = PosixCalls::close(file);
    bad_closes += closed < 0 ? 1 : 0;
    errno = EINTR;
    return -1;
  }
  int bad_closes = 0;

 private:
  bool is_interrupted() {
    interrupted_ = !interrupted_;
    errno = EINTR;
    return interrupted_;
  }
  bool interrupted_ = false;
};

/// Every call that can fail does so, with `number`.
class FailingCalls final : public channel::PosixCalls {
 public:
  ssize_t pread(int file, void* to, std::size_t size, off_t offset) override {
    return number == 0 ? PosixCalls::pread(file, to, size, offset) : fail();
  }
  ssize_t pwritev(int file, const iovec* parts, int count, off_t offset) override {
    return number == 0 ? PosixCalls::pwritev(file, parts, count, offset) : fail();
  }
  int fdatasync(int file) override { return number == 0 ? PosixCalls::fdatasync(file) : fail(); }
  int fsync(int file) override { return number == 0 ? PosixCalls::fsync(file) : fail(); }
  int ftruncate(int file, off_t size) override {
    return number == 0 ? PosixCalls::ftruncate(file, size) : fail();
  }
  int fallocate(int file, off_t offset, off_t size) override {
    return number == 0 ? PosixCalls::fallocate(file, offset, size) : fail();
  }
  int renameat(int folder, const char* from, const char* to) override {
    return number == 0 ? PosixCalls::renameat(folder, from, to) : fail();
  }
  int number = 0;

 private:
  int fail() {
    errno = number;
    return -1;
  }
};

/// Its bulk write lasts until the log was synced.
class BlockingCalls final : public channel::PosixCalls {
 public:
  ssize_t pwritev(int file, const iovec* parts, int count, off_t offset) override {
    // The bound keeps a broken disk from stopping the test for ever.
    if (parts->iov_len == kBulkBytes) outlasted = synced.try_acquire_for(std::chrono::seconds(20));
    return PosixCalls::pwritev(file, parts, count, offset);
  }
  int fdatasync(int file) override {
    const int done = PosixCalls::fdatasync(file);
    synced.release();
    return done;
  }
  static constexpr std::size_t kBulkBytes = 12'345;
  std::binary_semaphore synced{0};
  std::atomic<bool> outlasted = false;
};

/// All writes go to a device that is always full.
class FullCalls final : public channel::PosixCalls {
 public:
  ssize_t pwritev(int, const iovec* parts, int count, off_t offset) override {
    return PosixCalls::pwritev(full_, parts, count, offset);
  }
  ~FullCalls() override { (void)PosixCalls::close(full_); }

 private:
  const int full_ = PosixCalls::openat(AT_FDCWD, "/dev/full", O_WRONLY | O_CLOEXEC, 0);
};

/// No file of this process may become longer, as long as it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

}  // namespace

TEST_CASE("a real folder keeps what the Disk contract says of files") {
  run_cases(test::disk_cases());
}

TEST_CASE("a real folder keeps what the Disk contract says of waits") {
  run_cases(test::disk_wait_cases());
}

TEST_CASE("a disk goes on after short reads and writes and interrupted calls") {
  SlowCalls calls;
  {
    PosixHouse house(&calls);
    const Result<> ran = house.scheduler.run(nursery([&](Nursery&) -> Task<> {
      auto disk = house.open();
      File file = co_await ok(disk->open("a", OpenMode::create));
      std::vector<Bytes> parts{bytes_of("a part of twenty-six bytes"), bytes_of("another one")};
      co_await ok(file.write(3, std::move(parts)));
      co_await ok(file.sync());
      co_await ok(disk->sync_dir(""));
      const std::string text = text_of(co_await ok(file.read(3, 100)));
      CHECK(text == "a part of twenty-six bytesanother one");
      co_await ok(file.truncate(4));
      co_await ok(file.close());
      co_return {};
    }));
    CHECK(ran.code() == Code::ok);
  }
  CHECK(calls.bad_closes == 0);
}

TEST_CASE("each failure of the system has its code and says what to do") {
  struct Row {
    int number;
    Code code;
    std::string_view text;
  };
  const Row rows[] = {
      {ENOSPC, Code::resource_exhausted, "make room"},
      {EDQUOT, Code::resource_exhausted, "quota"},
      {EIO, Code::data_loss, "dmesg"},
      {EFBIG, Code::out_of_range, "ulimit -f"},
      {EROFS, Code::permission_denied, "mount"},
      {EOPNOTSUPP, Code::unimplemented, "write zeros instead"},
      {ENOLINK, Code::unknown, "ENOLINK"},
  };
  FailingCalls calls;
  PosixHouse house(&calls);
  const Result<> ran = house.scheduler.run(nursery([&](Nursery&) -> Task<> {
    auto disk = house.open();
    File file = co_await ok(disk->open("name", OpenMode::create));
    for (const Row& row : rows) {
      CAPTURE(row.number);
      calls.number = row.number;
      const auto written = co_await file.write(0, bytes_of("x"));
      CHECK(written.code() == row.code);
      CHECK(written.error().text().starts_with("write: "));
      CHECK(written.error().text().find("name: ") != std::string::npos);
      CHECK(written.error().text().find(row.text) != std::string::npos);
      const auto read = co_await file.read(0, 1);
      CHECK(read.code() == row.code);
      const auto taken = co_await file.preallocate(0, 1);
      CHECK(taken.code() == row.code);
      const auto cut = co_await file.truncate(1);
      CHECK(cut.code() == row.code);
      const auto renamed = co_await disk->rename("name", "other");
      CHECK(renamed.code() == row.code);
    }
    calls.number = 0;
    co_await ok(file.write(0, bytes_of("it goes on")));
    co_return {};
  }));
  CHECK(ran.code() == Code::ok);
}

TEST_CASE("a failed sync is never tried again and poisons its file until it is opened again") {
  FailingCalls calls;
  PosixHouse house(&calls);
  const Result<> ran = house.scheduler.run(nursery([&](Nursery&) -> Task<> {
    auto disk = house.open();
    co_await ok(disk->make_dir("d"));
    File file = co_await ok(disk->open("d/a", OpenMode::create));
    co_await ok(file.write(0, bytes_of("x")));
    calls.number = EIO;
    const auto failed = co_await file.sync();
    CHECK(failed.code() == Code::data_loss);
    const auto folder = co_await disk->sync_dir("d");
    CHECK(folder.code() == Code::data_loss);
    calls.number = 0;
    const auto again = co_await file.sync();
    CHECK(again.code() == Code::aborted);
    CHECK(again.error().text().find("EIO") != std::string::npos);
    const auto read = co_await file.read(0, 1);
    CHECK(read.code() == Code::aborted);
    const auto folder_again = co_await disk->sync_dir("d");
    CHECK(folder_again.code() == Code::aborted);
    co_await ok(disk->sync_dir(""));
    co_await ok(file.close());
    File opened = co_await ok(disk->open("d/a", OpenMode::write));
    co_await ok(opened.sync());
    co_return {};
  }));
  CHECK(ran.code() == Code::ok);
}

TEST_CASE("the log is synced while a bulk write blocks") {
  BlockingCalls calls;
  PosixHouse house(&calls);
  const Result<> ran = house.scheduler.run(nursery([&](Nursery&) -> Task<> {
    auto disk = house.open();
    File bulk = co_await ok(disk->open("bulk", OpenMode::create, channel::DiskQueue::bulk));
    File log = co_await ok(disk->open("log", OpenMode::create));
    co_return co_await nursery([&](Nursery& both) -> Task<> {
      both.spawn("bulk", bulk.write(0, Bytes(BlockingCalls::kBulkBytes)));
      both.spawn("log", log.sync());
      co_return {};
    });
  }));
  CHECK(ran.code() == Code::ok);
  CHECK(calls.outlasted);
}

TEST_CASE("a full device is told as resource_exhausted and poisons nothing") {
  FullCalls calls;
  PosixHouse house(&calls);
  const Result<> ran = house.scheduler.run(nursery([&](Nursery&) -> Task<> {
    auto disk = house.open();
    File file = co_await ok(disk->open("a", OpenMode::create));
    const auto written = co_await file.write(0, bytes_of("x"));
    CHECK(written.code() == Code::resource_exhausted);
    co_await ok(file.sync());
    co_return {};
  }));
  CHECK(ran.code() == Code::ok);
}

TEST_CASE("a write across the limit of a file's size is told as out_of_range") {
  PosixHouse house;
  const Result<> ran = house.scheduler.run(nursery([&](Nursery&) -> Task<> {
    auto disk = house.open();
    File file = co_await ok(disk->open("a", OpenMode::create));
    Result<> written;
    Result<> cut;
    {
      const FileSizeLimit limit(1000);
      written = co_await file.write(0, Bytes(1500, std::byte{'x'}));
      cut = co_await file.truncate(2000);
    }
    CHECK(written.code() == Code::out_of_range);
    CHECK(cut.code() == Code::out_of_range);
    const std::uint64_t size = co_await ok(file.size());
    CHECK(size == 1000);
    co_await ok(file.write(0, Bytes(1500, std::byte{'y'})));
    co_return {};
  }));
  CHECK(ran.code() == Code::ok);
}

TEST_CASE("what was abandoned on a real folder is carried out before its disk is gone") {
  PosixHouse house;
  const Result<> ran = house.scheduler.run(nursery([&](Nursery&) -> Task<> {
    auto disk = house.open();
    for (int i = 0; i < 20; ++i) {
      File file = co_await ok(disk->open("a", OpenMode::create));
      co_await ok(nursery([&](Nursery& n) -> Task<> {
        n.spawn("abandoned", file.write(static_cast<std::uint64_t>(i) * 1000, Bytes(1000)));
        co_await ok(yield());
        n.cancel();
        co_return {};
      }));
    }
    disk.reset();
    const auto after = house.open();
    const auto status = co_await ok(after->stat("a"));
    CHECK(status.size == 20'000);
    co_return {};
  }));
  CHECK(ran.code() == Code::ok);
}

TEST_CASE("a disk refuses what is no regular file and a folder that is none") {
  PosixHouse house;
  REQUIRE(::mkfifo(house.folder.file("pipe").c_str(), 0600) == 0);
  const Result<> ran = house.scheduler.run(nursery([&](Nursery&) -> Task<> {
    auto disk = house.open();
    const auto pipe = co_await disk->open("pipe", OpenMode::write);
    CHECK(pipe.code() == Code::invalid_argument);
    File file = co_await ok(disk->open("a", OpenMode::create));
    co_return {};
  }));
  CHECK(ran.code() == Code::ok);
  CHECK(crypto::mode_of(house.folder.file("a")) == 0600);
  const auto missing = PosixDisk::make(house.reactor, house.folder.file("none"));
  CHECK(missing.code() == Code::not_found);
  const auto of_file = PosixDisk::make(house.reactor, house.folder.file("a"));
  CHECK(of_file.code() == Code::invalid_argument);
}
