// Each fault of a simulated disk: it is seen, and it ends when it is healed.
#include <doctest/doctest.h>

#include "tests/channel/disk_text.h"
#include "tests/sim/disk_world.h"
#include "tubing/sim/scenarios/disk_model.h"

namespace tubing::sim {
namespace {

using namespace std::chrono_literals;
using channel::File;
using channel::kSectorBytes;
using channel::OpenMode;
using test::bytes_of;
using test::text_of;

constexpr std::uint32_t kAlways = 1'000'000;

/// What a power loss takes; the rest is perfect.
DiskConditions losing(std::uint32_t lost, std::uint32_t torn = 0, std::uint32_t reordered = 0) {
  return {.lost_write = lost, .torn_write = torn, .reordered_write = reordered, .lost_name = 0};
}

/// Makes the file durable with this text, name and all.
Task<> make_durable(Disk& disk, std::string path, std::string text) {
  File file = co_await ok(disk.open(path, OpenMode::create));
  co_await ok(file.write(0, bytes_of(text)));
  co_await ok(file.sync());
  co_await ok(disk.sync_dir(""));
  co_return co_await file.close();
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

void make_durable_in(DiskWorld& world, std::string path, std::string text) {
  run_process(world, [&](Disk& disk) { return make_durable(disk, path, text); });
}

/// Overwrites each sector on its own, in their order, and syncs nothing.
void overwrite_sectors(DiskWorld& world, std::string path, std::size_t sectors) {
  run_process(world, [&](Disk& disk) -> Task<> {
    File file = co_await ok(disk.open(path, OpenMode::write));
    for (std::size_t i = 0; i < sectors; ++i)
      co_await ok(file.write(i * kSectorBytes, Bytes(kSectorBytes, std::byte{'n'})));
    co_return {};
  });
}

/// 'n' for each sector that is new, 'o' for an old one, '?' for a mixture.
std::string sectors_of(const std::string& text) {
  std::string kinds;
  for (std::size_t at = 0; at < text.size(); at += kSectorBytes) {
    const std::string sector = text.substr(at, kSectorBytes);
    kinds += sector.find_first_not_of(sector[0]) == std::string::npos ? sector[0] : '?';
  }
  return kinds;
}

}  // namespace

TEST_CASE("a power loss keeps what was synced and loses other writes until it is healed") {
  DiskWorld world(1, losing(kAlways));
  make_durable_in(world, "a", std::string(2 * kSectorBytes, 'o'));
  overwrite_sectors(world, "a", 2);
  CHECK(sectors_of(content_of(world, "a")) == "nn");  // the end of a process alone loses nothing
  CHECK(world.medium.unsynced_changes() == 2);
  world.medium.lose_power();
  CHECK(sectors_of(content_of(world, "a")) == "oo");
  CHECK(world.medium.counts().of(DiskFault::lost_write) == 2);
  CHECK(world.medium.counts().power_losses == 1);
  world.medium.set_conditions(losing(0));
  overwrite_sectors(world, "a", 2);
  world.medium.lose_power();
  CHECK(sectors_of(content_of(world, "a")) == "nn");
}

TEST_CASE("a power loss tears a write between sectors until it is healed") {
  std::size_t torn = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    DiskWorld world(seed, losing(0, kAlways));
    make_durable_in(world, "a", std::string(6 * kSectorBytes, 'o'));
    run_process(world, [&](Disk& disk) -> Task<> {
      File file = co_await ok(disk.open("a", OpenMode::write));
      // From the middle of a sector to the middle of another.
      co_return co_await file.write(kSectorBytes / 2, Bytes(4 * kSectorBytes, std::byte{'n'}));
    });
    world.medium.lose_power();
    const std::string text = content_of(world, "a");
    const std::string head = sectors_of(text.substr(0, kSectorBytes));
    const std::string kinds = sectors_of(text.substr(kSectorBytes, 3 * kSectorBytes));
    CHECK(kinds.find('?') == std::string::npos);
    CHECK((head == "o" ||
           text.substr(0, kSectorBytes) == std::string(256, 'o') + std::string(256, 'n')));
    CHECK(text.substr(5 * kSectorBytes) == std::string(kSectorBytes, 'o'));
    const bool mixed = kinds.find('n') != std::string::npos && kinds.find('o') != std::string::npos;
    torn += mixed ? 1 : 0;
    if (mixed) CHECK(world.medium.counts().of(DiskFault::torn_write) == 1);
    world.medium.set_conditions(losing(0));
    overwrite_sectors(world, "a", 6);
    world.medium.lose_power();
    CHECK(sectors_of(content_of(world, "a")) == "nnnnnn");
  }
  CHECK(torn > 5);
}

TEST_CASE("a power loss keeps later writes without earlier ones until it is healed") {
  std::size_t reordered = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    DiskWorld world(seed, losing(kAlways / 2, 0, kAlways));
    make_durable_in(world, "a", std::string(6 * kSectorBytes, 'o'));
    overwrite_sectors(world, "a", 6);
    world.medium.lose_power();
    const bool seen = sectors_of(content_of(world, "a")).find("on") != std::string::npos;
    CHECK(seen == (world.medium.counts().of(DiskFault::reordered_write) > 0));
    reordered += seen ? 1 : 0;
    world.medium.set_conditions(losing(kAlways / 2));
    overwrite_sectors(world, "a", 6);
    make_durable_in(world, "a", std::string(6 * kSectorBytes, 'o'));
    overwrite_sectors(world, "a", 6);
    world.medium.lose_power();
    CHECK(sectors_of(content_of(world, "a")).find("on") == std::string::npos);
  }
  CHECK(reordered > 10);
}

