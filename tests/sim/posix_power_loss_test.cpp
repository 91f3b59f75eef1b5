// A real disk's system calls, and the power that goes between any two of them.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/crypto/temp_folder.h"
#include "tests/sim/recorded_disk.h"
#include "tubing/channel/go.h"
#include "tubing/channel/posix_disk.h"
#include "tubing/channel/uv_reactor.h"

namespace tubing::sim {
namespace {

using channel::DiskOperation;
using channel::File;
using channel::kSectorBytes;
using channel::OpenMode;

constexpr std::size_t kStatesMax = 50'000;

/// What the program knew when the disk had made so many calls.
struct Moment {
  std::size_t calls;
  DiskModel model;
};

/// A small random program on a real folder, whose promises are noted beside the calls.
class RecordedProgram {
 public:
  RecordedProgram(std::uint64_t seed, channel::Disk& disk, const test::RecordingCalls& calls)
      : prng_(seed), disk_(disk), calls_(calls) {}

  Task<> run();
  const std::vector<Moment>& moments() const { return moments_; }
  const std::string& fault() const { return fault_; }

 private:
  static constexpr int kSteps = 24;
  /// Sectors, sizes and names that are at risk; with more there are too many states.
  static constexpr std::size_t kRiskMax = 5;

  Task<> step();
  Task<> do_step(DiskStep step, Task<> task);
  Task<> write(const std::string& path, File& file);
  Task<> resize(const std::string& path, File& file);
  Task<> change_names();
  Task<> read(const std::string& path, File& file);
  void note() { moments_.push_back({calls_.size(), model_}); }
  static std::string path_of(std::uint64_t number) { return fmt::format("d/{}", number); }

