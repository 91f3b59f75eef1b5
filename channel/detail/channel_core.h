// ChannelCore<T>: the state that all handles of one channel share.
#pragma once

#include <memory>
#include <new>
#include <optional>

#include "tubing/channel/base/result.h"
#include "tubing/channel/detail/onlooker.h"
#include "tubing/channel/detail/strand.h"

namespace tubing::detail {

/// Where the values of a sender go when the receiver is not in this process.
template <class T>
class Sink {
 public:
  virtual ~Sink() = default;
  /// Takes `value` (to encode it) and returns true; or has no room now, and calls
  /// `ChannelCore::admit_senders` when it has. An error refuses this value alone.
  virtual Result<bool> accept(const T& value) = 0;
  /// Whether `accept` would take a small value.
  virtual bool has_room() const = 0;
  /// The user ended the channel: `closed` says complete, any other code breaks it off.
  virtual void close(const Error& how) = 0;
};

/// Where the values of a receiver come from when the sender is not in this process.
class Source {
 public:
  virtual ~Source() = default;
  /// One value was taken from the buffer: the sender may send another.
  virtual void on_taken() = 0;
};

/// A queue of at most `capacity` values and two queues of waiters.
///
/// Invariants: receivers wait only while the buffer is empty; senders wait only while it is full
/// (or the sink has no room); never both. Values leave in the order in which they came.
/// Source: Go's runtime/chan.go describes the same rules.
template <class T>
class ChannelCore : public Pooled {
  static_assert(std::is_object_v<T> && std::is_move_constructible_v<T>,
                "a channel carries movable values; for a bare event use Channel<std::monostate>");

 public:
  explicit ChannelCore(std::size_t capacity) : capacity_(capacity) {}
  ChannelCore(const ChannelCore&) = delete;
  ChannelCore& operator=(const ChannelCore&) = delete;
  ~ChannelCore() {
    TUBING_ASSERT(senders_.empty() && receivers_.empty());
    while (count_ > 0) pop_front();
    if (ring_) std::allocator<T>().deallocate(ring_, capacity_);
  }

  void add_ref() { ++refs_; }
  void drop_ref() {
    if (--refs_ == 0) delete this;
  }
  /// Whether one handle is all that holds this channel.
  bool alone() const { return refs_ == 1; }

  /// A channel belongs to the Scheduler on which it was first awaited.
  void check_home(const Strand& strand) {
    if (home_ != &strand.scheduler) [[unlikely]]
      settle_home(strand);
  }

  /// Settles a receive, or says that it has to wait.
  Outcome receive(std::optional<T>& into) {
    if (count_ > 0) {
      T& first = ring_[head_];
      into.emplace(std::move(first));
      pop_front();
      if (!senders_.empty()) [[likely]] {
        admit_one_buffered();
      }
      if (source_) [[unlikely]]
        source_->on_taken();
      return Outcome::done;
    }
    if (!senders_.empty() && !sink_) {
      WaitNode& node = senders_.front();
      move_from(node, [&](auto&& value) { into.emplace(std::forward<decltype(value)>(value)); });
      commit(node);
      return Outcome::done;
    }
    return end_ ? Outcome::ended : Outcome::pending;
  }
  bool can_receive() const { return count_ > 0 || (!senders_.empty() && !sink_) || end_; }

  /// Settles a send, or says that it has to wait. Takes `value` only when it is done.
  template <class V>
  Outcome send(V&& value) {
    if (end_) [[unlikely]]
      return Outcome::ended;
    if (WaitNode* node = first_receiver(receivers_)) {
      static_cast<std::optional<T>*>(node->slot)->emplace(std::forward<V>(value));
      commit(*node);
      return Outcome::done;
    }
    if (sink_) [[unlikely]]
      return senders_.empty() ? send_to_sink(value) : Outcome::pending;
    if (count_ == capacity_) return Outcome::pending;
    push_back(std::forward<V>(value));
    return Outcome::done;
  }
  bool can_send() const {
    if (end_ || has_receiver(receivers_)) return true;
    return sink_ ? senders_.empty() && sink_->has_room() : count_ < capacity_;
  }

  /// The user ends the channel, and the peer is told.
  void close(Error how) {
    if (end_) return;
    end(std::move(how));
    if (sink_) sink_->close(*end_);
  }
  /// Ends the channel: what is buffered can still be received. The first end stays.
  void end(Error how) {
    if (end_) return;
    end_.emplace(std::move(how));
    while (!receivers_.empty()) end_receiver(receivers_.front());
    while (!senders_.empty()) settle(senders_.front(), Outcome::ended);
  }
  bool ended() const { return end_.has_value(); }
  /// Requires: ended().
  const Error& how_ended() const { return *end_; }
  /// Requires: an operation of this channel was refused.
  const Error& refusal() const { return *refusal_; }

  /// For a Sink that has room again: lets waiting senders in, in their order.
  void admit_senders() {
    while (!senders_.empty() && !end_) {
      WaitNode& node = senders_.front();
      const Outcome outcome = send_to_sink(*static_cast<const T*>(node.slot));
      if (outcome == Outcome::pending) return;
      settle(node, outcome);
    }
  }

  /// For a Source: hands in the next value. Requires: a waiting receiver, or room in the buffer.
  void deliver(T&& value) {
    if (end_) return;
    if (WaitNode* node = first_receiver(receivers_)) {
      static_cast<std::optional<T>*>(node->slot)->emplace(std::move(value));
      commit(*node);
      source_->on_taken();
      return;
    }
    TUBING_ASSERT(count_ < capacity_ && "a source delivers no more than its credit");
    push_back(std::move(value));
  }
  void attach(std::unique_ptr<Sink<T>> sink) { sink_ = std::move(sink); }
  void attach(std::unique_ptr<Source> source) { source_ = std::move(source); }

