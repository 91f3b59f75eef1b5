// ChannelTable: from a channel's id to the channel.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <vector>

#include "tubing/rpc/detail/mux_channel.h"

namespace tubing::rpc::detail {

/// A hash table with open addressing, at most half full. Its owner bounds the number of channels.
///
/// Owns: the channels; their addresses stay.
class ChannelTable {
 public:
  ChannelTable() : slots_(std::size_t{1} << kFirstBits), bits_(kFirstBits) {}

  std::size_t size() const { return size_; }

  /// Returns: the channel, or null.
  MuxChannel* find(ChannelId id) const {
    for (std::size_t at = home(id);; at = next(at)) {
      MuxChannel* channel = slots_[at].get();
      if (channel == nullptr || channel->id == id) return channel;
    }
  }

  /// Calls `f` with each channel, in no order that means anything.
  template <class F>
  void for_each(F f) const {
    for (const auto& channel : slots_) {
      if (channel != nullptr) f(*channel);
    }
  }

  /// Requires: no channel has this id.
  MuxChannel& insert(std::unique_ptr<MuxChannel> channel) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    ++size_;
    return place(std::move(channel));
  }

  /// Requires: the channel is here. Later ones of the same chain move up, so no gap breaks it.
  void erase(ChannelId id) {
    std::size_t gap = home(id);
    while (slots_[gap]->id != id) gap = next(gap);
    slots_[gap].reset();
    --size_;
    for (std::size_t at = next(gap); slots_[at] != nullptr; at = next(at)) {
      const std::size_t wanted = home(slots_[at]->id);
      if (((at - wanted) & mask()) < ((at - gap) & mask())) continue;
      slots_[gap] = std::move(slots_[at]);
      gap = at;
    }
  }

 private:
  static constexpr int kFirstBits = 4;
  /// 2^64 divided by the golden ratio. Source: Knuth, TAOCP vol. 3, §6.4.
  static constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;

  std::size_t mask() const { return slots_.size() - 1; }
  std::size_t next(std::size_t at) const { return (at + 1) & mask(); }
  std::size_t home(ChannelId id) const { return (number(id) * kGolden) >> (64 - bits_); }

  MuxChannel& place(std::unique_ptr<MuxChannel> channel) {
    std::size_t at = home(channel->id);
    while (slots_[at] != nullptr) at = next(at);
    slots_[at] = std::move(channel);
    return *slots_[at];
  }

  void grow() {
    std::vector<std::unique_ptr<MuxChannel>> old(2 * slots_.size());
    old.swap(slots_);
    ++bits_;
    for (auto& channel : old) {
      if (channel != nullptr) place(std::move(channel));
    }
  }

  std::vector<std::unique_ptr<MuxChannel>> slots_;
  int bits_;
  std::size_t size_ = 0;
};

}  // namespace tubing::rpc::detail
