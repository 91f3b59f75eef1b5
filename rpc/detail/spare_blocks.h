// SpareBlocks: memory of buffers that ran empty, kept for the next message of any channel.
#pragma once

#include <vector>

#include "tubing/channel/base/byte_buffer.h"

namespace tubing::rpc::detail {

/// Owns: at most `bytes_max` of blocks, and at most kBlocksMax of them.
class SpareBlocks {
 public:
  explicit SpareBlocks(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  ByteBuffer take() {
    if (blocks_.empty()) return {};
    ByteBuffer block = std::move(blocks_.back());
    blocks_.pop_back();
    bytes_ -= block.capacity();
    return block;
  }

  /// Keeps the buffer's block, without its content, or frees it.
  void give(ByteBuffer block) {
    if (block.capacity() == 0 || blocks_.size() == kBlocksMax) return;
    if (bytes_ + block.capacity() > bytes_max_) return;
    block.clear();
    bytes_ += block.capacity();
    blocks_.push_back(std::move(block));
  }

  /// Frees them all.
  void trim() {
    blocks_.clear();
    bytes_ = 0;
  }

 private:
  static constexpr std::size_t kBlocksMax = 64;

  std::vector<ByteBuffer> blocks_;
  std::size_t bytes_ = 0;
  std::size_t bytes_max_;
};

}  // namespace tubing::rpc::detail
