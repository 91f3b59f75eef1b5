// ChannelList: channels that wait for the same thing, in the order in which they came.
#pragma once

#include <cstddef>

#include "tubing/channel/base/assert.h"

namespace tubing::rpc::detail {

/// An element's place in one list.
template <class T>
struct ListHook {
  bool linked() const { return next != nullptr; }

  T* previous = nullptr;  ///< Null for the first.
  T* next = nullptr;      ///< Itself for the last; null outside of a list.
};

/// An intrusive queue; an element is in it once at most. Owns nothing.
template <class T, ListHook<T> T::* kHook>
class ChannelList {
 public:
  bool empty() const { return front_ == nullptr; }
  std::size_t size() const { return size_; }
  T& front() const {
    TUBING_ASSERT(front_ != nullptr);
    return *front_;
  }

  /// Does nothing for an element that is in the list already.
  void push_back(T& element) {
    ListHook<T>& hook = element.*kHook;
    if (hook.linked()) return;
    hook = {.previous = back_, .next = &element};
    (back_ == nullptr ? front_ : (back_->*kHook).next) = &element;
    back_ = &element;
    ++size_;
  }

  /// Does nothing for an element that is not in the list.
  void remove(T& element) {
    ListHook<T>& hook = element.*kHook;
    if (!hook.linked()) return;
    T* next = hook.next == &element ? nullptr : hook.next;
    if (hook.previous == nullptr) {
      front_ = next;
    } else {
      (hook.previous->*kHook).next = next == nullptr ? hook.previous : next;
    }
    (next == nullptr ? back_ : (next->*kHook).previous) = hook.previous;
    hook = {};
    --size_;
  }

  void move_front_to_back() {
    T& element = front();
    remove(element);
    push_back(element);
  }

 private:
  T* front_ = nullptr;
  T* back_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tubing::rpc::detail