TEST_CASE("a power loss that reorders nothing keeps no write behind one that it tore") {
  std::size_t torn = 0;
  std::size_t kept_behind = 0;
  for (const bool reorders : {false, true}) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
      CAPTURE(reorders);
      CAPTURE(seed);
      DiskWorld world(seed, losing(0, kAlways, reorders ? kAlways : 0));
      make_durable_in(world, "a", std::string(6 * kSectorBytes, 'o'));
      run_process(world, [](Disk& disk) -> Task<> {
        File file = co_await ok(disk.open("a", OpenMode::write));
        for (const std::uint64_t sector : {0, 2, 4})
          co_await ok(file.write(sector * kSectorBytes, Bytes(2 * kSectorBytes, std::byte{'n'})));
        co_return {};
      });
      world.medium.lose_power();
      const std::string kinds = sectors_of(content_of(world, "a"));
      const std::string first = kinds.substr(0, 2);
      torn += first == "no" || first == "on" ? 1 : 0;
      const bool behind = first != "nn" && kinds.find('n', 2) != std::string::npos;
      if (!reorders) CHECK_FALSE(behind);
      kept_behind += behind ? 1 : 0;
    }
  }
  CHECK(torn > 5);
  CHECK(kept_behind > 5);
}

TEST_CASE("a power loss loses names that no sync_dir covers until it is healed") {
  DiskConditions conditions = losing(0);
  conditions.lost_name = kAlways;
  DiskWorld world(1, conditions);
  make_durable_in(world, "kept", "kept");
  make_durable_in(world, "renamed", "renamed");
  const auto change_names = [](Disk& disk) -> Task<> {
    co_await ok(disk.rename("renamed", "new name"));
    co_await ok(disk.remove("kept"));
    co_await ok(disk.make_dir("folder"));
    File file = co_await ok(disk.open("created", OpenMode::create));
    co_await ok(file.write(0, bytes_of("synced, but without a name")));
    co_return co_await file.sync();
  };
  std::vector<std::string> names;
  const auto list = [&names](Disk& disk) -> Task<> {
    names.clear();
    for (const auto& entry : co_await ok(disk.list(""))) names.push_back(entry.name);
    co_return {};
  };
  run_process(world, change_names);
  run_process(world, list);
  CHECK(names == std::vector<std::string>{"created", "folder", "new name"});
  world.medium.lose_power();
  run_process(world, list);
  CHECK(names == std::vector<std::string>{"kept", "renamed"});
  CHECK(world.medium.counts().of(DiskFault::lost_name) == 4);
  CHECK(content_of(world, "renamed") == "renamed");
  world.medium.set_conditions(losing(0));
  run_process(world, change_names);
  world.medium.lose_power();
  run_process(world, list);
  CHECK(names == std::vector<std::string>{"created", "folder", "new name"});
}

