#include "tests/allocation_count.h"

#include <atomic>
#include <cstdlib>
#include <new>

#if __has_feature(thread_sanitizer)
#include <sanitizer/allocator_interface.h>
#endif

namespace {

/// Of the whole process, as operator new is.
std::atomic<std::size_t>& counter() {
  static constinit std::atomic<std::size_t> count{0};
  return count;
}

#if __has_feature(thread_sanitizer)

// TSan brings operators that cannot be replaced, and tells of every allocation instead.
void on_malloc(const volatile void*, std::size_t) {
  counter().fetch_add(1, std::memory_order_relaxed);
}
void on_free(const volatile void*) {}

}  // namespace

namespace tubing::test {

std::size_t allocations() {
  static const int installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
  if (installed == 0) std::abort();
  return counter().load(std::memory_order_relaxed);
}

}  // namespace tubing::test

#else

void* allocate(std::size_t bytes) {
  counter().fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}

void* allocate_aligned(std::size_t bytes, std::align_val_t alignment) {
  counter().fetch_add(1, std::memory_order_relaxed);
  const auto step = static_cast<std::size_t>(alignment);
  if (void* memory = std::aligned_alloc(step, (bytes + step - 1) / step * step)) return memory;
  throw std::bad_alloc();
}

}  // namespace

namespace tubing::test {

std::size_t allocations() { return counter().load(std::memory_order_relaxed); }

}  // namespace tubing::test

void* operator new(std::size_t bytes) { return allocate(bytes); }
void* operator new[](std::size_t bytes) { return allocate(bytes); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return allocate_aligned(bytes, alignment);
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return allocate_aligned(bytes, alignment);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

#endif
