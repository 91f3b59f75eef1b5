// Where a process ends on a simulated disk; what a sync covers; what the run's hash hears.
#include <doctest/doctest.h>

#include "tests/channel/disk_text.h"
#include "tests/sim/disk_world.h"

namespace tubing::sim {
namespace {

using namespace std::chrono_literals;
using channel::DiskQueue;
using channel::File;
using channel::kSectorBytes;
using channel::OpenMode;
using test::bytes_of;
using test::text_of;

constexpr std::uint32_t kAlways = 1'000'000;

DiskConditions slow_and_losing(Duration latency) {
  return {.latency_min = latency,
          .latency_max = latency,
          .lost_write = kAlways,
          .torn_write = 0,
          .reordered_write = 0,
          .lost_name = 0};
}

Task<std::string> content(Disk& disk, std::string path) {
  File file = co_await ok(disk.open(path, OpenMode::read));
  co_return text_of(co_await ok(file.read(0, 1 << 20)));
}

std::string content_of(DiskWorld& world, std::string path) {
  std::string text;
  run_process(world, [&](Disk& disk) -> Task<> {
    text = co_await ok(content(disk, path));
    co_return {};
  });
  return text;
}

/// Writes and syncs for a while, then is cut in the middle of a write of `sectors`.
void run_cut_process(DiskWorld& world, std::size_t sectors, std::size_t& completed) {
  const Result<> ran = world.scheduler.run(nursery([&](Nursery&) -> Task<> {
    Disk disk(world.reactor, world.medium);
    co_return co_await nursery([&](Nursery& n) -> Task<> {
      n.spawn("process", [&]() -> Task<> {
        File file = co_await ok(disk.open("a", OpenMode::create));
        co_await ok(file.write(0, bytes_of("completed")));
        for (;;) {
          co_await ok(file.write(kSectorBytes, Bytes(sectors * kSectorBytes, std::byte{'n'})));
          ++completed;
        }
      });
      co_await ok(sleep(2500us));
      disk.cut();
      const std::string hash = world.hash.text();
      co_await ok(sleep(1h));
      // Only this strand was resumed: no operation completed.
      CHECK(world.medium.counts().of(channel::DiskOperation::close) == 0);
      CHECK(disk.is_cut());
      n.cancel();
      co_return {};
    });
  }));
  CHECK_MESSAGE(ran, (ran ? std::string() : ran.error().text()));
}

/// What one byte and one nanosecond are changed in.
std::string hash_of_run(std::uint64_t seed, char byte, Duration latency) {
  DiskWorld world(seed, {.latency_min = latency, .latency_max = latency});
  run_process(world, [&](Disk& disk) -> Task<> {
    File file = co_await ok(disk.open("a", OpenMode::create));
    std::string text(1000, 'x');
    text[777] = byte;
    co_await ok(file.write(0, bytes_of(text)));
    co_return co_await file.sync();
  });
  return world.hash.text();
}

}  // namespace

TEST_CASE("an image of a disk shows what a process would find and leaves no trace") {
  DiskWorld world(1, slow_and_losing(1ms));
  run_process(world, [&](Disk& disk) -> Task<> {
    co_await ok(disk.make_dir("d"));
    co_await ok(disk.make_dir("d/e"));
    co_await ok(disk.sync_dir(""));
    File file = co_await ok(disk.open("d/f", OpenMode::create));
    co_await ok(file.write(2, bytes_of("unsynced")));
    co_await ok(disk.open("d/e/g", OpenMode::create));
    co_await ok(disk.rename("d/f", "d/h"));
    co_return {};
  });
  const std::string hash = world.hash.text();
  world.medium.order(DiskFault::read_error);
  CHECK(world.medium.image() == DiskImage{{"d", std::nullopt},
                                          {"d/e", std::nullopt},
                                          {"d/e/g", Bytes()},
                                          {"d/h", bytes_of(std::string_view("\0\0unsynced", 10))}});
  CHECK(world.hash.text() == hash);
  CHECK(world.medium.counts().of(DiskFault::read_error) == 0);
  world.medium.lose_power();
  const DiskImage left = world.medium.image();
  CHECK(left.contains("d"));
  for (const auto& [path, content] : left) CHECK((!content || content->empty()));
  world.medium.wipe();
  CHECK(world.medium.image().empty());
}

TEST_CASE("what a power loss leaves of one nameless file hangs on no other") {
  std::size_t alike = 0;
  constexpr std::size_t kSeeds = 100;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    DiskWorld world(seed, {.lost_name = 1'000'000});
    run_process(world, [](Disk& disk) -> Task<> {
      for (const char* name : {"a", "b"}) co_await ok(disk.open(name, OpenMode::create));
      co_await ok(disk.sync_dir(""));
      for (const char* name : {"a", "b"}) {
        File file = co_await ok(disk.open(name, OpenMode::write));
        for (std::uint64_t i = 0; i < 6; ++i)
          co_await ok(file.write(i * kSectorBytes, bytes_of(std::string(kSectorBytes, 'x'))));
        co_await ok(disk.remove(name));
      }
      co_return {};
    });
    world.medium.lose_power();  // The names come back.
    alike += content_of(world, "a") == content_of(world, "b") ? 1 : 0;
  }
  CHECK(alike < kSeeds / 2);
}

