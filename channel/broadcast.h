// Broadcast<T>: every subscriber gets every value.
#pragma once

#include "tubing/channel/detail/broadcast_state.h"

namespace tubing {

/// Room of a Broadcast where none is given: the last values that it keeps for its subscribers.
inline constexpr std::size_t kBroadcastCapacity = 64;

/// One subscriber of a Broadcast, with a place of its own among the values. Move-only.
///
///     while (auto v = co_await news.recv()) use(*v);
///     if (news.missed() > 0) …
///
/// Threads: the Scheduler's alone.
template <class T>
class Subscription {
 public:
  /// `co_await news.recv()`: the next value that was sent since the subscription began.
  /// Errors: data_loss where this subscriber was so slow that values were overwritten: told once,
  /// with their number; the next recv goes on with the oldest value that is left. closed, where the
  /// Broadcast was closed and all that is left has been received. cancelled, deadline_exceeded.
  /// Cancel: ends the wait; no value is lost.
  detail::ClaimOp<detail::SubscriptionClaim<T>> recv(Deadline deadline = {}) {
    return {detail::SubscriptionClaim<T>(*place_), deadline};
  }
  /// How many values this subscriber has missed so far, as told by data_loss.
  std::uint64_t missed() const { return place_->missed; }
  /// How many values wait for this subscriber.
  std::size_t size() const { return place_->size(); }

  explicit Subscription(detail::CountedRef<detail::BroadcastState<T>> state)
      : place_(std::make_unique<detail::SubscriberPlace<T>>(std::move(state))) {}
  detail::SubscriberPlace<T>& place() { return *place_; }

 private:
  std::unique_ptr<detail::SubscriberPlace<T>> place_;  ///< At one address: waits refer to it.
};

/// Sends each value to all who have subscribed. A send never waits and a slow subscriber slows
/// nobody: the last `capacity` values are kept, once for all subscribers, and who falls behind by
/// more is told how many it missed. A copyable handle: all copies are the same Broadcast.
///
///     Broadcast<Price> prices{256};
///     Subscription<Price> mine = prices.subscribe();
///     prices.send(price);
///
/// To have the sender wait for the slowest instead, send to a Channel for each receiver.
///
/// Requires: T is copyable; each subscriber gets a copy.
/// Threads: the Scheduler's alone.
template <class T>
class Broadcast {
 public:
  /// Requires: capacity > 0.
  explicit Broadcast(std::size_t capacity = kBroadcastCapacity)
      : state_(new detail::BroadcastState<T>(capacity)) {}

  /// From the next value on. On a closed Broadcast the first recv says `closed`.
  Subscription<T> subscribe() const { return Subscription<T>(state_); }
  /// Gives `value` to all subscribers at once; without one it is dropped.
  /// Returns: how many there are. Errors: closed.
  Result<std::size_t> send(T value) const { return state_->send(std::move(value)); }
  /// Nothing more will be sent. Idempotent.
  void close() const { state_->close(); }

  std::size_t subscribers() const { return state_->subscribers(); }
  std::size_t capacity() const { return state_->capacity(); }

 private:
  detail::CountedRef<detail::BroadcastState<T>> state_;
};

/// An arm that receives from a subscription; its result is a Result<T>.
template <class T>
detail::ClaimArm<detail::SubscriptionClaim<T>> recv(Subscription<T>& subscription) {
  return detail::ClaimArm(detail::SubscriptionClaim<T>(subscription.place()));
}

}  // namespace tubing
