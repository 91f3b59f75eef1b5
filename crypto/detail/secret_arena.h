// SecretArena: slots for key material, cut from locked pages with a guard at either end.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "tubing/channel/base/bytes.h"

namespace tubing::crypto::detail {

/// The pages between two guards. Units: bytes.
inline constexpr std::size_t kSlabBytes = 32 << 10;
inline constexpr std::size_t kSlotBytesMin = 32;
/// The largest secret that shares a slab; a larger one has pages of its own.
inline constexpr std::size_t kSlotBytesMax = 4 << 10;

/// Hands out slots of a power of two bytes, each kind from slabs of its own. A slab's pages are
/// locked into memory as far as RLIMIT_MEMLOCK allows, left out of core files, and lie between two
/// pages that nobody may touch. A slot is zeroed when it is given back; a slab whose slots are all
/// given back goes back too, but for one of each kind.
///
/// Invariant: a free slot holds zeros.
/// Threads: any.
class SecretArena {
 public:
  SecretArena();
  ~SecretArena();
  SecretArena(const SecretArena&) = delete;
  SecretArena& operator=(const SecretArena&) = delete;

  /// Returns: `size` zeros, aligned to 16. A machine without memory for them ends the process.
  std::byte* allocate(std::size_t size);
  /// Wipes and takes back what allocate() returned.
  void free(std::byte* slot);

  std::size_t slabs() const;

 private:
  struct Slab;
  /// The slabs of one size that have free slots; each knows its place here.
  using OpenSlabs = std::vector<Slab*>;

  Slab& slab_for(std::size_t size);
  Slab& slab_of(std::byte* slot);
  void open(Slab& slab);
  void close(Slab& slab);

  mutable std::mutex mutex_;
  /// By the address of the first slot.
  std::map<const std::byte*, std::unique_ptr<Slab>> slabs_;
  std::map<std::size_t, OpenSlabs> open_;
};

/// The arena of the process. Memory belongs to the process as with operator new: a Secret made
/// anywhere, on any thread, until the last static is gone, comes from here and is wiped here.
SecretArena& process_arena();

}  // namespace tubing::crypto::detail
