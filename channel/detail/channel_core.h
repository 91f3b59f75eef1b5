// ChannelCore<T>: the state that all handles of one channel share.
#pragma once

#include <memory>
#include <optional>

#include "tubing/channel/base/result.h"
#include "tubing/channel/detail/onlooker.h"
#include "tubing/channel/detail/value_ring.h"
#include "tubing/channel/detail/value_seam.h"
#include "tubing/channel/scheduler.h"

namespace tubing::detail {

/// Moving a T is copying it, so nobody needs to ask which it shall be.
template <class T>
inline constexpr bool kCopies = std::is_trivially_copyable_v<T> && std::is_copy_constructible_v<T>;

/// A queue of at most `capacity` values and two queues of waiters; a third one of those who wait
/// until what was sent has been taken.
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
    TUBING_ASSERT(senders_.empty() && receivers_.empty() && flushers_.empty());
    if (sink_) sink_->drop_sender();
    if (source_) source_->drop_receiver();
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
  [[gnu::always_inline]] Outcome receive(std::optional<T>& into) {
    if (ring_.empty()) return receive_unbuffered(into);
    into.emplace(std::move(ring_.front()));
    ring_.pop();
    if (!senders_.empty() || watched_) [[unlikely]]
      give_room();
    return Outcome::done;
  }
  bool can_receive() const { return !ring_.empty() || end_ || sink_ || !senders_.empty(); }

  /// Settles a send, or says that it has to wait. Takes `value` only when it is done.
  template <class V>
  [[gnu::always_inline]] Outcome send(V&& value) {
    if (elsewhere_ || !receivers_.empty() || ring_.size() == capacity_)
      return send_unbuffered(std::forward<V>(value));
    ring_.push(std::forward<V>(value));
    return Outcome::done;
  }
  bool can_send() const {
    if (end_ || source_) return true;
    if (sink_) return senders_.empty() && sink_->has_room();
    return has_receiver(receivers_) || ring_.size() < capacity_;
  }

  /// How many values were sent, and how many of these the receiver's code has taken.
  std::uint64_t accepted() const { return sink_ ? sink_->accepted() : ring_.pushed(); }
  std::uint64_t taken() const {
    if (sink_) return sink_->taken_by_peer();
    return ring_.popped() - (rare_ ? rare_->discarded : 0);
  }
  /// Settles a flush of the first `count` values, or says that it has to wait.
  Outcome flush(std::uint64_t count) {
    if (sink_ && !sink_->can_flush()) return refuse(nobody_flushes());
    if (taken() >= count) return Outcome::done;
    return flush_end() ? Outcome::ended : Outcome::pending;
  }
  /// Why values will not be taken any more; null while they may be, also behind a close.
  const Error* flush_end() const {
    if (rare_ && rare_->late_end) return &*rare_->late_end;
    return end_ && end_->code() != Code::closed ? &*end_ : nullptr;
  }
  void watch_flush(WaitNode& node) {
    flushers_.push(node);
    watched_ = true;
  }
  /// Lets go those whose values have been taken; `WaitNode::slot` holds their count.
  void admit_flushers() {
    while (!flushers_.empty()) {
      WaitNode& node = flushers_.front();
      if (taken() < *static_cast<const std::uint64_t*>(node.slot)) return;
      commit(node);
    }
  }

  /// The sender's user ends the channel, and the peer is told.
  void close(Error how) {
    if (end_) return;
    end(std::move(how));
    if (sink_) sink_->close(*end_);
  }
  /// The receiver's user wants no more: what waits is discarded, and the sender is told.
  void stop(const Error& how) {
    if (sink_) return;
    for (; !ring_.empty(); ring_.pop()) ++rare().discarded;
    end(how);
    if (source_) source_->on_stop(how);
  }
  /// Ends the channel: what is buffered can still be received. The first end stays; behind a close
  /// another one tells that what was sent will not be taken.
  void end(Error how) {
    const bool complete = how.code() == Code::closed;
    if (!end_) {
      end_.emplace(std::move(how));
      elsewhere_ = true;
      while (!receivers_.empty()) end_receiver(receivers_.front());
      while (!senders_.empty()) settle(senders_.front(), Outcome::ended);
    } else if (!complete && !flush_end() && taken() < accepted()) {
      rare().late_end.emplace(std::move(how));
    }
    if (complete) return;
    while (!flushers_.empty()) settle(flushers_.front(), Outcome::ended);
  }
  bool ended() const { return end_.has_value(); }
  /// Requires: ended().
  const Error& how_ended() const { return *end_; }
  /// Requires: an operation of this channel was refused.
  const Error& refusal() const { return *rare_->refusal; }

  /// For a Sink that has room again: lets waiting senders in, in their order.
  void admit_senders() {
    while (!senders_.empty() && !end_) {
      WaitNode& node = senders_.front();
      const Outcome outcome = send_to_sink(*static_cast<T*>(node.slot), node.may_move);
      if (outcome == Outcome::pending) return;
      settle(node, outcome);
    }
  }

