// RecvOp, SendOp and FlushOp: one receive, one send, one flush, as awaited by a task.
#pragma once

#include "tubing/channel/detail/channel_ref.h"

namespace tubing::detail {

template <class T>
class [[nodiscard]] RecvOp : public Waiter {
 public:
  RecvOp(const ChannelRef<T>& channel, Deadline until)
      : Waiter(kKind), deadline(until), channel_(channel) {
    TUBING_ASSERT(channel.get() && "a recv on an empty handle");
  }

  [[gnu::always_inline]] bool ready() {
    core().check_home(*strand);
    outcome = core().receive(value_);
    return outcome != Outcome::pending;
  }
  void enlist() { core().receivers().push(place_.begin(*this, &value_)); }
  Result<T> finish() {
    if (outcome == Outcome::done) [[likely]]
      return *std::move(value_);
    return kKind.error(*this);
  }
  T take() { return *std::move(value_); }

  const Deadline deadline;

 private:
  ChannelCore<T>& core() { return *channel_.get(); }
  static Error error_of(Waiter& waiter) {
    return receive_error(static_cast<RecvOp&>(waiter).core(), waiter);
  }
  static constexpr WaiterKind kKind{.operation = "recv", .error = error_of, .on_cancel = nullptr};

  ChannelRef<T> channel_;  ///< Keeps the channel, though its handles may go while this waits.
  WaitPlace place_;
  std::optional<T> value_;
};

template <class T>
class [[nodiscard]] SendOp : public Waiter {
 public:
  SendOp(const ChannelRef<T>& channel, const T& value, Deadline until)
      : Waiter(kKind), deadline(until), channel_(channel), value_(const_cast<T*>(&value)) {
    TUBING_ASSERT(channel.get() && "a send on an empty handle");
  }
  SendOp(const ChannelRef<T>& channel, T&& value, Deadline until)
      : Waiter(kKind), deadline(until), channel_(channel), value_(&value), may_move_(true) {
    TUBING_ASSERT(channel.get() && "a send on an empty handle");
  }

  [[gnu::always_inline]] bool ready() {
    core().check_home(*strand);
    outcome = send_from(core(), *value_, may_move_);
    return outcome != Outcome::pending;
  }
  void enlist() {
    WaitNode& node = place_.begin(*this, value_);
    node.may_move = may_move_;
    core().enlist_sender(node);
  }
  Result<> finish() {
    if (outcome == Outcome::done) [[likely]]
      return {};
    return kKind.error(*this);
  }
  void take() {}

  const Deadline deadline;

 private:
  ChannelCore<T>& core() { return *channel_.get(); }
  static Error error_of(Waiter& waiter) {
    return wait_error(static_cast<SendOp&>(waiter).core(), waiter, "send");
  }
  static constexpr WaiterKind kKind{.operation = "send", .error = error_of, .on_cancel = nullptr};

  ChannelRef<T> channel_;  ///< Keeps the channel, though its handles may go while this waits.
  WaitPlace place_;
  T* value_;               ///< Bound by reference: copied or moved from when the send takes place.
  bool may_move_ = false;  ///< It is a temporary.
};

template <class T>
class [[nodiscard]] FlushOp : public Waiter {
 public:
  FlushOp(const ChannelRef<T>& channel, Deadline until)
      : Waiter(kKind), deadline(until), channel_(channel), count_(channel->accepted()) {}

  bool ready() {
    core().check_home(*strand);
    outcome = core().flush(count_);
    return outcome != Outcome::pending;
  }
  void enlist() { core().watch_flush(place_.begin(*this, &count_)); }
  Result<> finish() {
    if (outcome == Outcome::done) return {};
    return kKind.error(*this);
  }
  void take() {}

  const Deadline deadline;

 private:
  ChannelCore<T>& core() { return *channel_.get(); }
  static Error error_of(Waiter& waiter) {
    return flush_error(static_cast<FlushOp&>(waiter).core(), waiter);
  }
  static constexpr WaiterKind kKind{.operation = "flush", .error = error_of, .on_cancel = nullptr};

  ChannelRef<T> channel_;  ///< Keeps the channel, though its handles may go while this waits.
  WaitPlace place_;
  std::uint64_t count_;  ///< What was sent before: done once as many have been taken.
};

}  // namespace tubing::detail
