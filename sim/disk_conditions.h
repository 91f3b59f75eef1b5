// DiskConditions: how good a simulated disk is; and what its faults are called.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tubing/channel/base/time.h"
#include "tubing/channel/disk_request.h"

namespace tubing::sim {

/// What may go wrong with a disk.
enum class DiskFault : std::uint8_t {
  lost_write,  ///< A power loss takes a change that no sync covered.
  torn_write,  ///< A power loss keeps some sectors of a write.
  /// A power loss keeps a change although an earlier one of its file is lost, or only its size.
  reordered_write,
  lost_name,    ///< A power loss takes a change of a folder that no sync_dir covered.
  rot,          ///< A stored bit flips.
  misdirected,  ///< A write is stored in another place, and something else is overwritten.
  read_error,   ///< EIO.
  write_error,  ///< EIO: some sectors are written.
  sync_error,   ///< EIO: some of what it covered is stored, the rest never will be.
  no_space,     ///< ENOSPC.
  slow,         ///< It takes longer.
  hung,         ///< It does not end, and its queue stands still.
  wiped,        ///< All is gone, as on a new disk.
};
inline constexpr std::size_t kDiskFaults = 13;

/// Its name as it is written above.
const char* fault_name(DiskFault fault);

/// Rates are per million operations that the fault can meet; for what a power loss does, per
/// million changes. The default is a perfect disk, until the power goes.
struct DiskConditions {
  /// Of each operation, drawn.
  Duration latency_min{};
  Duration latency_max{};
  /// Of sync and sync_dir in addition, drawn.
  Duration sync_min{};
  Duration sync_max{};
  std::uint64_t bytes_per_second = 0;  ///< Of reads and writes, in each queue; 0: unlimited.
  std::uint64_t capacity_bytes = 0;    ///< Of all files together, in blocks; 0: unlimited.

  std::uint32_t lost_write = 500'000;
  std::uint32_t torn_write = 250'000;
  /// Of power losses: in the others what survives of a file is what came first.
  std::uint32_t reordered_write = 500'000;
  std::uint32_t lost_name = 500'000;

  std::uint32_t rot = 0;  ///< Of reads: a bit of what is read flips where it is stored.
  std::uint32_t misdirected = 0;
  std::uint32_t read_error = 0;
  std::uint32_t write_error = 0;
  std::uint32_t sync_error = 0;
  std::uint32_t no_space = 0;
  std::uint32_t slow = 0;
  Duration slow_max = std::chrono::milliseconds(500);
  std::uint32_t hung = 0;

  /// Whether anything may take less time than it would before.
  bool eases(const DiskConditions& before) const {
    return latency_min < before.latency_min || latency_max < before.latency_max ||
           sync_min < before.sync_min || sync_max < before.sync_max || slow < before.slow ||
           slow_max < before.slow_max ||
           (before.bytes_per_second != 0 &&
            (bytes_per_second == 0 || bytes_per_second > before.bytes_per_second));
  }
};

/// How often each thing happened on a disk since it was made.
struct DiskCounts {
  std::array<std::uint64_t, channel::kDiskOperations> operations{};
  std::array<std::uint64_t, kDiskFaults> faults{};
  std::uint64_t power_losses = 0;

  std::uint64_t of(channel::DiskOperation operation) const {
    return operations[static_cast<std::size_t>(operation)];
  }
  std::uint64_t of(DiskFault fault) const { return faults[static_cast<std::size_t>(fault)]; }
  DiskCounts& operator+=(const DiskCounts& other);
};

/// Bytes that are no longer what was written: by rot, or by a misdirected write, which damages both
/// the place that it missed and the one that it hit.
struct DiskDamage {
  std::string path;  ///< As the file is called now; empty for one without a name.
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  DiskFault fault = DiskFault::rot;
};

}  // namespace tubing::sim
