// The programs of the scenario `files` on a real folder: the model is honest about real disks too.
#include <doctest/doctest.h>

#include "tests/crypto/temp_folder.h"
#include "tubing/channel/go.h"
#include "tubing/channel/posix_disk.h"
#include "tubing/channel/uv_reactor.h"
#include "tubing/sim/scenarios/file_worker.h"

namespace tubing::sim {
namespace {

constexpr std::uint64_t kStepsEach = 300;

/// Some strands, each in a folder of its own, until they have done so many steps.
Task<> work_for_a_while(FilesLife& life, std::uint64_t seed) {
  std::vector<std::unique_ptr<FileWorker>> workers;
  Prng prng(seed);
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    for (const char* folder : {"d0", "d1"}) {
      const auto step =
          life.model.begin({.operation = channel::DiskOperation::make_dir, .path = folder});
      Result<> made = co_await life.disk.make_dir(folder);
      life.model.end(step, made.code());
      co_await ok(made);
      workers.push_back(std::make_unique<FileWorker>(life, folder, Prng(prng.next())));
      n.spawn(folder, workers.back()->run());
    }
    while (life.counts.steps < kStepsEach && life.fault.empty())
      co_await ok(sleep(std::chrono::milliseconds(1)));
    life.stopping = true;
    co_return {};
  });
}

}  // namespace

TEST_CASE("random programs of files on a real folder see what the contract of Disk says") {
  FilesCounts total;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    crypto::TempFolder folder;
    channel::UvReactor reactor;
    Scheduler scheduler(reactor, Prng(seed), {.order = Order::seeded});
    auto disk = *channel::PosixDisk::make(reactor, folder.path());
    DiskModel model;
    FilesCounts counts;
    FilesLife life{.disk = *disk, .model = model, .counts = counts};
    const Result<> ran = scheduler.run(work_for_a_while(life, seed));
    CHECK_MESSAGE(ran, (ran ? std::string() : ran.error().text()));
    CHECK(life.fault == "");
    total.sectors_checked += model.sectors_checked();
    total.acknowledged += counts.acknowledged;
  }
  CHECK(total.acknowledged > 8 * kStepsEach / 2);
  CHECK(total.sectors_checked > 400);
}

}  // namespace tubing::sim
