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

  bool ready() {
    core().check_home(*strand);
    outcome = core().receive(value_);
    return outcome != Outcome::pending;
  }
  void enlist() {
    node_.waiter = this;
    node_.slot = &value_;
    nodes = &node_;
    core().receivers().push(node_);
  }
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
  WaitNode node_;
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
      : Waiter(kKind), deadline(until), channel_(channel), value_(&value) {
    TUBING_ASSERT(channel.get() && "a send on an empty handle");
    node_.may_move = true;
  }

  bool ready() {
    core().check_home(*strand);
    outcome = send_from(core(), *value_, node_.may_move);
    return outcome != Outcome::pending;
  }
  void enlist() {
    node_.waiter = this;
    node_.slot = value_;
    nodes = &node_;
    core().enlist_sender(node_);
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
  WaitNode node_;
  T* value_;  ///< Bound by reference: copied or moved from when the send takes place.
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
  void enlist() {
    node_.waiter = this;
    node_.slot = &count_;
    nodes = &node_;
    core().watch_flush(node_);
  }
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
  WaitNode node_;
  std::uint64_t count_;  ///< What was sent before: done once as many have been taken.
};

}  // namespace tubing::detail
