// InboxRing: a queue of at most `capacity` values in memory that is reserved once.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "tubing/channel/base/assert.h"

namespace tubing::detail {

template <class T>
class InboxRing {
 public:
  explicit InboxRing(std::size_t capacity) : capacity_(capacity) {}
  InboxRing(const InboxRing&) = delete;
  InboxRing& operator=(const InboxRing&) = delete;
  ~InboxRing() {
    while (count_ > 0) pop();
    if (slots_) std::allocator<T>().deallocate(slots_, capacity_);
  }

  bool empty() const { return count_ == 0; }
  T& front() { return slots_[head_]; }
  template <class V>
  void push(V&& value) {
    TUBING_ASSERT(count_ < capacity_);
    if (!slots_) slots_ = std::allocator<T>().allocate(capacity_);
    std::size_t slot = head_ + count_;
    if (slot >= capacity_) slot -= capacity_;
    new (slots_ + slot) T(std::forward<V>(value));
    ++count_;
  }
  void pop() {
    slots_[head_].~T();
    if (++head_ == capacity_) head_ = 0;
    --count_;
  }
  void swap(InboxRing& other) {
    std::swap(capacity_, other.capacity_);
    std::swap(slots_, other.slots_);
    std::swap(head_, other.head_);
    std::swap(count_, other.count_);
  }

 private:
  std::size_t capacity_;
  T* slots_ = nullptr;  ///< Raw memory, made at the first value.
  std::size_t head_ = 0;
  std::size_t count_ = 0;
};

}  // namespace tubing::detail
