// Outbox: the messages of one channel that were accepted and have not left yet.
#pragma once

#include <cstdint>
#include <cstring>

#include "tubing/channel/base/assert.h"
#include "tubing/channel/base/byte_buffer.h"
#include "tubing/rpc/detail/spare_blocks.h"

namespace tubing::rpc::detail {

/// A queue of messages in one block: each is its length in four bytes, then its content. At the
/// back one message may be staged: begun, and neither committed nor rolled back.
///
/// Requires: it holds less than 2^32 bytes, which the limits of Mux see to.
/// Owns: its block, which goes to the spare ones when the queue runs empty.
class Outbox {
 public:
  /// What of the first message has not left.
  struct Front {
    ByteView rest;
    bool begun;  ///< A part of the message has left already.
  };

  bool empty() const { return queue_.empty(); }
  /// What the messages cost that have not left, without a staged one.
  std::size_t bytes() const { return bytes_; }
  /// What a message costs here.
  static constexpr std::size_t cost(std::size_t message_bytes) {
    return kHeadBytes + message_bytes;
  }
  /// The one message here is larger than a channel's share.
  bool large() const { return large_; }
  bool staging() const { return staged_at_ != kNone; }
  std::size_t staged_bytes() const { return queue_.size() - staged_at_ - kHeadBytes; }

  ByteBuffer& stage(SpareBlocks& spare) {
    TUBING_ASSERT(!staging());
    if (queue_.capacity() == 0) queue_ = spare.take();
    staged_at_ = static_cast<std::uint32_t>(queue_.size());
    (void)queue_.reserve(kHeadBytes);
    queue_.commit(kHeadBytes);
    return queue_;
  }
  void commit(bool large) {
    const auto size = static_cast<std::uint32_t>(staged_bytes());
    std::memcpy(queue_.mutable_view().data() + staged_at_, &size, kHeadBytes);
    staged_at_ = kNone;
    bytes_ += static_cast<std::uint32_t>(cost(size));
    large_ = large;
  }
  void rollback(SpareBlocks& spare) {
    queue_.truncate(staged_at_);
    staged_at_ = kNone;
    if (queue_.empty()) spare.give(std::move(queue_));
  }

  /// Requires: !empty() && !staging().
  Front front() const {
    TUBING_ASSERT(!staging());
    if (left_ > 0) return {queue_.view().first(left_), true};
    std::uint32_t size = 0;
    std::memcpy(&size, queue_.view().data(), kHeadBytes);
    return {queue_.view().subspan(kHeadBytes, size), false};
  }
  /// That many bytes of the first message have left. Requires: no more than front().rest.
  void pop(std::size_t count, SpareBlocks& spare) {
    const Front first = front();
    TUBING_ASSERT(count <= first.rest.size(), count, first.rest.size());
    const std::size_t gone = first.begun ? count : cost(count);
    left_ = static_cast<std::uint32_t>(first.rest.size() - count);
    bytes_ -= static_cast<std::uint32_t>(gone);
    queue_.consume(gone);
    if (queue_.empty()) clear(spare);
  }

  /// Drops everything. Requires: !staging().
  void clear(SpareBlocks& spare) {
    TUBING_ASSERT(!staging());
    spare.give(std::move(queue_));
    left_ = bytes_ = 0;
    large_ = false;
  }

 private:
  static constexpr std::size_t kHeadBytes = 4;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  ByteBuffer queue_;
  std::uint32_t staged_at_ = kNone;
  std::uint32_t left_ = 0;  ///< Of the first message, where a part of it has left; else 0.
  std::uint32_t bytes_ = 0;
  bool large_ = false;
};

}  // namespace tubing::rpc::detail
