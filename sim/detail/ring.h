// Ring: a queue in one block of memory that is used again.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace tubing::sim::detail {

/// A queue that has grown allocates nothing more. It has no bound of its own: whoever pushes keeps
/// one.
template <class T>
class Ring {
 public:
  bool empty() const { return head_ == tail_; }
  std::size_t size() const { return tail_ - head_; }
  T& front() { return slots_[head_ & mask()]; }
  /// Counted from the front.
  T& operator[](std::size_t place) { return slots_[(head_ + place) & mask()]; }
  T& back() { return slots_[(tail_ - 1) & mask()]; }
  void push(T value) {
    if (size() == slots_.size()) grow();
    slots_[tail_++ & mask()] = std::move(value);
  }
  T pop() { return std::move(slots_[head_++ & mask()]); }
  void clear() {
    while (!empty()) (void)pop();
  }

 private:
  std::size_t mask() const { return slots_.size() - 1; }
  void grow() {
    constexpr std::size_t kFirst = 8;
    std::vector<T> larger(slots_.empty() ? kFirst : 2 * slots_.size());
    const std::size_t count = size();
    for (std::size_t i = 0; i < count; ++i) larger[i] = pop();
    slots_ = std::move(larger);
    head_ = 0;
    tail_ = count;
  }

  std::vector<T> slots_;  ///< As many as a power of two.
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
};

}  // namespace tubing::sim::detail