TEST_CASE("changes of one name survive a power loss in their order") {
  bool alone = false;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    DiskConditions conditions = losing(0);
    conditions.lost_name = kAlways / 2;
    DiskWorld world(seed, conditions);
    make_durable_in(world, "a", "text");
    run_process(world, [&](Disk& disk) -> Task<> {
      co_await ok(disk.rename("a", "b"));
      co_await ok(disk.rename("b", "c"));
      co_return co_await disk.make_dir("d");
    });
    world.medium.lose_power();
    std::size_t files = 0;
    bool has_folder = false;
    run_process(world, [&](Disk& disk) -> Task<> {
      for (const auto& entry : co_await ok(disk.list(""))) {
        files += entry.is_folder ? 0 : 1;
        has_folder |= entry.is_folder;
      }
      co_return {};
    });
    CHECK(files == 1);
    bool still_a = false;
    run_process(world, [&](Disk& disk) -> Task<> {
      still_a = (co_await disk.stat("a")).has_value();
      co_return {};
    });
    alone |= still_a && has_folder;
  }
  CHECK(alone);  // what has no name in common is lost or kept on its own
}

TEST_CASE("a rotten bit is read where it flipped and is gone once it is written again") {
  DiskWorld world;
  make_durable_in(world, "a", "0123456789");
  std::vector<DiskDamage> damages;
  world.medium.on_damage([&](const DiskDamage& damage) { damages.push_back(damage); });
  CHECK(world.medium.rot("a", 4, std::byte{0x40}));
  CHECK_FALSE(world.medium.rot("a", 10));
  CHECK_FALSE(world.medium.rot("b", 0));
  CHECK(content_of(world, "a") == "0123t56789");
  REQUIRE(damages.size() == 1);
  CHECK(damages[0].path == "a");
  CHECK(damages[0].offset == 4);
  make_durable_in(world, "a", "0123456789");
  CHECK(content_of(world, "a") == "0123456789");
  DiskConditions rotting = kPlainDisk;
  rotting.rot = kAlways;
  world.medium.set_conditions(rotting);
  CHECK(content_of(world, "a") != "0123456789");
  CHECK(world.medium.counts().of(DiskFault::rot) == 2);
  world.medium.heal();
  make_durable_in(world, "a", "0123456789");
  CHECK(content_of(world, "a") == "0123456789");
}

TEST_CASE("a misdirected write leaves its place as it was and hits another") {
  DiskWorld world;
  make_durable_in(world, "a", std::string(kSectorBytes, 'o'));
  make_durable_in(world, "b", std::string(kSectorBytes, 'o'));
  std::vector<DiskDamage> damages;
  world.medium.on_damage([&](const DiskDamage& damage) { damages.push_back(damage); });
  world.medium.order(DiskFault::misdirected, "a");
  run_process(world, [](Disk& disk) -> Task<> {
    File file = co_await ok(disk.open("a", OpenMode::write));
    co_await ok(file.write(0, Bytes(kSectorBytes, std::byte{'n'})));
    const Bytes seen = co_await ok(file.read(0, 1));
    CHECK(text_of(seen) == "n");  // the cache does not know
    co_return co_await file.sync();
  });
  REQUIRE(damages.size() == 2);
  CHECK(damages[0].path == "a");
  const std::string hit = damages[1].path;
  CHECK(sectors_of(content_of(world, hit)) == "n");
  CHECK(sectors_of(content_of(world, hit == "a" ? "b" : "a")) == "o");
  CHECK(world.medium.counts().of(DiskFault::misdirected) == 1);
  make_durable_in(world, "a", "healed");
  CHECK(content_of(world, "a").starts_with("healed"));
  CHECK(damages.size() == 2);
}

TEST_CASE("a misdirected write hits a removed file too and a power loss brings it back spoilt") {
  std::size_t hits = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    DiskWorld world(seed, {.lost_name = kAlways});
    const std::string old(kSectorBytes, 'o');
    make_durable_in(world, "a", old);
    make_durable_in(world, "b", old);
    DiskModel model;
    model.adopt(world.medium.image());
    world.medium.on_damage(
        [&](const DiskDamage& damage) { model.damage(damage.path, damage.offset, damage.length); });
    world.medium.order(DiskFault::misdirected, "b");
    run_process(world, [&](Disk& disk) -> Task<> {
      (void)model.begin({.operation = channel::DiskOperation::remove, .path = "a"});
      co_await ok(disk.remove("a"));  // the model hears of it no more
      const Bytes bytes(kSectorBytes, std::byte{'n'});
      File file = co_await ok(disk.open("b", OpenMode::write));
      const auto write = model.begin({.path = "b", .bytes = bytes});
      co_await ok(file.write(0, bytes));
      model.end(write, Code::ok);
      co_return co_await file.sync();
    });
    world.medium.lose_power();
    model.end_process();
    const DiskImage found = world.medium.image();
    CHECK(model.may_remain(found) == "");
    hits += text_of(found.at("a").value_or(Bytes())) == old ? 0 : 1;
  }
  CHECK(hits > 3);
}

