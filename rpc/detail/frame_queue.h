// FrameQueue: control frames that are written once and leave in order, ahead of data.
#pragma once

#include <array>

#include "tubing/channel/base/byte_buffer.h"
#include "tubing/rpc/wire.h"

namespace tubing::rpc::detail {

/// Opens, passes, and the resets and refusals that answer them. Its owner bounds the number of
/// frames.
class FrameQueue {
 public:
  bool empty() const { return frames_ == 0; }
  std::size_t frames() const { return frames_; }

  /// Several frames in one call stay together, and count as one.
  template <class... Frames>
  void push(const Frames&... frames) {
    std::array<std::byte, kControlFrameBytesMax> bytes;
    FrameWriter out(bytes);
    (write_frame(out, frames), ...);
    store_be16(queue_.reserve(2).data(), static_cast<std::uint16_t>(out.size()));
    queue_.commit(2);
    queue_.append(ByteView(bytes).first(out.size()));
    ++frames_;
  }

  /// Moves the first frame. Returns: false where there is no room for it.
  bool pop(FrameWriter& out) {
    const std::size_t size = load_be16(queue_.view().data());
    if (size > out.room()) return false;
    out.bytes(queue_.view().subspan(2, size));
    queue_.consume(2 + size);
    --frames_;
    return true;
  }

 private:
  ByteBuffer queue_;
  std::size_t frames_ = 0;
};

}  // namespace tubing::rpc::detail
