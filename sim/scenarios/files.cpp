#include "tubing/sim/scenarios/files.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "tubing/channel/nursery.h"
#include "tubing/channel/timers.h"
#include "tubing/sim/detail/disk_path.h"
#include "tubing/sim/disk.h"
#include "tubing/sim/scenarios/file_worker.h"

namespace tubing::sim {

using channel::DiskOperation;

namespace {

using namespace std::chrono_literals;

constexpr Duration kLifeMax = 300ms;
/// How often what hangs is let go while a process stops by itself.
constexpr Duration kHangMax = 20ms;

/// How a process ends.
enum class End : std::uint8_t { stops, crashes, loses_power, loses_disk };

/// A third of the faults is there, each at a rate of its own.
DiskConditions draw_conditions(Prng& prng) {
  const auto rate = [&](std::uint32_t most) {
    return prng.chance(1, 3) ? static_cast<std::uint32_t>(1 + prng.below(most)) : 0;
  };
  const auto share = [&] { return static_cast<std::uint32_t>(prng.below(5) * 250'000); };
  const auto up_to = [&](Duration most) {
    return Duration(
        static_cast<std::int64_t>(prng.below(static_cast<std::uint64_t>(most.count()))));
  };
  DiskConditions drawn;
  drawn.latency_max = up_to(1ms);
  drawn.sync_max = up_to(4ms);
  if (prng.chance(1, 3)) drawn.bytes_per_second = 1'000'000 + prng.below(100'000'000);
  if (prng.chance(1, 3)) drawn.capacity_bytes = (10 + prng.below(30)) * detail::kPageBytes;
  drawn.lost_write = share();
  drawn.torn_write = share();
  drawn.reordered_write = share();
  drawn.lost_name = share();
  drawn.rot = rate(50'000);
  drawn.misdirected = rate(30'000);
  drawn.read_error = rate(50'000);
  drawn.write_error = rate(50'000);
  drawn.sync_error = rate(50'000);
  drawn.no_space = rate(50'000);
  drawn.slow = rate(30'000);
  drawn.slow_max = up_to(50ms);
  drawn.hung = rate(3'000);
  return drawn;
}

class FilesRun {
 public:
  FilesRun(std::uint64_t seed, FilesCounts& counts)
      : prng_(seed),
        scheduler_(reactor_, Prng(prng_.next()), {.order = Order::seeded}),
        medium_([this] { return reactor_.now(); }, Prng(prng_.next()), hash_),
        conditions_(draw_conditions(prng_)),
        counts_(counts) {
    scheduler_.observe(&hash_);
    medium_.on_damage([this](const DiskDamage& damage) {
      model_.damage(damage.path, damage.offset, damage.length);
    });
  }

  std::string run() {
    const Result<> ran = scheduler_.run(live_all());
    counts_.sectors_checked += model_.sectors_checked();
    counts_.disk += medium_.counts();
    counts_.events += hash_.events();
    counts_.simulated += reactor_.now().time_since_epoch();
    if (!fault_.empty()) return fault_;
    return ran ? std::string() : ran.error().text();
  }
  std::string hash() const { return hash_.text(); }
  void trace_to(TraceSink* sink) { hash_.trace_to(sink); }

 private:
  Task<> live_all();
  Task<> live(End end);
  Task<> make_folders(FilesLife& life, std::vector<std::string>& folders);
  Task<> meet_end(Nursery& n, Disk& disk, FilesLife& life, End end);
  Task<> find_all(End end);
  Task<DiskImage> image_of(channel::Disk& disk);
  Task<> image_below(channel::Disk& disk, std::string folder, DiskImage& image);
  void fail(std::string what) {
    if (fault_.empty()) fault_ = std::move(what);
  }

  Prng prng_;
  RunHash hash_;
  VirtualReactor reactor_;
  Scheduler scheduler_;
  DiskMedium medium_;
  const DiskConditions conditions_;
  DiskModel model_;
  FilesCounts& counts_;
  std::string fault_;
};

Task<> FilesRun::live_all() {
  const std::uint64_t lives = 2 + prng_.below(5);
  for (std::uint64_t i = 0; i < lives && fault_.empty(); ++i) {
    const std::uint64_t draw = prng_.below(100);
    const End end = draw < 15   ? End::stops
                    : draw < 40 ? End::crashes
                    : draw < 97 ? End::loses_power
                                : End::loses_disk;
    medium_.set_conditions(conditions_);
    co_await ok(live(end));
    model_.end_process();
    co_await ok(find_all(end));
  }
  co_return {};
}

Task<> FilesRun::live(End end) {
  ++counts_.lives;
  Disk disk(reactor_, medium_);
  FilesLife life{.disk = disk, .model = model_, .counts = counts_};
  std::vector<std::string> folders;
  std::vector<std::unique_ptr<FileWorker>> workers;
  co_await ok(nursery([&](Nursery& n) -> Task<> {
    n.spawn("end", meet_end(n, disk, life, end));
    co_await ok(make_folders(life, folders));
    for (const std::string& folder : folders) {
      workers.push_back(std::make_unique<FileWorker>(life, folder, Prng(prng_.next())));
      n.spawn(folder, workers.back()->run());
    }
    co_return {};
  }));
  fail(life.fault);
  co_return {};
}

/// Each may fail, as everything may; those that are there are worked in.
Task<> FilesRun::make_folders(FilesLife& life, std::vector<std::string>& folders) {
  const std::uint64_t count = 1 + prng_.below(3);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string folder = fmt::format("d{}", i);
    if (!model_.exists(folder)) {
      const auto step = model_.begin({.operation = DiskOperation::make_dir, .path = folder});
      const Result<> made = co_await life.disk.make_dir(folder);
      if (made.code() == Code::cancelled) co_return made;
      model_.end(step, made.code());
      if (!made) continue;
    }
    folders.push_back(folder);
  }
  if (prng_.chance(1, 4)) co_return {};
  const auto step = model_.begin({.operation = DiskOperation::sync_dir, .path = ""});
  const Result<> synced = co_await life.disk.sync_dir("");
  if (synced.code() == Code::cancelled) co_return synced;
  model_.end(step, synced.code());
  co_return {};
}

Task<> FilesRun::meet_end(Nursery& n, Disk& disk, FilesLife& life, End end) {
  const auto most = static_cast<std::uint64_t>(kLifeMax.count());
  co_await ok(sleep(Duration(static_cast<std::int64_t>(prng_.below(most)))));
  switch (end) {
    case End::stops:
      ++counts_.stops;
      life.stopping = true;
      do {
        co_await ok(sleep(kHangMax));
        medium_.release_hung();
      } while (life.working > 0 || n.size() > 1);
      co_return {};
    case End::crashes:
      ++counts_.crashes;
      disk.cut();
      break;
    case End::loses_disk:
    case End::loses_power:
      ++counts_.power_losses;
      medium_.lose_power();
      break;
  }
  if (end == End::loses_disk) {
    ++counts_.wipes;
    medium_.wipe();
  }
  n.cancel();
  co_return {};
}

/// The next process looks at all there is, on a disk that does no wrong meanwhile.
Task<> FilesRun::find_all(End end) {
  DiskConditions plain = conditions_;
  medium_.set_conditions(plain);
  medium_.heal();
  Disk disk(reactor_, medium_);
  const DiskImage found = co_await ok(image_of(disk));
  counts_.files_found += found.size();
  if (end == End::loses_disk && found.empty()) {
    model_.adopt(found);
    co_return {};
  }
  const bool power_lost = end == End::loses_power || end == End::loses_disk;
  const std::string what = power_lost ? model_.may_remain(found) : model_.find_after_crash(found);
  if (!what.empty())
    fail(fmt::format("after {}: {}", power_lost ? "a power loss" : "a process ended", what));
  if (power_lost) model_.adopt(found);
  co_return {};
}

Task<DiskImage> FilesRun::image_of(channel::Disk& disk) {
  DiskImage image;
  co_await ok(image_below(disk, "", image));
  co_return image;
}

Task<> FilesRun::image_below(channel::Disk& disk, std::string folder, DiskImage& image) {
  const auto entries = co_await ok(disk.list(folder));
  for (const channel::DiskEntry& entry : entries) {
    const std::string path = detail::path_below(folder, entry.name);
    if (entry.is_folder) {
      image[path] = std::nullopt;
      co_await ok(image_below(disk, path, image));
      continue;
    }
    channel::File file = co_await ok(disk.open(path, channel::OpenMode::read));
    image[path] = co_await ok(file.read(0, co_await ok(file.size())));
    co_await ok(file.close());
  }
  co_return {};
}

}  // namespace

FilesCounts& FilesCounts::operator+=(const FilesCounts& other) {
  steps += other.steps;
  acknowledged += other.acknowledged;
  refused += other.refused;
  poisoned += other.poisoned;
  lives += other.lives;
  stops += other.stops;
  crashes += other.crashes;
  power_losses += other.power_losses;
  wipes += other.wipes;
  files_found += other.files_found;
  sectors_checked += other.sectors_checked;
  events += other.events;
  simulated += other.simulated;
  disk += other.disk;
  return *this;
}

std::string run_files(std::uint64_t seed, FilesCounts& counts, std::string* hash,
                      TraceSink* trace) {
  FilesRun run(seed, counts);
  run.trace_to(trace);
  std::string fault = run.run();
  if (hash) *hash = run.hash();
  return fault;
}

Outcome run_files_scenario(std::uint64_t seed, const ScenarioOptions&, const ScenarioSinks& sinks) {
  FilesCounts counts;
  Outcome outcome;
  outcome.violation = run_files(seed, counts, &outcome.hash, sinks.trace);
  outcome.events = counts.events;
  outcome.operations = counts.acknowledged;
  outcome.begun = counts.steps;
  outcome.known = counts.acknowledged;
  outcome.simulated = counts.simulated;
  for (std::size_t i = 0; i < kDiskFaults; ++i)
    outcome.faults.push_back(
        {.name = fault_name(static_cast<DiskFault>(i)), .count = counts.disk.faults[i]});
  outcome.faults.push_back({.name = "process_crash", .count = counts.crashes});
  outcome.faults.push_back({.name = "power_loss", .count = counts.power_losses});
  return outcome;
}

std::vector<std::string> files_faults(const ScenarioOptions&) {
  std::vector<std::string> names{"process_crash", "power_loss"};
  for (std::size_t i = 0; i < kDiskFaults; ++i)
    names.emplace_back(fault_name(static_cast<DiskFault>(i)));
  return names;
}

}  // namespace tubing::sim
