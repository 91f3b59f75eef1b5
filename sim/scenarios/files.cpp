#include "tubing/sim/scenarios/files.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "tubing/channel/nursery.h"
#include "tubing/channel/timers.h"
#include "tubing/sim/detail/draw.h"
#include "tubing/sim/scenarios/file_worker.h"
#include "tubing/sim/scenarios/stage.h"
#include "tubing/sim/swarm.h"

namespace tubing::sim {

using channel::DiskOperation;

namespace {

using namespace std::chrono_literals;

constexpr Duration kLifeMax = 400ms;
/// The one that begins when all is healed: long enough for the slowest disk to do something.
constexpr Duration kLastLife = 30ms;
constexpr Duration kSpanMin = 50ms;
constexpr Duration kSpanMax = 1500ms;
/// After healing the last life has to end by then.
constexpr Duration kPatience = 1min;

/// How fast the disk is, how large, and what power losses take of it.
DiskConditions draw_disk(Prng& prng) {
  const auto share = [&] { return static_cast<std::uint32_t>(prng.below(5) * (kPpm / 4)); };
  DiskConditions drawn;
  drawn.latency_max = detail::draw(prng, 0ns, 1ms);
  drawn.sync_max = detail::draw(prng, 0ns, 4ms);
  if (prng.chance(1, 3)) drawn.bytes_per_second = 1'000'000 + prng.below(100'000'000);
  if (prng.chance(1, 3)) drawn.capacity_bytes = (10 + prng.below(30)) * detail::kPageBytes;
  drawn.lost_write = share();
  drawn.torn_write = share();
  drawn.reordered_write = share();
  drawn.lost_name = share();
  drawn.slow_max = detail::draw(prng, 0ns, 50ms);
  return drawn;
}

/// What single operations meet, at the rates at which the disk is worst.
constexpr std::pair<DiskFault, std::uint32_t> kWorst[] = {
    {DiskFault::rot, 50'000},        {DiskFault::misdirected, 30'000},
    {DiskFault::read_error, 50'000}, {DiskFault::write_error, 50'000},
    {DiskFault::sync_error, 50'000}, {DiskFault::no_space, 50'000},
    {DiskFault::slow, 30'000},       {DiskFault::hung, 3'000}};

/// A third of the disk's faults are there all the time, and at times its lives come to an end.
Schedule draw_faults(Prng& prng, Duration span) {
  Schedule schedule;
  for (const auto& [fault, worst] : kWorst)
    if (prng.chance(1, 3))
      schedule.push_back({.action = FaultAction::disk,
                          .groups = {{0}},
                          .amount = static_cast<std::int64_t>(1 + prng.below(worst)),
                          .disk = fault});
  std::vector<FaultAction> ends(3, FaultAction::crash);
  ends.insert(ends.end(), 6, FaultAction::power);
  ends.push_back(FaultAction::wipe);
  std::ranges::move(
      draw_schedule(prng,
                    {.hosts = 1, .span = span, .actions = ends, .budget = {.faults_max = 16}}),
      std::back_inserter(schedule));
  return schedule;
}

/// The lives of one disk, and what is known of it.
class Files {
 public:
  Files(Time healed, FilesCounts& counts) : healed_(healed), counts_(counts) {}

  /// Returns: what did not hold; empty for nothing.
  std::string run(Host& host);

 private:
  Task<> live(Process& self);
  Task<> make_folders(FilesLife& life, Prng& prng, std::vector<std::string>& folders);
  void look(const DiskMedium& disk);
  void fail(std::string what) {
    if (fault_.empty()) fault_ = std::move(what);
  }