  /// For a Source: hands in the next value. Requires: a waiting receiver, or room in the buffer.
  void deliver(T&& value) {
    if (end_) return;
    if (WaitNode* node = first_receiver(receivers_)) {
      hand_over(*node, std::move(value));
      return source_->on_taken();
    }
    TUBING_ASSERT(ring_.size() < capacity_ && "a source delivers no more than its credit");
    ring_.push(std::move(value));
  }
  /// Requires: either lives until it is told that the last handle is gone.
  void attach(Sink<T>& sink) {
    sink_ = &sink;
    elsewhere_ = true;
  }
  void attach(Source& source) {
    source_ = &source;
    elsewhere_ = watched_ = true;
  }
  template <class Owned>
  void attach(std::unique_ptr<Owned> owned) {
    attach(*owned.release());
  }
  Sink<T>* sink() const { return sink_; }
  Source* source() const { return source_; }

  /// Whether nothing was ever sent, so that an end of this channel may travel.
  bool is_fresh() const { return ring_.pushed() == 0 && senders_.empty() && flushers_.empty(); }
  /// Marks the channel while a message that carries its end is written. Returns: false where it
  /// was marked already.
  bool mark_travelling() { return !std::exchange(travelling_, true); }
  void unmark_travelling() { travelling_ = false; }

  WaitQueue& receivers() { return receivers_; }
  WaitQueue& senders() { return senders_; }
  void enlist_sender(WaitNode& node) {
    senders_.push(node);
    if (!receivers_.empty()) [[unlikely]]
      tell_onlookers(receivers_);
  }
  std::size_t size() const { return ring_.size(); }
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
  [[gnu::noinline]] Outcome receive_unbuffered(std::optional<T>& into);
  template <class V>
  [[gnu::noinline]] Outcome send_unbuffered(V&& value);
  RareFacts& rare() {
    if (!rare_) rare_ = std::make_unique<RareFacts>();
    return *rare_;
  }
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
  [[gnu::noinline, gnu::cold]] Outcome refuse(Error why) {
    rare().refusal.emplace(std::move(why));
    return Outcome::refused;
  }
  template <class F>
  static void move_from(WaitNode& node, F&& take) {
    T& value = *static_cast<T*>(node.slot);
    if constexpr (kCopies<T>) {
      return take(static_cast<const T&>(value));
    } else if constexpr (std::is_copy_constructible_v<T>) {
      if (!node.may_move) return take(static_cast<const T&>(value));
    }
    take(std::move(value));
  }
  template <class V>
  void hand_over(WaitNode& node, V&& value) {
    static_cast<std::optional<T>*>(node.slot)->emplace(std::forward<V>(value));
    ring_.pass();
    commit(node);
  }
  /// A value was taken from the buffer: there is room for another.
  [[gnu::noinline]] void give_room() {
    if (!senders_.empty()) admit_one_buffered();
    if (watched_) after_take();
  }
  void admit_one_buffered() {
    WaitNode& node = senders_.front();
    move_from(node, [&](auto&& value) { ring_.push(std::forward<decltype(value)>(value)); });
    commit(node);
  }
  void after_take() {
    if (source_) return source_->on_taken();
    admit_flushers();
    watched_ = !flushers_.empty();
  }

  /// Sends on a channel that has ended, or whose other end is not in this process.
  Outcome send_elsewhere(T& value, bool may_move) {
    if (end_) return Outcome::ended;
    if (source_) return refuse(passed_on("send"));
    return senders_.empty() ? send_to_sink(value, may_move) : Outcome::pending;
  }
  Outcome send_to_sink(T& value, bool may_move) {
    Result<bool> accepted = sink_->accept(value, may_move);
    if (!accepted) return refuse(std::move(accepted).error());
    return *accepted ? Outcome::done : Outcome::pending;
  }

  const std::size_t capacity_;
  ValueRing<T> ring_;
  WaitQueue receivers_;
  WaitQueue senders_;
  WaitQueue flushers_;
  std::optional<Error> end_;
  std::unique_ptr<RareFacts> rare_;
  Sink<T>* sink_ = nullptr;
  Source* source_ = nullptr;
  const Scheduler* home_ = nullptr;  ///< Set at the first wait.
  std::uint32_t refs_ = 0;
  bool elsewhere_ = false;   ///< Ended, or has a sink or a source: no send takes the short way.
  bool watched_ = false;     ///< Has a source or flushers: they are told of each value taken.
  bool travelling_ = false;  ///< Its end is in a message that is being written.
  Code last_recv_end_ = Code::ok;
};

}  // namespace tubing::detail

#include "tubing/channel/detail/channel_core.inl.h"  // IWYU pragma: keep
