// FlushBuffers: memory in which records are sealed, shared by all sessions of a node.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "tubing/channel/base/bytes.h"

namespace tubing::rpc {

/// Room for one flush: what is sealed in it leaves in one write. Units: bytes.
inline constexpr std::size_t kFlushBufferBytes = 288 * 1024;

struct FlushBuffer {
  std::array<std::byte, kFlushBufferBytes> bytes;
};

/// A session borrows a buffer for a flush, and keeps it only while the link cannot take it all.
/// So idle sessions hold none. Invariant: at most kKept are kept for reuse.
class FlushBuffers {
 public:
  static constexpr std::size_t kKept = 16;

  std::unique_ptr<FlushBuffer> take() {
    if (free_.empty()) return std::make_unique_for_overwrite<FlushBuffer>();
    std::unique_ptr<FlushBuffer> buffer = std::move(free_.back());
    free_.pop_back();
    return buffer;
  }
  void give_back(std::unique_ptr<FlushBuffer> buffer) {
    if (free_.size() < kKept) free_.push_back(std::move(buffer));
  }

 private:
  std::vector<std::unique_ptr<FlushBuffer>> free_;
};

}  // namespace tubing::rpc