TEST_CASE("reads and writes fail with data_loss until the device is healed") {
  DiskWorld world;
  make_durable_in(world, "a", std::string(8 * kSectorBytes, 'o'));
  DiskConditions failing = kPlainDisk;
  failing.read_error = failing.write_error = kAlways;
  world.medium.set_conditions(failing);
  run_process(world, [&](Disk& disk) -> Task<> {
    File file = co_await ok(disk.open("a", OpenMode::write));
    const auto read = co_await file.read(0, 1);
    CHECK(read.code() == Code::data_loss);
    CHECK(read.error().text().find("a: ") != std::string::npos);
    const auto written = co_await file.write(0, Bytes(8 * kSectorBytes, std::byte{'n'}));
    CHECK(written.code() == Code::data_loss);
    world.medium.heal();
    const Bytes seen = co_await ok(file.read(0, 8 * kSectorBytes));
    const std::string kinds = sectors_of(text_of(seen));  // some of it was written
    CHECK(kinds.find_first_not_of("no") == std::string::npos);
    CHECK(kinds.find('n') != std::string::npos);
    co_await ok(file.write(0, Bytes(8 * kSectorBytes, std::byte{'w'})));
    co_return co_await file.sync();
  });
  CHECK(sectors_of(content_of(world, "a")) == "wwwwwwww");
  CHECK(world.medium.counts().of(DiskFault::read_error) == 1);
  CHECK(world.medium.counts().of(DiskFault::write_error) == 1);
}

TEST_CASE("a failed sync drops what it covered and a second one succeeds over nothing") {
  std::size_t dropped = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    DiskWorld world(seed, losing(kAlways));
    make_durable_in(world, "a", std::string(4 * kSectorBytes, 'o'));
    run_process(world, [&](Disk& disk) -> Task<> {
      File file = co_await ok(disk.open("a", OpenMode::write));
      File other = co_await ok(disk.open("a", OpenMode::write));
      for (std::size_t i = 0; i < 4; ++i)
        co_await ok(file.write(i * kSectorBytes, Bytes(kSectorBytes, std::byte{'n'})));
      world.medium.order(DiskFault::sync_error, "a");
      const auto failed = co_await file.sync();
      CHECK(failed.code() == Code::data_loss);
      const auto poisoned = co_await file.write(0, bytes_of("x"));
      CHECK(poisoned.code() == Code::aborted);
      // Whoever had it open hears of it once; who opens it now does not.
      const auto told = co_await other.sync();
      CHECK(told.code() == Code::data_loss);
      File again = co_await ok(disk.open("a", OpenMode::write));
      co_return co_await again.sync();
    });
    world.medium.lose_power();
    const std::string kinds = sectors_of(content_of(world, "a"));
    dropped += kinds.find('o') != std::string::npos ? 1 : 0;
    make_durable_in(world, "a", std::string(4 * kSectorBytes, 'h'));
    world.medium.lose_power();
    CHECK(sectors_of(content_of(world, "a")) == "hhhh");
  }
  CHECK(dropped > 10);
}

TEST_CASE("a full disk refuses what needs room and takes it again when there is some") {
  DiskConditions small = kPlainDisk;
  small.capacity_bytes = 6 * 4096;
  DiskWorld world(1, small);
  run_process(world, [&](Disk& disk) -> Task<> {
    File log = co_await ok(disk.open("log", OpenMode::create));
    co_await ok(log.preallocate(0, 2 * 4096));
    File bulk = co_await ok(disk.open("bulk", OpenMode::create));
    const auto full = co_await bulk.write(0, Bytes(3 * 4096, std::byte{'b'}));
    CHECK(full.code() == Code::resource_exhausted);
    const auto space = co_await ok(disk.free_space());
    CHECK(space.total_bytes == 6 * 4096);
    CHECK(space.free_bytes <= 2 * 4096);
    // What was preallocated has its room.
    co_await ok(log.write(0, Bytes(2 * 4096, std::byte{'l'})));
    co_await ok(bulk.sync());
    co_await ok(bulk.write(0, Bytes(2 * 4096, std::byte{'b'})));
    const auto another = co_await disk.open("c", OpenMode::create);
    CHECK(another.code() == Code::resource_exhausted);
    const auto folder = co_await disk.make_dir("d");
    CHECK(folder.code() == Code::resource_exhausted);
    const auto longer = co_await log.preallocate(0, 3 * 4096);
    CHECK(longer.code() == Code::resource_exhausted);
    co_await ok(bulk.truncate(4096));
    co_await ok(log.write(2 * 4096, bytes_of("one block more")));
    co_await ok(bulk.close());
    co_await ok(disk.remove("bulk"));
    co_await ok(disk.sync_dir(""));
    co_return co_await disk.make_dir("d");
  });
  CHECK(world.medium.counts().of(DiskFault::no_space) == 4);
  DiskConditions drawn = kPlainDisk;
  drawn.no_space = kAlways;
  world.medium.set_conditions(drawn);
  run_process(world, [&](Disk& disk) -> Task<> {
    File log = co_await ok(disk.open("log", OpenMode::write));
    co_await ok(log.write(0, bytes_of("in its room")));
    const auto refused = co_await log.write(100 * 4096, bytes_of("beyond"));
    CHECK(refused.code() == Code::resource_exhausted);
    world.medium.heal();
    co_return co_await log.write(100 * 4096, bytes_of("beyond"));
  });
}

