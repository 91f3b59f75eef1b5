// What an operation does that finds no value in the buffer, or no room. The end of channel_core.h.
#pragma once

#include "tubing/channel/detail/channel_core.h"

namespace tubing::detail {

template <class T>
Outcome ChannelCore<T>::receive_unbuffered(std::optional<T>& into) {
  if (!senders_.empty() && !sink_) {
    WaitNode& node = senders_.front();
    move_from(node, [&](auto&& value) { into.emplace(std::forward<decltype(value)>(value)); });
    ring_.pass();
    commit(node);
    return Outcome::done;
  }
  if (end_) return Outcome::ended;
  return sink_ ? refuse(passed_on("recv")) : Outcome::pending;
}

template <class T>
template <class V>
Outcome ChannelCore<T>::send_unbuffered(V&& value) {
  if (elsewhere_) [[unlikely]]
    return send_elsewhere(const_cast<T&>(value), std::is_rvalue_reference_v<V&&>);
  if (WaitNode* node = first_receiver(receivers_)) {
    hand_over(*node, std::forward<V>(value));
    return Outcome::done;
  }
  if (ring_.size() == capacity_) return Outcome::pending;
  ring_.push(std::forward<V>(value));
  return Outcome::done;
}

}  // namespace tubing::detail
