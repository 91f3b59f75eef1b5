// BroadcastState: the values that all subscribers of one Broadcast share, and who waits for more.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "tubing/channel/detail/claim_ops.h"
#include "tubing/channel/detail/counted_ref.h"

namespace tubing::detail {

/// Values are numbered from 0 in the order of sending; the last `capacity` of them are kept.
///
/// Invariant: a subscriber waits only where it has received every value.
template <class T>
class BroadcastState : public RefCount {
  static_assert(std::is_copy_constructible_v<T>, "every subscriber gets a copy of each value");

 public:
  explicit BroadcastState(std::size_t capacity) : capacity_(capacity) {
    TUBING_ASSERT(capacity > 0 && "a Broadcast keeps at least one value");
  }
  ~BroadcastState() { TUBING_ASSERT(waiters_.empty()); }

  Result<std::size_t> send(T value);
  void close() {
    closed_ = true;
    while (!waiters_.empty()) settle_claim(waiters_.front(), Outcome::ended);
  }
  bool closed() const { return closed_; }

  std::uint64_t sent() const { return sent_; }
  std::uint64_t oldest() const { return sent_ - kept_.size(); }
  /// Requires: oldest() <= number < sent().
  const T& at(std::uint64_t number) const { return kept_[number % capacity_]; }
  WaitQueue& waiters() { return waiters_; }

  void subscribe() { ++subscribers_; }
  void unsubscribe() { --subscribers_; }
  std::size_t subscribers() const { return subscribers_; }
  std::size_t capacity() const { return capacity_; }

 private:
  const std::size_t capacity_;
  std::vector<T> kept_;  ///< Value n lies at n % capacity.
  std::uint64_t sent_ = 0;
  std::size_t subscribers_ = 0;
  bool closed_ = false;
  WaitQueue waiters_;
};

/// How far one subscriber has received.
template <class T>
struct SubscriberPlace {
  explicit SubscriberPlace(CountedRef<BroadcastState<T>> of) : state(std::move(of)) {
    state->subscribe();
    next = state->sent();
  }
  SubscriberPlace(const SubscriberPlace&) = delete;
  SubscriberPlace& operator=(const SubscriberPlace&) = delete;
  ~SubscriberPlace() { state->unsubscribe(); }
  std::size_t size() const {
    return static_cast<std::size_t>(state->sent() - std::max(next, state->oldest()));
  }

  CountedRef<BroadcastState<T>> state;
  std::uint64_t next;  ///< The number of the value to receive next.
  std::uint64_t missed = 0;
};

template <class T>
class SubscriptionClaim {
 public:
  using Value = T;
  static constexpr const char* kOperation = "recv";

  explicit SubscriptionClaim(SubscriberPlace<T>& place) : place_(&place) {}
  bool ready(const Strand&) const {
    return place_->next < place_->state->sent() || place_->state->closed();
  }
  Outcome settle();
  WaitNode& node() { return node_; }
  void enlist() {
    node_.slot = this;
    place_->state->waiters().push(node_);
  }
  T take() { return *std::move(value_); }
  Error error() const {
    if (missed_ == 0) return Error(Code::closed, kOperation, "broadcast");
    return Error(Code::data_loss, kOperation,
                 fmt::format("{} values were missed, as this subscriber is slower than the sender "
                             "by more than the capacity of {}; give the Broadcast more, or go on",
                             missed_, place_->state->capacity()));
  }
  /// The value that was just sent, for one who waits. Returns: false where another strand that
  /// waits on the same subscription got it.
  bool give(std::uint64_t number, const T& value) {
    if (place_->next != number) return false;
    value_.emplace(value);
    ++place_->next;
    return true;
  }

 private:
  SubscriberPlace<T>* place_;
  WaitNode node_;
  std::optional<T> value_;
  std::uint64_t missed_ = 0;
};

template <class T>
Result<std::size_t> BroadcastState<T>::send(T value) {
  if (closed_) return Error(Code::closed, "send", "broadcast");
  if (subscribers_ == 0) return std::size_t{0};
  const std::uint64_t number = sent_++;
  const std::size_t slot = number % capacity_;
  if (slot < kept_.size()) {
    kept_[slot] = std::move(value);
  } else {
    kept_.push_back(std::move(value));
  }
  const WaitNode* kept_waiting = nullptr;
  while (!waiters_.empty() && &waiters_.front() != kept_waiting) {
    WaitNode& node = waiters_.front();
    if (static_cast<SubscriptionClaim<T>*>(node.slot)->give(number, at(number))) {
      settle_claim(node, Outcome::done);
    } else {
      node.unlink();
      waiters_.push(node);
      if (!kept_waiting) kept_waiting = &node;
    }
  }
  return subscribers_;
}

template <class T>
Outcome SubscriptionClaim<T>::settle() {
  BroadcastState<T>& state = *place_->state;
  if (place_->next < state.oldest()) {
    missed_ = state.oldest() - place_->next;
    place_->missed += missed_;
    place_->next = state.oldest();
    return Outcome::ended;
  }
  if (place_->next == state.sent()) return Outcome::ended;
  value_.emplace(state.at(place_->next++));
  return Outcome::done;
}

}  // namespace tubing::detail
