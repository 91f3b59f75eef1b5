// ChannelList: channels that wait for the same thing, in the order in which they came.
#pragma once

#include <cstddef>

#include "tubing/channel/base/assert.h"

namespace tubing::rpc::detail {

struct MuxChannel;

/// A channel's place in one list.
struct ChannelHook {
  MuxChannel* previous = nullptr;
  MuxChannel* next = nullptr;
  bool linked = false;
};

/// An intrusive queue; a channel is in it once at most. Owns nothing.
template <class Channel, ChannelHook Channel::* kHook>
class ChannelList {
 public:
  bool empty() const { return front_ == nullptr; }
  std::size_t size() const { return size_; }
  Channel& front() const {
    TUBING_ASSERT(front_ != nullptr);
    return *front_;
  }

  /// Does nothing for a channel that is in the list already.
  void push_back(Channel& channel) {
    ChannelHook& hook = channel.*kHook;
    if (hook.linked) return;
    hook = {.previous = back_, .linked = true};
    (back_ == nullptr ? front_ : (back_->*kHook).next) = &channel;
    back_ = &channel;
    ++size_;
  }

  /// Does nothing for a channel that is not in the list.
  void remove(Channel& channel) {
    ChannelHook& hook = channel.*kHook;
    if (!hook.linked) return;
    (hook.previous == nullptr ? front_ : (hook.previous->*kHook).next) = hook.next;
    (hook.next == nullptr ? back_ : (hook.next->*kHook).previous) = hook.previous;
    hook = {};
    --size_;
  }

  void move_front_to_back() {
    Channel& channel = front();
    remove(channel);
    push_back(channel);
  }

 private:
  Channel* front_ = nullptr;
  Channel* back_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tubing::rpc::detail
