// Frame pool: where coroutine frames and strands come from, one pool a thread.
#pragma once

#include <cstddef>

namespace tubing::detail {

/// Memory for one frame. Sizes up to kPooledBytesMax are kept in free lists of the calling thread;
/// under a sanitizer every frame is a plain allocation, so that it is watched like any other.
void* allocate_frame(std::size_t bytes);
/// Requires: `bytes` as it was allocated with.
void free_frame(void* frame, std::size_t bytes) noexcept;

inline constexpr std::size_t kPooledBytesMax = 2048;
/// Frames kept for reuse per size class and thread.
inline constexpr std::size_t kPooledFramesMax = 4096;

/// A base that takes its memory from the frame pool.
struct Pooled {
  static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
  static void operator delete(void* memory, std::size_t bytes) noexcept {
    free_frame(memory, bytes);
  }
};

}  // namespace tubing::detail
