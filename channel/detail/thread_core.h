// ThreadCore: what the two sides of a ThreadChannel share, under one lock.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/channel/deadline.h"
#include "tubing/channel/detail/inbox_ring.h"
#include "tubing/channel/mailbox.h"

namespace tubing::detail {

/// A loop's end of a ThreadChannel, as the core sees it: whom to post.
struct LoopEnd {
  channel::Mailbox* mailbox = nullptr;
  channel::Mail* mail = nullptr;
  bool wants_room = false;  ///< A sender who was refused for lack of room; told when there is some.

  void post() const { mailbox->post(*mail); }
};

/// Values wait in `inbox_` until a thread, or the loop's reader, takes them over. Those that a loop
/// took over and its tasks did not receive yet still count.
///
/// Invariant: sent_ - taken_ <= capacity. All is under the lock but `taken_` and `room_wanted_`:
/// with these two a loop that receives a value touches the lock only where a sender waits for room.
/// The sender sets `room_wanted_` and then looks at `taken_`, the receiver adds to `taken_` and
/// then looks at `room_wanted_`: one of them sees the other.
template <class T>
class ThreadCore {
 public:
  explicit ThreadCore(std::size_t capacity) : capacity_(capacity), inbox_(capacity) {
    TUBING_ASSERT(capacity > 0 && "a ThreadChannel has room for at least one value");
  }

  // For threads.
  template <class V>
  Result<> send(V&& value, Deadline deadline);
  Result<bool> try_send(T&& value);
  Result<T> recv(Deadline deadline);
  void close(Error how);

  // For the loops that send.
  void add_writer(LoopEnd& writer);
  void remove_writer(LoopEnd& writer);
  /// Returns: false where there is no room; the writer is posted when there is.
  Result<bool> send_from(LoopEnd& writer, const T& value);
  bool has_room_for(LoopEnd& writer);
  std::optional<Error> how_ended();

  // For the loop that receives.
  void set_reader(LoopEnd& reader);
  /// Nobody receives any more: senders get `closed`.
  void drop_reader();
  /// Swaps what came into `batch`, which is empty. Returns: how the channel ended, behind that.
  std::optional<Error> take_over(InboxRing<T>& batch);
  /// One of the values taken over was received.
  void note_taken() {
    taken_.fetch_add(1);
    if (room_wanted_.load()) [[unlikely]] {
      const std::lock_guard hold(lock_);
      tell_room();
    }
  }

  std::size_t capacity() const { return capacity_; }

 private:
  using Hold = std::unique_lock<std::mutex>;

  static std::optional<std::chrono::steady_clock::time_point> due(Deadline deadline);
  bool has_room() const { return sent_ - taken_.load() < capacity_; }
  /// The same for one who will wait: it is then told.
  bool asks_for_room() {
    if (has_room()) return true;
    room_wanted_.store(true);
    return has_room();
  }
  template <class V>
  void put(V&& value);
  void tell_room();
  void end(Error how);

  const std::size_t capacity_;
  std::mutex lock_;
  std::condition_variable room_;    ///< For threads that send.
  std::condition_variable filled_;  ///< For threads that receive.
  InboxRing<T> inbox_;
  std::uint64_t sent_ = 0;
  std::atomic<std::uint64_t> taken_ = 0;
  std::atomic<bool> room_wanted_ = false;
  std::size_t receivers_waiting_ = 0;
  LoopEnd* reader_ = nullptr;
  bool reader_told_ = false;
  bool had_reader_ = false;
  std::vector<LoopEnd*> writers_;
  std::optional<Error> end_;
};

}  // namespace tubing::detail

#include "tubing/channel/detail/thread_core.inl.h"
