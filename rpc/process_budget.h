// ProcessBudget: the memory that all sessions of one process promise to their peers together.
#pragma once

#include <cstdint>

#include "tubing/rpc/detail/channel_list.h"

namespace tubing::rpc {

/// What the sessions of one process may promise together. Units: bytes.
inline constexpr std::uint64_t kProcessReceiveBytesMax = 512 * 1024 * 1024;

/// One half is for windows of channels, which shrink as it fills; the other for messages that are
/// larger than their window, which wait for room: first come, first served, one of each session at
/// a time, and no session overtakes those that wait.
///
/// Requires: it outlives its sessions.
/// Threads: one, that of its sessions.
class ProcessBudget {
 public:
  explicit ProcessBudget(std::uint64_t bytes_max = kProcessReceiveBytesMax)
      : half_(bytes_max / 2) {}
  ~ProcessBudget() { TUBING_ASSERT(used() == 0, used()); }
  ProcessBudget(const ProcessBudget&) = delete;
  ProcessBudget& operator=(const ProcessBudget&) = delete;

  std::uint64_t bytes_max() const { return 2 * half_; }
  /// What is promised now. The least windows may exceed bytes_max by a little.
  std::uint64_t used() const { return windows_ + large_; }

  /// A session whose large message waits for room.
  class Waiter {
   public:
    /// Tries again. Returns: whether the next one may try; false where this one still lacks room.
    virtual bool on_room() = 0;

   protected:
    ~Waiter() = default;

   private:
    friend class ProcessBudget;
    detail::ListHook<Waiter> hook_;
  };

  // What follows is for Mux.

  std::uint64_t windows_free() const { return half_ > windows_ ? half_ - windows_ : 0; }
  /// Whether `waiter` may promise so much for a large message now.
  bool may_reserve(const Waiter& waiter, std::uint64_t bytes) const {
    if (!waiters_.empty() && &waiters_.front() != &waiter) return false;
    return large_ <= half_ && bytes <= half_ - large_;
  }
  void change_window(std::uint64_t from, std::uint64_t to) {
    TUBING_ASSERT(windows_ >= from, windows_, from);
    windows_ += to - from;
  }
  void change_large(std::uint64_t from, std::uint64_t to) {
    TUBING_ASSERT(large_ >= from, large_, from);
    large_ += to - from;
  }
  void wait(Waiter& waiter) { waiters_.push_back(waiter); }
  void leave(Waiter& waiter) { waiters_.remove(waiter); }
  /// Has those try that wait, in their order, until one of them lacks room.
  void serve() {
    while (!waiters_.empty() && waiters_.front().on_room()) {
    }
  }

 private:
  std::uint64_t half_;
  std::uint64_t windows_ = 0;
  std::uint64_t large_ = 0;
  detail::ChannelList<Waiter, &Waiter::hook_> waiters_;
};

}  // namespace tubing::rpc