  const Time healed_;
  FilesCounts& counts_;
  Time began_;  ///< The life of now.
  DiskModel model_;
  DiskCounts looked_;  ///< What had happened when the last one looked.
  std::string fault_;
};

/// One that ended by itself lives again, until one has lived that began when all was healed.
std::string Files::run(Host& host) {
  host.disk().on_damage([this](const DiskDamage& damage) {
    model_.damage(damage.path, damage.offset, damage.length);
  });
  World& world = host.world();
  Process& process = host.spawn("files", [this](Process& self) { return live(self); });
  while (fault_.empty() && world.step(healed_ + kPatience)) {
    if (!process.result() || !host.powered()) continue;
    if (!*process.result()) fail(process.result()->error().text());
    if (began_ >= healed_) break;
    process.start();
  }
  if (!process.result())
    fail(fmt::format("the last life does not end though all is healed\n{}", world.waiting()));
  if (fault_.empty()) look(host.disk());
  counts_.sectors_checked += model_.sectors_checked();
  return fault_;
}

Task<> Files::live(Process& self) {
  look(self.host().disk());
  began_ = self.world().now();
  ++counts_.lives;
  Prng& prng = self.workload();
  FilesLife life{.disk = self.disk(), .model = model_, .counts = counts_};
  std::vector<std::unique_ptr<FileWorker>> workers;
  const Result<> lived = co_await nursery([&](Nursery& n) -> Task<> {
    n.spawn("end", [&]() -> Task<> {
      const Duration drawn = detail::draw(prng, 0ns, kLifeMax);
      co_await ok(sleep(began_ < healed_ ? std::min(healed_ - began_, drawn) : kLastLife));
      life.stopping = true;
      ++counts_.stops;
      co_return {};
    });
    std::vector<std::string> folders;
    co_await ok(make_folders(life, prng, folders));
    for (const std::string& folder : folders) {
      workers.push_back(std::make_unique<FileWorker>(life, folder, Prng(prng.next())));
      n.spawn(folder, workers.back()->run());
    }
    co_return {};
  });
  fail(life.fault);
  co_return lived;
}

/// Each may fail, as everything may; those that are there are worked in.
Task<> Files::make_folders(FilesLife& life, Prng& prng, std::vector<std::string>& folders) {
  const std::uint64_t count = 1 + prng.below(3);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string folder = fmt::format("d{}", i);
    if (!model_.exists(folder)) {
      const auto step = model_.begin({.operation = DiskOperation::make_dir, .path = folder});
      const Result<> made = co_await life.disk.make_dir(folder);
      if (made.code() == Code::cancelled) co_return made;
      model_.end(step, made.code());
      life.is_expected(made.code(), "make_dir", folder, {Code::resource_exhausted});
      if (!made) continue;
    }
    folders.push_back(folder);
  }
  if (prng.chance(1, 4)) co_return {};
  const auto step = model_.begin({.operation = DiskOperation::sync_dir, .path = ""});
  const Result<> synced = co_await life.disk.sync_dir("");
  if (synced.code() == Code::cancelled) co_return synced;
  model_.end(step, synced.code());
  life.is_expected(synced.code(), "sync_dir", "the root", {Code::data_loss});
  co_return {};
}

/// At all that the life before left.
void Files::look(const DiskMedium& disk) {
  const DiskCounts before = std::exchange(looked_, disk.counts());
  const bool wiped = looked_.of(DiskFault::wiped) > before.of(DiskFault::wiped);
  const bool power_lost = looked_.power_losses > before.power_losses;
  model_.end_process();
  const DiskImage found = disk.image();
  ++counts_.looks;
  counts_.files_found += found.size();
  std::string what;
  if (wiped && !found.empty()) what = fmt::format("{} paths are on a new disk", found.size());
  if (!wiped) what = power_lost ? model_.may_remain(found) : model_.find_after_crash(found);
  if (!what.empty())
    fail(fmt::format("after {}: {}", power_lost ? "a power loss" : "a process ended", what));
  if (power_lost) model_.adopt(found);
}

ScheduleRules schedule_rules(Duration span) {
  return {.names = host_names(1), .span = span, .healed_max = kFilesScheduleMax};
}

}  // namespace

Outcome run_files(std::uint64_t seed, const ScenarioOptions& options, const ScenarioSinks& sinks,
                  FilesCounts& counts) {
  Prng prng = nemesis_stream(seed);
  WorldOptions world{.disk = draw_disk(prng)};
  const Duration span = detail::draw(prng, kSpanMin, kSpanMax);
  Schedule drawn = draw_faults(prng, span);
  Result<Schedule> schedule = choose_schedule(options, std::move(drawn), schedule_rules(span));
  if (!schedule) return refused(schedule.error());
  const Time healed(std::max(span, healed_at(*schedule)));
  const FilesCounts before = counts;
  Files files(healed, counts);
  Stage stage(seed, {.world = world, .names = host_names(1), .schedule = *std::move(schedule)},
              sinks);
  std::string violation = files.run(stage.world().host(HostId{0}));
  stage.close();
  Outcome outcome = stage.outcome(std::move(violation));
  outcome.operations = outcome.known = counts.acknowledged - before.acknowledged;
  outcome.begun = counts.steps - before.steps;
  return outcome;
}

Outcome run_files(std::uint64_t seed, const ScenarioOptions& options, const ScenarioSinks& sinks) {
  FilesCounts counts;
  return run_files(seed, options, sinks, counts);
}

Result<> check_files(const ScenarioOptions& options) {
  return check_given_schedule(options, schedule_rules({}));
}

std::vector<std::string> files_faults(const ScenarioOptions& options) {
  if (!options.faults || options.schedule) return {};
  std::vector<std::string> names{"process_crash", "power_loss", "restart"};
  for (std::size_t i = 0; i < kDiskFaults; ++i)
    names.emplace_back(fault_name(static_cast<DiskFault>(i)));
  return names;
}

}  // namespace tubing::sim