TEST_CASE("a slow operation takes longer until the disk is healed") {
  DiskWorld world(1, {.latency_min = 1ms, .latency_max = 1ms});
  run_process(world, [&](Disk& disk) -> Task<> {
    File file = co_await ok(disk.open("a", OpenMode::create));
    DiskConditions slow = world.medium.conditions();
    slow.slow = kAlways;
    slow.slow_max = 1s;
    world.medium.set_conditions(slow);
    const Time before = world.reactor.now();
    co_await ok(file.size());
    CHECK(world.reactor.now() - before > 1ms);
    CHECK(world.reactor.now() - before <= 1001ms);
    world.medium.heal();
    const Time healed = world.reactor.now();
    co_await ok(file.size());
    CHECK(world.reactor.now() - healed == 1ms);
    co_return {};
  });
  CHECK(world.medium.counts().of(DiskFault::slow) == 1);
}

TEST_CASE("a hung operation stops its queue until it is released and leaves the other alone") {
  DiskWorld world;
  run_process(world, [&](Disk& disk) -> Task<> {
    File bulk = co_await ok(disk.open("bulk", OpenMode::create, channel::DiskQueue::bulk));
    File log = co_await ok(disk.open("log", OpenMode::create));
    world.medium.order(DiskFault::hung, "bulk");
    bool done = false;
    co_return co_await nursery([&](Nursery& n) -> Task<> {
      n.spawn("hung", [&]() -> Task<> {
        co_await ok(bulk.write(0, bytes_of("late")));
        done = true;
        co_return {};
      });
      for (int i = 0; i < 10; ++i) co_await ok(log.write(0, bytes_of("log")));
      co_await ok(sleep(1h));
      CHECK_FALSE(done);
      world.medium.heal();
      co_await ok(sleep(10ms));
      CHECK(done);
      co_return {};
    });
  });
  CHECK(world.medium.counts().of(DiskFault::hung) == 1);
}

TEST_CASE("what a disk has under way ends no later than on the disk that it has become") {
  for (const DiskConditions& bad :
       {DiskConditions{.latency_min = 1h, .latency_max = 1h}, DiskConditions{.bytes_per_second = 1},
        DiskConditions{.hung = kAlways}}) {
    DiskWorld world;
    run_process(world, [&](Disk& disk) -> Task<> {
      File file = co_await ok(disk.open("a", OpenMode::create));
      world.medium.set_conditions(bad);
      bool done = false;
      co_return co_await nursery([&](Nursery& n) -> Task<> {
        n.spawn("write", [&]() -> Task<> {
          co_await ok(file.write(0, bytes_of(std::string(4096, 'x'))));
          done = true;
          co_return {};
        });
        co_await ok(sleep(1s));
        CHECK_FALSE(done);
        world.medium.set_conditions({});
        co_await ok(sleep(1ms));
        CHECK(done);
        co_return {};
      });
    });
  }
}

TEST_CASE("a wiped disk is empty and what was open on it is lost") {
  DiskWorld world;
  make_durable_in(world, "a", "text");
  run_process(world, [&](Disk& disk) -> Task<> {
    File file = co_await ok(disk.open("a", OpenMode::write));
    world.medium.wipe();
    const auto read = co_await file.read(0, 1);
    CHECK(read.code() == Code::data_loss);
    const auto entries = co_await ok(disk.list(""));
    CHECK(entries.empty());
    co_return co_await make_durable(disk, "a", "new");
  });
  CHECK(content_of(world, "a") == "new");
  CHECK(world.medium.counts().of(DiskFault::wiped) == 1);
}

}  // namespace tubing::sim
