// Channel<T>: Go's channel. Sender<T> and Receiver<T> are its two ends.
#pragma once

#include <concepts>

#include "tubing/channel/detail/channel_ops.h"
#include "tubing/channel/task.h"

namespace tubing {

template <class T>
class Sender;
template <class T>
class Receiver;

/// The sending end of a channel, as `chan<- T` in Go. A copyable handle; the default one is empty.
///
/// Requires: not empty, for every operation but select, where an empty handle is a disabled arm.
/// Threads: the Scheduler's alone.
template <class T>
class Sender {
 public:
  Sender() = default;

  /// `co_await tx.send(v)`: waits until a receiver or the buffer takes `v`. A value given by
  /// reference is copied, a temporary moved, and only once the send takes place.
  /// Errors: closed, where somebody closed the channel; stopped, where the receiver wants no more;
  /// cancelled and deadline_exceeded, where the value was not sent and is untouched; over a network
  /// also reset, lost, and invalid_argument for a value over the limit, or with an end in it that
  /// cannot be passed, which leaves the value and the channel as they were.
  /// Cancel: ends the wait.
  detail::SendOp<T> send(const T& value, Deadline deadline = {}) const
    requires std::copy_constructible<T>
  {
    return {ref_, value, deadline};
  }
  detail::SendOp<T> send(T&& value, Deadline deadline = {}) const {
    return {ref_, std::move(value), deadline};
  }
  /// Sends if that needs no waiting. Returns false where it would have waited, with `value`
  /// untouched.
  /// Errors: as send, without the waiting ones.
  Result<bool> try_send(const T& value) const
    requires std::copy_constructible<T>
  {
    return tried(ref_->send(value));
  }
  Result<bool> try_send(T&& value) const { return tried(ref_->send(std::move(value))); }
  /// `co_await tx.flush()`: waits until the receiver's code has taken everything that was sent
  /// before. Allowed behind close too: "it was complete, and all of it was taken".
  /// Errors: stopped, and over a network reset and lost, where not all of it was taken; the text
  /// says how much was. cancelled, deadline_exceeded. invalid_argument on a datagram channel.
  /// Cancel: ends the wait.
  detail::FlushOp<T> flush(Deadline deadline = {}) const { return {ref_, deadline}; }
  /// How many values were sent, and how many of these the receiver's code is known to have taken.
  /// Over a network the second follows with the receiver's credit. Both stay when the channel ends.
  std::uint64_t accepted() const { return ref_->accepted(); }
  std::uint64_t taken_by_peer() const { return ref_->taken(); }
  /// Says that nothing more will be sent. What was sent can still be received; waiting senders end
  /// with `closed`. Idempotent, never waits.
  void close() const { ref_->close(Error(Code::closed, "channel")); }
  /// Breaks the channel off: receivers get `why` behind what was sent; over a network the peer gets
  /// reset with its status, and what it has not received may be dropped.
  void close(Error why) const { ref_->close(std::move(why)); }

  explicit operator bool() const { return ref_.get() != nullptr; }
  /// How many values are buffered in this process.
  std::size_t size() const { return ref_->size(); }
  std::size_t capacity() const { return ref_->capacity(); }
  detail::ChannelCore<T>* core() const { return ref_.get(); }
  explicit Sender(detail::ChannelCore<T>* core) : ref_(core) {}

 private:
  Result<bool> tried(detail::Outcome outcome) const {
    if (outcome == detail::Outcome::ended) return ref_->how_ended().met_by("send");
    if (outcome == detail::Outcome::refused) return ref_->refusal();
    return outcome == detail::Outcome::done;
  }

  detail::ChannelRef<T> ref_;
};

/// The receiving end of a channel, as `<-chan T` in Go. A copyable handle; the default one is
/// empty.
///
///     while (auto v = co_await rx.recv()) use(*v);
///     co_return rx.end();
///
/// Requires: not empty, for every operation but select, where an empty handle is a disabled arm.
/// Threads: the Scheduler's alone.
template <class T>
class Receiver {
 public:
  Receiver() = default;

  /// `co_await rx.recv()`: waits for the next value.
  /// Errors: closed, where the channel was closed and everything that was sent has been received;
  /// cancelled, deadline_exceeded; over a network also reset and lost.
  /// Cancel: ends the wait; no value is lost.
  detail::RecvOp<T> recv(Deadline deadline = {}) const { return {ref_, deadline}; }
  /// Receives if that needs no waiting. Returns no value where it would have waited.
  /// Errors: as recv, without the waiting ones.
  Result<std::optional<T>> try_recv() const {
    std::optional<T> value;
    if (ref_->receive(value) == detail::Outcome::ended) {
      ref_->note_recv_end(Code::ok);
      return ref_->how_ended().met_by("recv");
    }
    return value;
  }
  /// Nothing more is wanted: what waits here and what still comes is discarded, and the sender's
  /// operations end with `stopped`, as every later recv does that finds no earlier end. Idempotent,
  /// never waits. In process a receiver that is only dropped tells its sender nothing, as in Go.
  void stop() const { ref_->stop(Error(Code::stopped, "channel", "the receiver wants no more")); }
  /// How the last recv, or recv arm of a select, that yielded no value ended: ok for `closed`
  /// alone, so that `co_return rx.end();` behind a loop hides no loss.
  Result<> end() const { return ref_->recv_end(); }

  explicit operator bool() const { return ref_.get() != nullptr; }
  /// How many values are buffered in this process.
  std::size_t size() const { return ref_->size(); }
  std::size_t capacity() const { return ref_->capacity(); }
  detail::ChannelCore<T>* core() const { return ref_.get(); }
  explicit Receiver(detail::ChannelCore<T>* core) : ref_(core) {}

 private:
  detail::ChannelRef<T> ref_;
};

/// Both ends of a channel within one process, as `make(chan T, n)` in Go. A copyable handle: all
/// copies are the same channel. Capacity 0 is a rendezvous: a send waits for its receiver. Whoever
/// sends closes, so each stage of a pipeline closes what it sends when its input has ended.
///
///     Channel<int> ch{16};
///     co_await ok(ch.send(1));
///     int v = co_await ok(ch.recv());
///
/// Threads: the Scheduler's alone.
template <class T>
class Channel : public Sender<T>, public Receiver<T> {
 public:
  /// An empty handle; `Channel<T> ch{0}` is a rendezvous.
  Channel() = default;
  explicit Channel(std::size_t capacity) : Channel(*new detail::ChannelCore<T>(capacity)) {}

  Sender<T> tx() const { return *this; }
  Receiver<T> rx() const { return *this; }
  using Sender<T>::size;
  using Sender<T>::capacity;
  using Sender<T>::core;
  using Sender<T>::operator bool;

 private:
  explicit Channel(detail::ChannelCore<T>& core) : Sender<T>(&core), Receiver<T>(&core) {}
};

}  // namespace tubing