TEST_CASE("a process that is cut leaves its completed writes and a part of the one under way") {
  std::size_t parts = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    DiskWorld world(seed, slow_and_losing(1ms));
    std::size_t completed = 0;
    run_cut_process(world, 4, completed);
    CHECK(completed == 0);
    const std::string text = content_of(world, "a");
    CHECK(text.starts_with("completed"));
    std::size_t written = 0;
    for (std::size_t at = kSectorBytes; at < text.size(); at += kSectorBytes) {
      const std::string sector = text.substr(at, kSectorBytes);
      const bool is_new = sector == std::string(kSectorBytes, 'n');
      CHECK((is_new || sector == std::string(kSectorBytes, '\0')));
      written += is_new ? 1 : 0;
    }
    parts += written > 0 && written < 4 ? 1 : 0;
    world.medium.lose_power();
    CHECK(content_of(world, "a").empty());
  }
  CHECK(parts > 5);
}

TEST_CASE("a cut disk completes nothing and takes nothing more") {
  DiskWorld world;
  const Result<> ran = world.scheduler.run(nursery([&](Nursery&) -> Task<> {
    Disk disk(world.reactor, world.medium);
    bool ended = false;
    co_await ok(nursery([&](Nursery& n) -> Task<> {
      File file = co_await ok(disk.open("a", OpenMode::create));
      co_await ok(file.lock());
      disk.cut();
      const DiskCounts before = world.medium.counts();
      n.spawn("waits", [&]() -> Task<> {
        const auto opened = co_await disk.open("b", OpenMode::create);
        ended = opened.code() == Code::cancelled;
        co_return {};
      });
      co_await ok(sleep(1h));
      CHECK_FALSE(ended);
      CHECK(world.medium.counts().operations == before.operations);
      n.cancel();
      co_return {};
    }));
    CHECK(ended);
    // Its lock went with it.
    Disk next(world.reactor, world.medium);
    const auto other = co_await next.stat("b");
    CHECK(other.code() == Code::not_found);
    File file = co_await ok(next.open("a", OpenMode::write));
    co_return co_await file.lock();
  }));
  CHECK_MESSAGE(ran, (ran ? std::string() : ran.error().text()));
}

TEST_CASE("a simulated sync covers exactly the writes that were complete when it was submitted") {
  std::size_t lost = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    DiskWorld world(seed, slow_and_losing(1ms));
    run_process(world, [&](Disk& disk) -> Task<> {
      File file = co_await ok(disk.open("a", OpenMode::create));
      File bulk = co_await ok(disk.open("a", OpenMode::write, DiskQueue::bulk));
      co_await ok(disk.sync_dir(""));
      co_await ok(file.write(0, Bytes(kSectorBytes, std::byte{'c'})));
      // The write completes before the sync does, and after that was submitted.
      co_return co_await nursery([&](Nursery& n) -> Task<> {
        n.spawn("write", bulk.write(kSectorBytes, Bytes(kSectorBytes, std::byte{'l'})));
        co_await ok(sleep(500us));
        n.spawn("sync", file.sync());
        co_return {};
      });
    });
    world.medium.lose_power();
    const std::string text = content_of(world, "a");
    CHECK(text == std::string(kSectorBytes, 'c'));
    lost += text.size() == kSectorBytes ? 1 : 0;
  }
  CHECK(lost == 10);
}

