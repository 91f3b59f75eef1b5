// ReceiveBudget: the memory that one session promises to its peer.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tubing/rpc/process_budget.h"

namespace tubing::rpc::detail {

/// Two halves: windows of channels, and messages that are larger than a window. Idle channels can
/// so never starve a large message, and a large message no new channel. What it promises counts in
/// the process's budget, too.
///
/// Windows shrink as their half fills, to a least size which may exceed it by a little: the number
/// of channels bounds that.
class ReceiveBudget {
 public:
  ReceiveBudget(std::uint64_t bytes_max, ProcessBudget* process)
      : half_(bytes_max / 2), process_(process) {}

  /// The window of a new channel: a 64th of what is free, within the two bounds.
  std::uint64_t window(std::uint64_t bytes_min, std::uint64_t bytes_max) const {
    return std::clamp(windows_free() / 64, bytes_min, bytes_max);
  }
  /// What a window may grow to, so that the first eight fill half of what there is.
  std::uint64_t grown_window(std::uint64_t window, std::uint64_t bytes_max) const {
    const std::uint64_t more = std::min(window, windows_free() / 8);
    return std::max(window, std::min(window + more, bytes_max));
  }
  /// Whether grown windows are to shrink: three quarters are promised.
  bool is_tight() const { return windows_free() < half_ / 4; }
  bool has_room(std::uint64_t large_bytes) const {
    return large_ <= half_ && large_bytes <= half_ - large_;
  }
  std::uint64_t windows_free() const {
    const std::uint64_t own = half_ > windows_ ? half_ - windows_ : 0;
    return process_ == nullptr ? own : std::min(own, process_->windows_free());
  }

  /// What the session promises now.
  std::uint64_t used() const { return windows_ + large_; }

  /// A channel's share changes.
  void change_window(std::uint64_t from, std::uint64_t to) {
    TUBING_ASSERT(windows_ >= from, windows_, from);
    windows_ += to - from;
    if (process_ != nullptr) process_->change_window(from, to);
  }
  void change_large(std::uint64_t from, std::uint64_t to) {
    TUBING_ASSERT(large_ >= from, large_, from);
    large_ += to - from;
    if (process_ != nullptr) process_->change_large(from, to);
  }

 private:
  std::uint64_t half_;
  std::uint64_t windows_ = 0;
  std::uint64_t large_ = 0;
  ProcessBudget* process_;
};

}  // namespace tubing::rpc::detail
