// RecvOp and SendOp: one receive, one send, as awaited by a task.
#pragma once

#include "tubing/channel/detail/channel_core.h"

namespace tubing::detail {

template <class T>
class [[nodiscard]] RecvOp : public Waiter {
 public:
  RecvOp(ChannelCore<T>& core, Deadline until) : Waiter(kKind), deadline(until), core_(core) {}

  bool ready() {
    core_.check_home(*strand);
    outcome = core_.receive(value_);
    return outcome != Outcome::pending;
  }
  void enlist() {
    node_.waiter = this;
    node_.slot = &value_;
    nodes = &node_;
    core_.receivers().push(node_);
  }
  Result<T> finish() {
    if (outcome == Outcome::done) [[likely]]
      return *std::move(value_);
    return kKind.error(*this);
  }
  T take() { return *std::move(value_); }

  const Deadline deadline;

 private:
  static Error error_of(Waiter& waiter) {
    return receive_error(static_cast<RecvOp&>(waiter).core_, waiter);
  }
  static constexpr WaiterKind kKind{.operation = "recv", .error = error_of, .on_cancel = nullptr};

  ChannelCore<T>& core_;
  WaitNode node_;
  std::optional<T> value_;
};

template <class T>
class [[nodiscard]] SendOp : public Waiter {
 public:
  SendOp(ChannelCore<T>& core, const T& value, Deadline until)
      : Waiter(kKind), deadline(until), core_(core), value_(const_cast<T*>(&value)) {}
  SendOp(ChannelCore<T>& core, T&& value, Deadline until)
      : Waiter(kKind), deadline(until), core_(core), value_(&value) {
    node_.may_move = true;
  }

  bool ready() {
    core_.check_home(*strand);
    outcome = send_from(core_, *value_, node_.may_move);
    return outcome != Outcome::pending;
  }
  void enlist() {
    node_.waiter = this;
    node_.slot = value_;
    nodes = &node_;
    core_.senders().push(node_);
  }
  Result<> finish() {
    if (outcome == Outcome::done) [[likely]]
      return {};
    return kKind.error(*this);
  }
  void take() {}

  const Deadline deadline;

 private:
  static Error error_of(Waiter& waiter) {
    return wait_error(static_cast<SendOp&>(waiter).core_, waiter, "send");
  }
  static constexpr WaiterKind kKind{.operation = "send", .error = error_of, .on_cancel = nullptr};

  ChannelCore<T>& core_;
  WaitNode node_;
  T* value_;  ///< Bound by reference: copied or moved from when the send takes place.
};

}  // namespace tubing::detail