TEST_CASE("a sync_dir covers exactly the names that were complete when it was submitted") {
  DiskConditions conditions = slow_and_losing(1ms);
  conditions.lost_name = kAlways;
  DiskWorld world(1, conditions);
  run_process(world, [&](Disk& disk) -> Task<> {
    co_await ok(disk.make_dir("covered"));
    co_return co_await nursery([&](Nursery& n) -> Task<> {
      n.spawn("make", disk.make_dir("late", DiskQueue::bulk));
      co_await ok(sleep(500us));
      n.spawn("sync", disk.sync_dir(""));
      co_return {};
    });
  });
  world.medium.lose_power();
  run_process(world, [&](Disk& disk) -> Task<> {
    const auto entries = co_await ok(disk.list(""));
    CHECK(entries == std::vector<channel::DiskEntry>{{"covered", true}});
    co_return {};
  });
}

TEST_CASE("a long bulk write keeps no operation of the log waiting in virtual time") {
  DiskWorld world(1, {.latency_min = 1ms, .latency_max = 1ms, .bytes_per_second = 1'000'000});
  run_process(world, [&](Disk& disk) -> Task<> {
    File bulk = co_await ok(disk.open("bulk", OpenMode::create, DiskQueue::bulk));
    File log = co_await ok(disk.open("log", OpenMode::create));
    const Time begin = world.reactor.now();
    Duration of_log{};
    co_await ok(nursery([&](Nursery& n) -> Task<> {
      n.spawn("bulk", bulk.write(0, Bytes(2'000'000)));
      co_await ok(yield());
      co_await ok(log.write(0, Bytes(1000)));
      co_await ok(log.sync());
      of_log = world.reactor.now() - begin;
      co_return {};
    }));
    CHECK(of_log == 3ms);
    CHECK(world.reactor.now() - begin == 2001ms);
    co_return {};
  });
}

TEST_CASE("one byte that is written or one nanosecond of a disk changes the hash of its run") {
  const std::string hash = hash_of_run(1, 'a', 1ms);
  CHECK(hash_of_run(1, 'a', 1ms) == hash);
  CHECK(hash_of_run(1, 'b', 1ms) != hash);
  CHECK(hash_of_run(1, 'a', 1ms + 1ns) != hash);
  DiskWorld rotten;
  DiskWorld wiped;
  const std::string idle = rotten.hash.text();
  wiped.medium.wipe();
  CHECK(wiped.hash.text() != idle);
  rotten.medium.lose_power();
  CHECK(rotten.hash.text() != idle);
}

TEST_CASE("a simulated disk keeps a wide file in little memory and what it removed in none") {
  DiskWorld world;
  run_process(world, [&](Disk& disk) -> Task<> {
    File file = co_await ok(disk.open("a", OpenMode::create));
    co_await ok(file.write(std::uint64_t{1} << 50, bytes_of("far")));
    CHECK(world.medium.blocks_used() == 2);
    const std::string far = text_of(co_await ok(file.read((std::uint64_t{1} << 50) - 1, 10)));
    CHECK(far == std::string_view("\0far", 4));
    co_await ok(file.truncate(std::uint64_t{1} << 40));
    CHECK(world.medium.blocks_used() == 1);
    co_await ok(file.close());
    co_await ok(disk.remove("a"));
    co_await ok(disk.sync_dir(""));
    CHECK(world.medium.blocks_used() == 0);
    co_return {};
  });
}

TEST_CASE("what was never synced is stored by and by as a kernel would") {
  DiskWorld world(1, slow_and_losing(1ms));
  constexpr std::size_t kPart = 1024 * 1024;
  constexpr std::size_t kParts = 3 * DiskMedium::kUnsyncedBytesMax / kPart;
  run_process(world, [&](Disk& disk) -> Task<> {
    File file = co_await ok(disk.open("a", OpenMode::create));
    for (std::size_t i = 0; i < kParts; ++i)
      co_await ok(file.write(i * kPart, Bytes(kPart, std::byte{'x'})));
    CHECK(world.medium.unsynced_changes() <= DiskMedium::kUnsyncedBytesMax / kPart + 1);
    co_return co_await disk.sync_dir("");
  });
  world.medium.lose_power();
  std::uint64_t size = 0;
  run_process(world, [&](Disk& disk) -> Task<> {
    size = (co_await ok(disk.stat("a"))).size;
    co_return {};
  });
  CHECK(size >= (kParts - 1) * kPart - DiskMedium::kUnsyncedBytesMax);
  CHECK(size < kParts * kPart);
}

}  // namespace tubing::sim
