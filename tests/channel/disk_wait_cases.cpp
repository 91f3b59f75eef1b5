// The contract's rules about waits: cancelling, poison, order, limits, closing.
#include <doctest/doctest.h>

#include "tests/channel/disk_cases.h"
#include "tests/channel/disk_text.h"

namespace tubing::test {
namespace {

using channel::Disk;
using channel::File;
using channel::OpenMode;

/// Counts when `task` begins; it then runs to its first wait.
Task<> begin(Task<> task, int& begun) {
  ++begun;
  co_return co_await std::move(task);
}

Task<> until(const int& begun, int count) {
  while (begun < count) co_await ok(yield());
  co_return {};
}

/// Runs `task` until its first operation is under way, then cancels it.
Task<> abandon(Task<> task) {
  int begun = 0;
  const Result<> ended = co_await nursery([&](Nursery& n) -> Task<> {
    n.spawn("abandoned", begin(std::move(task), begun));
    co_await ok(until(begun, 1));
    n.cancel();
    co_return {};
  });
  co_return ended;
}

/// Until what was only dropped is closed.
Task<> settle(Disk& disk, std::size_t files) {
  constexpr int kRoundsMax = 1000;
  for (int i = 0; i < kRoundsMax && disk.open_files() > files; ++i) co_await ok(disk.free_space());
  CHECK(disk.open_files() == files);
  co_return {};
}

Task<> fill(File& file, std::size_t size) { return file.write(0, Bytes(size, std::byte{'f'})); }

Task<> a_cancelled_write_poisons(DiskHouse& house) {
  auto disk = house.open();
  File file = co_await ok(disk->open("a", OpenMode::create));
  co_await ok(abandon(file.write(0, bytes_of("abandoned"))));
  const auto size = co_await file.size();
  CHECK(size.code() == Code::aborted);
  CHECK(size.error().text().find("open it again") != std::string::npos);
  const auto written = co_await file.write(0, bytes_of("x"));
  CHECK(written.code() == Code::aborted);
  const auto synced = co_await file.sync();
  CHECK(synced.code() == Code::aborted);
  // Another File of it is as good as ever, and sees the write or none of it.
  File again = co_await ok(disk->open("a", OpenMode::write));
  co_await ok(again.write(100, bytes_of("x")));
  (void)co_await file.close();
  co_await ok(settle(*disk, 1));
  const std::string text = text_of(co_await ok(again.read(0, 9)));
  const bool whole_or_none = text == "abandoned" || text == std::string(9, '\0');
  CHECK(whole_or_none);
  co_return {};
}

Task<> a_cancelled_wait_for_anything_poisons(DiskHouse& house) {
  auto disk = house.open();
  for (int which = 0; which < 6; ++which) {
    CAPTURE(which);
    File file = co_await ok(disk->open("a", OpenMode::create));
    Task<> task = which == 0   ? file.sync()
                  : which == 1 ? file.truncate(3)
                  : which == 2 ? file.preallocate(0, 3)
                  : which == 3 ? file.lock()
                               : which == 4
                      ? [](Task<Bytes> read) -> Task<> {
      (void)co_await ok(std::move(read));
      co_return {};
    }(file.read(0, 1))
        : [](Task<std::uint64_t> size) -> Task<> {
            (void)co_await ok(std::move(size));
            co_return {};
          }(file.size());
    co_await ok(abandon(std::move(task)));
    const auto synced = co_await file.sync();
    CHECK(synced.code() == Code::aborted);
  }
  co_await ok(settle(*disk, 0));
  co_return {};
}

Task<> what_never_began_poisons_nothing(DiskHouse& house) {
  auto disk = house.open();
  File file = co_await ok(disk->open("a", OpenMode::create));
  co_await ok(nursery([&](Nursery& n) -> Task<> {
    n.spawn("never begins", file.write(0, bytes_of("never")));
    n.cancel();
    co_return {};
  }));
  const std::uint64_t size = co_await ok(file.size());
  CHECK(size == 0);
  co_return {};
}

Task<> a_cancelled_open_leaves_no_file_open(DiskHouse& house) {
  auto disk = house.open();
  co_await ok(abandon([](Task<File> open) -> Task<> {
    (void)co_await ok(std::move(open));
    co_return {};
  }(disk->open("a", OpenMode::create))));
  co_await ok(disk->free_space());
  co_await ok(settle(*disk, 0));
  co_return {};
}

Task<> a_dropped_file_closes(DiskHouse& house) {
  auto disk = house.open();
  File kept = co_await ok(disk->open("b", OpenMode::create));
  {
    File file = co_await ok(disk->open("a", OpenMode::create));
    co_await ok(file.lock());
    CHECK(disk->open_files() == 2);
  }
  co_await ok(settle(*disk, 1));
  File again = co_await ok(disk->open("a", OpenMode::create));
  co_await ok(again.lock());
  kept = std::move(again);
  CHECK(kept.is_open());
  co_return {};
}

Task<> a_file_closes_behind_its_operations(DiskHouse& house) {
  auto disk = house.open();
  auto other = house.open();
  int begun = 0;
  co_await ok(nursery([&](Nursery& n) -> Task<> {
    File file = co_await ok(disk->open("a", OpenMode::create));
    for (int i = 0; i < 8; ++i) {
      const auto at = static_cast<std::uint64_t>(i) * 10'000;
      n.spawn("writes", begin(file.write(at, Bytes(10'000, std::byte{'w'})), begun));
    }
    co_await ok(until(begun, 8));
    const auto closed = co_await file.close();
    CHECK(closed.code() == Code::aborted);
    co_return {};
  }));
  co_await ok(settle(*disk, 0));
  const auto written = co_await ok(other->stat("a"));
  CHECK(written.size == 80'000);
  co_return {};
}

Task<> a_close_says_how(DiskHouse& house) {
  auto disk = house.open();
  File file = co_await ok(disk->open("a", OpenMode::create));
  Task<> late = file.sync();
  co_await ok(file.close());
  CHECK_FALSE(file.is_open());
  CHECK(disk->open_files() == 0);
  const auto synced = co_await std::move(late);
  CHECK(synced.code() == Code::failed_precondition);
  co_return {};
}

Task<> a_task_that_is_not_begun_does_nothing(DiskHouse& house) {
  auto disk = house.open();
  File file = co_await ok(disk->open("a", OpenMode::create));
  (void)file.write(0, bytes_of("never"));
  (void)disk->make_dir("d");
  const std::uint64_t size = co_await ok(file.size());
  CHECK(size == 0);
  (void)file.close();
  co_await ok(settle(*disk, 0));
  const auto entries = co_await ok(disk->list(""));
  CHECK(entries.size() == 1);
  co_return {};
}

Task<> one_operation_is_bounded(DiskHouse& house) {
  auto disk = house.open({.operation_bytes_max = 1000, .queue_bytes_max = 10'000});
  File file = co_await ok(disk->open("a", OpenMode::create));
  co_await ok(fill(file, 1000));
  const auto large = co_await fill(file, 1001);
  CHECK(large.code() == Code::invalid_argument);
  const auto long_read = co_await file.read(0, 1001);
  CHECK(long_read.code() == Code::invalid_argument);
  for (const std::uint64_t beyond : {~std::uint64_t{0}, std::uint64_t{1} << 63}) {
    const auto written = co_await file.write(beyond, bytes_of("x"));
    CHECK(written.code() == Code::out_of_range);
    const auto cut = co_await file.truncate(beyond);
    CHECK(cut.code() == Code::out_of_range);
    const auto read = co_await file.read(beyond, 1);
    CHECK(read.code() == Code::out_of_range);
    const auto taken = co_await file.preallocate(1, beyond);
    CHECK(taken.code() == Code::out_of_range);
  }
  co_return {};
}

Task<> a_full_queue_makes_others_wait(DiskHouse& house) {
  auto disk = house.open({.operation_bytes_max = 1000, .queue_bytes_max = 6000});
  File file = co_await ok(disk->open("a", OpenMode::create));
  int done = 0;
  co_await ok(nursery([&](Nursery& n) -> Task<> {
    for (int i = 0; i < 10; ++i)
      n.spawn("writes", [&, i]() -> Task<> {
        co_await ok(file.write(static_cast<std::uint64_t>(i) * 1000, Bytes(1000)));
        ++done;
        co_return {};
      });
    co_return {};
  }));
  CHECK(done == 10);
  // Only one has room: the second is never submitted, so that cancelling it poisons nothing.
  File second = co_await ok(disk->open("b", OpenMode::create));
  int begun = 0;
  co_await ok(nursery([&](Nursery& n) -> Task<> {
    n.spawn("under way", begin(file.write(0, Bytes(1000)), begun));
    co_await ok(until(begun, 1));
    co_await ok(abandon(second.write(0, Bytes(1000))));
    co_return {};
  }));
  co_await ok(second.sync());
  const std::uint64_t size = co_await ok(second.size());
  CHECK(size == 0);
  co_return {};
}

Task<> open_files_are_bounded(DiskHouse& house) {
  auto disk = house.open({.files_max = 2});
  File first = co_await ok(disk->open("a", OpenMode::create));
  File second = co_await ok(disk->open("b", OpenMode::create));
  const auto third = co_await disk->open("c", OpenMode::create);
  CHECK(third.code() == Code::unavailable);
  co_await ok(first.close());
  File fourth = co_await ok(disk->open("c", OpenMode::create));
  co_return {};
}

Task<> both_queues_work_at_once(DiskHouse& house) {
  auto disk = house.open();
  File log = co_await ok(disk->open("log", OpenMode::create));
  File bulk = co_await ok(disk->open("bulk", OpenMode::create, channel::DiskQueue::bulk));
  co_await ok(nursery([&](Nursery& n) -> Task<> {
    for (int i = 0; i < 20; ++i) {
      const auto at = static_cast<std::uint64_t>(i) * 3;
      n.spawn("log", log.write(at, bytes_of("log")));
      n.spawn("bulk", bulk.write(at, bytes_of("blk")));
      n.spawn("sync", log.sync());
    }
    co_return {};
  }));
  for (File* file : {&log, &bulk}) {
    const std::uint64_t size = co_await ok(file->size());
    CHECK(size == 60);
  }
  co_return {};
}

}  // namespace

const std::vector<DiskCase>& disk_wait_cases() {
  static const std::vector<DiskCase> kCases{
      {"a cancelled write poisons", a_cancelled_write_poisons},
      {"a cancelled wait for anything poisons", a_cancelled_wait_for_anything_poisons},
      {"what never began poisons nothing", what_never_began_poisons_nothing},
      {"a cancelled open leaves no file open", a_cancelled_open_leaves_no_file_open},
      {"a dropped file closes", a_dropped_file_closes},
      {"a file closes behind its operations", a_file_closes_behind_its_operations},
      {"a close says how", a_close_says_how},
      {"a task that is not begun does nothing", a_task_that_is_not_begun_does_nothing},
      {"one operation is bounded", one_operation_is_bounded},
      {"a full queue makes others wait", a_full_queue_makes_others_wait},
      {"open files are bounded", open_files_are_bounded},
      {"both queues work at once", both_queues_work_at_once},
  };
  return kCases;
}

}  // namespace tubing::test
