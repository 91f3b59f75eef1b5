// Cases of the contract of channel::Disk: the same for every implementation.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "tubing/channel/disk.h"
#include "tubing/channel/go.h"

namespace tubing::test {

/// A folder that is empty as the case begins, and the Disks on it.
class DiskHouse {
 public:
  virtual ~DiskHouse() = default;
  /// Another Disk on the same folder, as another process would have it.
  virtual std::unique_ptr<channel::Disk> open(channel::DiskLimits limits) = 0;
  std::unique_ptr<channel::Disk> open() { return open({}); }
};

struct DiskCase {
  std::string_view fact;
  Task<> (*run)(DiskHouse& house);
};

/// What files and folders do.
const std::vector<DiskCase>& disk_cases();
/// What waits do: cancelling, poison, limits, closing.
const std::vector<DiskCase>& disk_wait_cases();

}  // namespace tubing::test
