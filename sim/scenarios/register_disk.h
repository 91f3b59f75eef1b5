// RegisterDisk: where a replica of the scenario `register` keeps its entries.
#pragma once

#include <string>
#include <vector>

#include "tubing/channel/disk.h"
#include "tubing/channel/semaphore.h"
#include "tubing/sim/scenarios/register_messages.h"

namespace tubing::sim {

/// One file with two sectors for each key. A new entry goes where the older one is, so that a write
/// that fails or is torn leaves the newer; a checksum tells whole sectors apart from others.
///
/// What is found at the beginning may never have been synced: by a process that was killed between
/// writing and syncing, or whose sync failed. It is written and synced once more before anybody
/// is told of it.
///
/// Errors: of each operation: those of the disk. The process ends then, and begins anew.
class RegisterDisk {
 public:
  RegisterDisk(channel::Disk& disk, std::size_t keys) : disk_(disk), slots_(keys) {}

  /// Makes the file where there is none, reads what it has, and makes that durable.
  Task<> open();
  /// What is durable; of a disk that does not sync, what is written.
  const RegisterEntry& entry(std::uint32_t key) const { return slots_[key].entry; }
  /// Requires: open; no other write is under way.
  Task<> write(std::uint32_t key, RegisterEntry entry, bool sync);

  static constexpr std::size_t kValueBytesMax = 128;

 private:
  struct Slot {
    RegisterEntry entry;
    std::size_t newer = 0;  ///< In which of the two sectors it lies.
  };
  static std::uint64_t place(std::uint32_t key, std::size_t sector) {
    return (std::uint64_t{key} * 2 + sector) * channel::kSectorBytes;
  }

  channel::Disk& disk_;
  channel::File file_;
  std::vector<Slot> slots_;
};

}  // namespace tubing::sim
