// ChannelRef: a counted reference to a channel, and what every operation on one needs.
#pragma once

#include "tubing/channel/detail/channel_core.h"

namespace tubing::detail {

/// The same error; the text says how many values the receiver's code had taken.
Error with_taken(const Error& how, std::uint64_t taken, std::uint64_t sent);

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
  if constexpr (kCopies<T>) {
    return core.send(static_cast<const T&>(value));
  } else if constexpr (std::is_copy_constructible_v<T>) {
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

/// How a flush ended that did not see everything taken, and how far the receiver came.
template <class T>
Error flush_error(const ChannelCore<T>& core, const Waiter& waiter) {
  if (waiter.outcome != Outcome::ended) return wait_error(core, waiter, "flush");
  Error how = core.flush_end()->met_by("flush");
  if (core.sink() && how.code() == Code::lost) return how;  // it says so itself
  return with_taken(how, core.taken(), core.accepted());
}

}  // namespace tubing::detail
