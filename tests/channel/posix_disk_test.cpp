#include "tubing/channel/posix_disk.h"

#include <doctest/doctest.h>

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

}  // namespace

TEST_CASE("a real folder keeps what the Disk contract says of files") {
  run_cases(test::disk_cases());
}

TEST_CASE("a real folder keeps what the Disk contract says of waits") {
  run_cases(test::disk_wait_cases());
}
