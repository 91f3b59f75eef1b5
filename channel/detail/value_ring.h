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
    if (block_) std::allocator<T>().deallocate(block_, room_);
  }

  std::size_t size() const { return static_cast<std::size_t>(tail_ - head_); }
  bool empty() const { return tail_ == head_; }
  /// How many values were pushed, and how many of them popped, in all.
  std::uint64_t pushed() const { return tail_; }
  std::uint64_t popped() const { return head_; }

  /// Requires: !empty().
  T& front() { return *place(head_); }
  template <class V>
  void push(V&& value) {
    if (size() == room_) [[unlikely]]
      grow();
    new (place(tail_)) T(std::forward<V>(value));
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
  static constexpr std::size_t kFirstRoom = 4;

  T* place(std::uint64_t number) { return block_ + (number & (room_ - 1)); }
  [[gnu::noinline, gnu::cold]] void grow() {
    const std::size_t room = block_ ? 2 * room_ : kFirstRoom;
    T* block = std::allocator<T>().allocate(room);
    for (std::uint64_t i = head_; i != tail_; ++i) {
      T* const from = place(i);
      new (block + (i & (room - 1))) T(std::move(*from));
      from->~T();
    }
    if (block_) std::allocator<T>().deallocate(block_, room_);
    block_ = block;
    room_ = room;
  }

  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
  T* block_ = nullptr;
  std::size_t room_ = 0;  ///< A power of two; 0 while there is no block.
};

}  // namespace tubing::detail
