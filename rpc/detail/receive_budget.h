// ReceiveBudget: the memory that one session promises to its peer.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tubing/channel/base/assert.h"

namespace tubing::rpc::detail {

/// Two halves: windows of channels, and messages that are larger than a window. Idle channels can
/// so never starve a large message, and a large message no new channel.
///
/// Windows shrink as their half fills, to a least size which may exceed it by a little: the number
/// of channels bounds that.
class ReceiveBudget {
 public:
  explicit ReceiveBudget(std::uint64_t bytes_max) : half_(bytes_max / 2) {}

  /// The window of a new channel: a 64th of what is free, within the two bounds.
  std::uint64_t window(std::uint64_t bytes_min, std::uint64_t bytes_max) const {
    const std::uint64_t free = half_ > windows_ ? half_ - windows_ : 0;
    return std::clamp(free / 64, bytes_min, bytes_max);
  }
  bool has_room(std::uint64_t large_bytes) const {
    return large_ <= half_ && large_bytes <= half_ - large_;
  }

  /// A channel's share changes.
  void change_window(std::uint64_t from, std::uint64_t to) {
    TUBING_ASSERT(windows_ >= from, windows_, from);
    windows_ += to - from;
  }
  void change_large(std::uint64_t from, std::uint64_t to) {
    TUBING_ASSERT(large_ >= from, large_, from);
    large_ += to - from;
  }

 private:
  std::uint64_t half_;
  std::uint64_t windows_ = 0;
  std::uint64_t large_ = 0;
};

}  // namespace tubing::rpc::detail
