#include "tubing/channel/detail/frame_pool.h"

#include <array>
#include <new>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define TUBING_PLAIN_FRAMES 1
#endif
#endif

namespace tubing::detail {

#ifdef TUBING_PLAIN_FRAMES

void* allocate_frame(std::size_t bytes) { return ::operator new(bytes); }
void free_frame(void* frame, std::size_t bytes) noexcept { ::operator delete(frame, bytes); }

#else

namespace {

/// A class has 16 k + 8 bytes: with its own 8 of bookkeeping the allocator loses none of them.
constexpr std::size_t kClassStep = 16;
constexpr std::size_t kClassRest = 8;

constexpr std::size_t class_index(std::size_t bytes) {
  return (bytes + kClassStep - kClassRest - 1) / kClassStep;
}

struct FreeFrame {
  FreeFrame* next;
};

struct SizeClass {
  FreeFrame* first = nullptr;
  std::size_t count = 0;
};

struct Pool {
  std::array<SizeClass, class_index(kPooledBytesMax) + 1> classes;

  ~Pool() {
    for (SizeClass& size_class : classes) {
      while (FreeFrame* frame = size_class.first) {
        size_class.first = frame->next;
        ::operator delete(frame);
      }
      size_class.count = kPooledFramesMax;  // whoever frees later frees for good
    }
  }
};

thread_local Pool pool;

SizeClass& class_of(std::size_t bytes) { return pool.classes[class_index(bytes)]; }

}  // namespace

void* allocate_frame(std::size_t bytes) {
  if (bytes > kPooledBytesMax) return ::operator new(bytes);
  SizeClass& size_class = class_of(bytes);
  if (FreeFrame* frame = size_class.first) {
    size_class.first = frame->next;
    --size_class.count;
    return frame;
  }
  return ::operator new(class_index(bytes) * kClassStep + kClassRest);
}

void free_frame(void* frame, std::size_t bytes) noexcept {
  if (bytes > kPooledBytesMax) return ::operator delete(frame);
  SizeClass& size_class = class_of(bytes);
  if (size_class.count >= kPooledFramesMax) return ::operator delete(frame);
  size_class.first = new (frame) FreeFrame{size_class.first};
  ++size_class.count;
}

#endif

}  // namespace tubing::detail
