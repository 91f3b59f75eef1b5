// The data frames that a flush made, in their order.
#pragma once

#include "tests/rpc/mux_pair.h"

namespace tubing::rpc {

/// A data frame seen on the wire.
struct Seen {
  std::uint64_t id;
  std::size_t bytes;
};

template <class Frame>
inline void see(FrameReader& in, std::vector<Seen>& seen) {
  Frame frame;
  TUBING_ASSERT(read_frame(in, frame));
  if constexpr (requires { frame.payload; })
    seen.push_back({number(frame.id), frame.payload.size()});
}

/// The data frames of one flush, in their order.
inline std::vector<Seen> data_frames(const std::vector<Bytes>& records) {
  std::vector<Seen> seen;
  for (const Bytes& record : records) {
    FrameReader in(record);
    while (!in.done()) {
      switch (FrameKind{in.byte()}) {
        case FrameKind::data: see<DataFrame>(in, seen); break;
        case FrameKind::data_begin: see<DataBeginFrame>(in, seen); break;
        case FrameKind::data_more: see<DataMoreFrame>(in, seen); break;
        case FrameKind::credit: see<CreditFrame>(in, seen); break;
        case FrameKind::close: see<CloseFrame>(in, seen); break;
        case FrameKind::blocked: see<BlockedFrame>(in, seen); break;
        default: TUBING_ASSERT(false);
      }
    }
  }
  return seen;
}

inline std::size_t bytes_of(const std::vector<Seen>& seen, ChannelId id) {
  std::size_t bytes = 0;
  for (const Seen& frame : seen) bytes += frame.id == number(id) ? frame.bytes : 0;
  return bytes;
}

}  // namespace tubing::rpc