  Prng prng_;
  channel::Disk& disk_;
  const test::RecordingCalls& calls_;
  DiskModel model_;
  std::vector<Moment> moments_;
  std::map<std::string, File> files_;
  std::map<std::string, std::size_t> risks_;
  std::string fault_;
};

Task<> RecordedProgram::do_step(DiskStep step, Task<> task) {
  const auto id = model_.begin(std::move(step));
  note();
  const Result<> done = co_await std::move(task);
  model_.end(id, done.code());
  note();
  co_return done;
}

Task<> open_into(channel::Disk& disk, std::string path, File& file) {
  file = co_await ok(disk.open(std::move(path), OpenMode::create));
  co_return {};
}

Task<> RecordedProgram::run() {
  note();
  co_await ok(do_step({.operation = DiskOperation::make_dir, .path = "d"}, disk_.make_dir("d")));
  if (prng_.chance(3, 4))
    co_await ok(do_step({.operation = DiskOperation::sync_dir, .path = ""}, disk_.sync_dir("")));
  for (int i = 0; i < kSteps && fault_.empty(); ++i) co_await ok(step());
  files_.clear();
  co_return {};
}

Task<> RecordedProgram::step() {
  const std::uint64_t draw = prng_.below(100);
  if (draw < 12) co_return co_await change_names();
  if (draw < 22 || model_.unsynced_names("d") >= 3)
    co_return co_await do_step({.operation = DiskOperation::sync_dir, .path = "d"},
                               disk_.sync_dir("d"));
  const std::string path = path_of(prng_.below(2));
  if (!files_.contains(path)) {
    File& file = files_[path];
    const bool exists = model_.exists(path);
    Task<> open = open_into(disk_, path, file);
    if (exists) co_return co_await std::move(open);
    co_return co_await do_step({.operation = DiskOperation::open, .path = path}, std::move(open));
  }
  File& file = files_.at(path);
  if (draw < 45 || risks_[path] >= kRiskMax) {
    risks_[path] = 0;
    co_return co_await do_step({.operation = DiskOperation::sync, .path = path}, file.sync());
  }
  if (draw < 55) co_return co_await read(path, file);
  if (draw < 68) co_return co_await resize(path, file);
  co_return co_await write(path, file);
}

/// Across one border of sectors at most.
Task<> RecordedProgram::write(const std::string& path, File& file) {
  const std::uint64_t offset = prng_.below(2 * kSectorBytes);
  Bytes bytes(1 + prng_.below(kSectorBytes));
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(1 + prng_.below(255));
  risks_[path] += 3;
  co_return co_await do_step({.path = path, .offset = offset, .bytes = bytes},
                             file.write(offset, bytes));
}

Task<> RecordedProgram::resize(const std::string& path, File& file) {
  const std::uint64_t size = prng_.below(3 * kSectorBytes);
  risks_[path] += 1;
  if (prng_.chance(1, 2))
    co_return co_await do_step({.operation = DiskOperation::truncate, .path = path, .length = size},
                               file.truncate(size));
  co_return co_await do_step(
      {.operation = DiskOperation::preallocate, .path = path, .length = size + 1},
      file.preallocate(0, size + 1));
}

Task<> RecordedProgram::change_names() {
  const std::string from = path_of(prng_.below(2));
  const std::string to = path_of(prng_.below(3));
  if (!model_.exists(from) || model_.unsynced_names("d") >= 3) co_return {};
  // Files are opened again by their new names.
  files_.clear();
  risks_[to] += risks_[from];
  if (prng_.chance(2, 3))
    co_return co_await do_step({.operation = DiskOperation::rename, .path = from, .target = to},
                               disk_.rename(from, to));
  co_return co_await do_step({.operation = DiskOperation::remove, .path = from},
                             disk_.remove(from));
}

Task<> RecordedProgram::read(const std::string& path, File& file) {
  const Bytes seen = co_await ok(file.read(0, 10'000));
  fault_ = model_.check_read(path, 0, 10'000, seen);
  co_return {};
}

/// What a run's power losses came to.
struct Losses {
  std::size_t moments = 0;
  std::size_t states = 0;
  std::size_t skipped = 0;  ///< Moments with too many states.
};

/// Lets the power go after each call, in every way.
std::string lose_power_everywhere(const std::vector<test::RecordedCall>& calls,
                                  std::vector<Moment> moments, Losses& losses) {
  for (std::size_t i = 0; i < moments.size(); ++i) {
    DiskModel& model = moments[i].model;
    model.end_process();
    // This is what was known from this many calls on, until the next moment.
    const std::size_t until = i + 1 < moments.size() ? moments[i + 1].calls : calls.size();
    for (std::size_t count = moments[i].calls; count <= until; ++count) {
      const std::vector<test::RecordedCall> before(
          calls.begin(), calls.begin() + static_cast<std::ptrdiff_t>(count));
      const auto states = test::states_after_power_loss(before, kStatesMax);
      ++losses.moments;
      losses.states += states.size();
      losses.skipped += states.empty() ? 1 : 0;
      for (const DiskImage& state : states) {
        std::string fault = model.may_remain(state);
        if (!fault.empty()) return fmt::format("after {} calls: {}", count, fault);
      }
    }
  }
  return {};
}

}  // namespace

TEST_CASE("a real folder holds what was promised in every state that a power loss may leave") {
  Losses losses;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    crypto::TempFolder folder;
    test::RecordingCalls calls;
    channel::UvReactor reactor;
    Scheduler scheduler(reactor, Prng(seed));
    auto disk = *channel::PosixDisk::make(reactor, folder.path(), {.calls = &calls});
    RecordedProgram program(seed, *disk, calls);
    const Result<> ran = scheduler.run(program.run());
    REQUIRE_MESSAGE(ran, (ran ? std::string() : ran.error().text()));
    REQUIRE(program.fault() == "");
    REQUIRE(lose_power_everywhere(calls.calls(), program.moments(), losses) == "");
  }
  CHECK(losses.states > 10'000);
  CHECK(losses.skipped < losses.moments / 100);
}

}  // namespace tubing::sim
