// Inbox: one channel's message that came in more than one frame, until it is whole.
#pragma once

#include "tubing/channel/base/byte_buffer.h"
#include "tubing/rpc/detail/channel_list.h"
#include "tubing/rpc/detail/spare_blocks.h"

namespace tubing::rpc::detail {

struct MuxChannel;

/// Lives from the message's first frame to its last.
/// Owns: the parts that came.
class Inbox {
 public:
  /// A message began: `left` bytes of it are still to come.
  Inbox(MuxChannel& channel, std::uint64_t left) : channel_(&channel), left_(left) {}

  MuxChannel& channel() const { return *channel_; }
  std::uint64_t left() const { return left_; }
  /// What came of it, and is kept.
  std::size_t bytes() const { return message_.size(); }
  /// The rest of the message lacks credit: its length is not reserved yet.
  bool unreserved() const { return end_ != 0; }
  /// The channel's total of bytes behind this message; what the reservation is to grant.
  std::uint64_t end() const { return end_; }

  /// Its first part, of which `left` is not a part.
  void begin(ByteView part, SpareBlocks& spare) {
    message_ = spare.take();
    message_.append(part);
  }
  /// Makes room at once for what is still to come. Requires: its credit is granted.
  void reserve() {
    end_ = 0;
    (void)message_.reserve(left_);
  }
  void wait_for_reservation(std::uint64_t end) { end_ = end; }
  /// Requires: part.size() <= left(); where it is all, `finish` follows.
  void add(ByteView part) {
    message_.append(part);
    left_ -= part.size();
  }
  /// A part that is dropped, and the message with it.
  void skip(std::uint64_t bytes) { left_ -= bytes; }
  /// Drops the content and still counts what comes.
  void discard(SpareBlocks& spare) {
    spare.give(std::move(message_));
    end_ = 0;
  }
  /// The whole message. Requires: left() == 0.
  ByteBuffer finish() { return std::move(message_); }

  ListHook<Inbox> reserve_wait;  ///< Waits until the message fits the budget.

 private:
  MuxChannel* channel_;
  ByteBuffer message_;
  std::uint64_t left_;
  std::uint64_t end_ = 0;  ///< Not 0 while a reservation is awaited.
};

}  // namespace tubing::rpc::detail
