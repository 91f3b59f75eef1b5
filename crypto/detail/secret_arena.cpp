#include "tubing/crypto/detail/secret_arena.h"

#include <sanitizer/asan_interface.h>
#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>

#include "tubing/channel/base/assert.h"

namespace tubing::crypto::detail {
namespace {

std::size_t page_bytes() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

/// Whole pages that may be read and written, between two that may not.
class GuardedPages {
 public:
  explicit GuardedPages(std::size_t bytes) : size_(bytes) {
    const std::size_t guard = page_bytes();
    void* all =
        ::mmap(nullptr, guard + size_ + guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TUBING_ASSERT(all != MAP_FAILED, size_);
    data_ = static_cast<std::byte*>(all) + guard;
    TUBING_ASSERT(::mprotect(data_, size_, PROT_READ | PROT_WRITE) == 0, size_);
    // Both are asked for, not needed: a machine that refuses keeps the secrets all the same.
    (void)::madvise(data_, size_, MADV_DONTDUMP);
    (void)::mlock(data_, size_);
  }
  ~GuardedPages() {
    const std::size_t guard = page_bytes();
    ASAN_UNPOISON_MEMORY_REGION(data_, size_);
    ::munmap(data_ - guard, guard + size_ + guard);
  }
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;

  std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  std::byte* data_;
  std::size_t size_;
};

std::size_t slot_bytes_for(std::size_t size) {
  if (size <= kSlotBytesMax) return std::max(kSlotBytesMin, std::bit_ceil(size));
  const std::size_t page = page_bytes();
  return (size + page - 1) / page * page;
}

}  // namespace

struct SecretArena::Slab {
  explicit Slab(std::size_t slot) : pages(std::max(slot, kSlabBytes)), slot_bytes(slot) {
    const std::size_t slots = pages.size() / slot_bytes;
    for (std::size_t i = slots; i > 0; --i) free.push_back(static_cast<std::uint16_t>(i - 1));
    used.resize(slots);
    ASAN_POISON_MEMORY_REGION(pages.data(), pages.size());
  }
  bool empty() const { return free.size() == used.size(); }
  std::byte* slot(std::size_t index) const { return pages.data() + index * slot_bytes; }

  GuardedPages pages;
  const std::size_t slot_bytes;
  std::vector<std::uint16_t> free;  ///< The next to be given out last.
  std::vector<bool> used;
  std::size_t place = 0;  ///< Among the open slabs; meaningful while there are free slots.
};

static_assert(kSlabBytes / kSlotBytesMin <= UINT16_MAX);

SecretArena::SecretArena() { TUBING_ASSERT(sodium_init() >= 0); }
SecretArena::~SecretArena() = default;

std::byte* SecretArena::allocate(std::size_t size) {
  const std::scoped_lock guard(mutex_);
  Slab& slab = slab_for(slot_bytes_for(size));
  const std::size_t index = slab.free.back();
  slab.free.pop_back();
  slab.used[index] = true;
  if (slab.free.empty()) close(slab);
  ASAN_UNPOISON_MEMORY_REGION(slab.slot(index), size);
  return slab.slot(index);
}

void SecretArena::free(std::byte* slot) {
  const std::scoped_lock guard(mutex_);
  Slab& slab = slab_of(slot);
  const auto index = static_cast<std::size_t>(slot - slab.pages.data()) / slab.slot_bytes;
  TUBING_ASSERT(slab.slot(index) == slot && slab.used[index], index);
  ASAN_UNPOISON_MEMORY_REGION(slot, slab.slot_bytes);
  sodium_memzero(slot, slab.slot_bytes);
  ASAN_POISON_MEMORY_REGION(slot, slab.slot_bytes);
  slab.used[index] = false;
  slab.free.push_back(static_cast<std::uint16_t>(index));
  if (slab.free.size() == 1) open(slab);
  const bool shared = slab.slot_bytes <= kSlotBytesMax;
  if (!slab.empty() || (shared && open_[slab.slot_bytes].size() == 1)) return;
  close(slab);
  slabs_.erase(slab.pages.data());
}

std::size_t SecretArena::slabs() const {
  const std::scoped_lock guard(mutex_);
  return slabs_.size();
}

SecretArena::Slab& SecretArena::slab_for(std::size_t size) {
  OpenSlabs& candidates = open_[size];
  if (candidates.empty()) {
    auto slab = std::make_unique<Slab>(size);
    open(*slab);
    const std::byte* const data = slab->pages.data();
    slabs_.emplace(data, std::move(slab));
  }
  return *candidates.back();
}

SecretArena::Slab& SecretArena::slab_of(std::byte* slot) {
  const auto after = slabs_.upper_bound(slot);
  TUBING_ASSERT(after != slabs_.begin());
  Slab& slab = *std::prev(after)->second;
  TUBING_ASSERT(slot < slab.pages.data() + slab.pages.size());
  return slab;
}

void SecretArena::open(Slab& slab) {
  OpenSlabs& slabs = open_[slab.slot_bytes];
  slab.place = slabs.size();
  slabs.push_back(&slab);
}

void SecretArena::close(Slab& slab) {
  OpenSlabs& slabs = open_[slab.slot_bytes];
  slabs[slab.place] = slabs.back();
  slabs[slab.place]->place = slab.place;
  slabs.pop_back();
}

SecretArena& process_arena() {
  // Never destroyed: a Secret in a static object may outlive every other static.
  static SecretArena* const kArena = new SecretArena();
  return *kArena;
}

}  // namespace tubing::crypto::detail
