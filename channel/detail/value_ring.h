// ValueRing: the values that wait in a channel, and how many came and went since it began.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace tubing::detail {

/// A queue in one block of memory, which is made at the first value and doubles as more of them
/// wait at once. It has no bound of its own: whoever pushes keeps one.
template <class T>
class ValueRing {
 public:
  ValueRing() = default;
  ValueRing(const ValueRing&) = delete;
  ValueRing& operator=(const ValueRing&) = delete;
  ~ValueRing() {
    while (!empty()) pop();
    if (block_) std::allocator<T>().deallocate(block_, room());
  }

  std::size_t size() const { return static_cast<std::size_t>(tail_ - head_); }
  bool empty() const { return tail_ == head_; }
  /// How many values were pushed, and how many of them popped, in all.
  std::uint64_t pushed() const { return tail_; }
  std::uint64_t popped() const { return head_; }

  /// Requires: !empty().
  T& front() { return block_[head_ & mask_]; }
  template <class V>
  void push(V&& value) {
    if (!block_ || size() == room()) [[unlikely]]
      grow();
    new (block_ + (tail_ & mask_)) T(std::forward<V>(value));
    ++tail_;
  }
  void pop() {
    front().~T();
    ++head_;
  }
  /// Counts a value that went by without waiting. Requires: empty().
  void pass() {
    ++head_;
    ++tail_;
  }

 private:
  static constexpr std::uint32_t kFirstRoom = 4;

  std::size_t room() const { return std::size_t{mask_} + 1; }
  [[gnu::noinline, gnu::cold]] void grow() {
    const std::uint32_t mask = block_ ? 2 * mask_ + 1 : kFirstRoom - 1;
    T* block = std::allocator<T>().allocate(std::size_t{mask} + 1);
    for (std::uint64_t i = head_; i != tail_; ++i) {
      T& old = block_[i & mask_];
      new (block + (i & mask)) T(std::move(old));
      old.~T();
    }
    if (block_) std::allocator<T>().deallocate(block_, room());
    block_ = block;
    mask_ = mask;
  }

  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
  T* block_ = nullptr;
  std::uint32_t mask_ = 0;  ///< The room less one; the room is a power of two.
};

}  // namespace tubing::detail