  WaitQueue& receivers() { return receivers_; }
  WaitQueue& senders() { return senders_; }
  void enlist_sender(WaitNode& node) {
    senders_.push(node);
    tell_onlookers(receivers_);
  }
  std::size_t size() const { return count_; }
  std::size_t capacity() const { return capacity_; }

  /// How the last receive that yielded no value ended; `ok` before there was one.
  void note_recv_end(Code code) { last_recv_end_ = code; }
  Result<> recv_end() const {
    if (last_recv_end_ == Code::cancelled || last_recv_end_ == Code::deadline_exceeded)
      return Error(last_recv_end_, "recv");
    if (!end_ || end_->code() == Code::closed) return {};
    return end_->met_by("recv");
  }

 private:
  [[gnu::noinline, gnu::cold]] void settle_home(const Strand& strand) {
    TUBING_ASSERT(!home_ && "a channel is used on one Scheduler alone", strand.name);
    home_ = &strand.scheduler;
  }
  static void settle(WaitNode& node, Outcome outcome) {
    Waiter& waiter = *node.waiter;
    waiter.won = node.arm;
    waiter.strand->wake(waiter, outcome);
  }
  static void end_receiver(WaitNode& node) {
    if (node.waiter) return settle(node, Outcome::ended);
    if (WaitNode* behind = static_cast<Onlooker&>(node).claim_end()) commit(*behind);
  }
  static void commit(WaitNode& node) { settle(node, Outcome::done); }

  template <class F>
  static void move_from(WaitNode& node, F&& take) {
    T& value = *static_cast<T*>(node.slot);
    if constexpr (std::is_copy_constructible_v<T>) {
      if (!node.may_move) return take(static_cast<const T&>(value));
    }
    take(std::move(value));
  }

  void admit_one_buffered() {
    WaitNode& node = senders_.front();
    move_from(node, [&](auto&& value) { push_back(std::forward<decltype(value)>(value)); });
    commit(node);
  }

  Outcome send_to_sink(const T& value) {
    Result<bool> accepted = sink_->accept(value);
    if (!accepted) {
      refusal_.emplace(std::move(accepted).error());
      return Outcome::refused;
    }
    return *accepted ? Outcome::done : Outcome::pending;
  }

  template <class V>
  void push_back(V&& value) {
    if (!ring_) [[unlikely]]
      ring_ = std::allocator<T>().allocate(capacity_);
    std::size_t slot = head_ + count_;
    if (slot >= capacity_) slot -= capacity_;
    new (ring_ + slot) T(std::forward<V>(value));
    ++count_;
  }
  void pop_front() {
    ring_[head_].~T();
    if (++head_ == capacity_) head_ = 0;
    --count_;
  }

  const std::size_t capacity_;
  std::size_t count_ = 0;
  std::size_t head_ = 0;
  T* ring_ = nullptr;  ///< Raw memory for `capacity_` values, made at the first buffered one.
  WaitQueue receivers_;
  WaitQueue senders_;
  std::optional<Error> end_;
  std::optional<Error> refusal_;  ///< Why the last refused value was.
  std::unique_ptr<Sink<T>> sink_;
  std::unique_ptr<Source> source_;
  const Scheduler* home_ = nullptr;  ///< Set at the first wait.
  std::uint32_t refs_ = 0;
  Code last_recv_end_ = Code::ok;
};

/// A counted reference to a channel, as small as a pointer. The count is not atomic: a channel
/// belongs to one Scheduler.
template <class T>
class ChannelRef {
 public:
  ChannelRef() = default;
  explicit ChannelRef(ChannelCore<T>* core) : core_(core) {
    if (core_) core_->add_ref();
  }
  ChannelRef(const ChannelRef& other) : ChannelRef(other.core_) {}
  ChannelRef(ChannelRef&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  ChannelRef& operator=(ChannelRef other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~ChannelRef() {
    if (core_) core_->drop_ref();
  }

  ChannelCore<T>* get() const { return core_; }
  ChannelCore<T>& operator*() const {
    TUBING_ASSERT(core_ && "an operation on an empty channel handle");
    return *core_;
  }
  ChannelCore<T>* operator->() const { return &**this; }

 private:
  ChannelCore<T>* core_ = nullptr;
};

/// Sends by copy or by move, as the user gave the value.
template <class T>
Outcome send_from(ChannelCore<T>& core, T& value, bool may_move) {
  if constexpr (std::is_copy_constructible_v<T>) {
    if (!may_move) return core.send(static_cast<const T&>(value));
  }
  return core.send(std::move(value));
}

/// The error of a wait that ended without its operation.
template <class T>
Error wait_error(const ChannelCore<T>& core, const Waiter& waiter, const char* operation) {
  if (waiter.outcome == Outcome::cancelled) return Error(waiter.strand->cancel_code, operation);
  if (waiter.outcome == Outcome::deadline) return Error(Code::deadline_exceeded, operation);
  if (waiter.outcome == Outcome::refused) return core.refusal();
  return core.how_ended().met_by(operation);
}
template <class T>
Error receive_error(ChannelCore<T>& core, const Waiter& waiter) {
  Error error = wait_error(core, waiter, "recv");
  core.note_recv_end(waiter.outcome == Outcome::ended ? Code::ok : error.code());
  return error;
}

}  // namespace tubing::detail
