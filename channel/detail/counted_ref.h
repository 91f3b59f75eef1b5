// CountedRef: a counted reference to what the handles of one Broadcast or Watch share.
#pragma once

#include <cstdint>
#include <utility>

#include "tubing/channel/base/assert.h"

namespace tubing::detail {

/// The count of a shared state. Not atomic: it belongs to one Scheduler.
class RefCount {
 public:
  void add_ref() { ++refs_; }
  /// Returns: whether that was the last.
  bool drop_ref() { return --refs_ == 0; }

 private:
  std::uint32_t refs_ = 0;
};

/// As small as a pointer; the last one destroys the state.
template <class State>
class CountedRef {
 public:
  explicit CountedRef(State* state) : state_(state) { state_->add_ref(); }
  CountedRef(const CountedRef& other) : state_(other.state_) {
    if (state_) state_->add_ref();
  }
  CountedRef(CountedRef&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  CountedRef& operator=(CountedRef other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~CountedRef() {
    if (state_ && state_->drop_ref()) delete state_;
  }

  State& operator*() const { return *operator->(); }
  State* operator->() const {
    TUBING_ASSERT(state_ && "a handle that was moved away");
    return state_;
  }

 private:
  State* state_;
};

}  // namespace tubing::detail
