// Credit: what one side may send on a channel, in items and bytes, as totals since it began.
#pragma once

#include <algorithm>
#include <cstdint>

#include "tubing/channel/base/assert.h"

namespace tubing::rpc::detail {

/// Items and bytes; every credit counts both.
struct Amount {
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
};

/// An amount that may be under way at a time: below 2^32 of both.
struct Window {
  Window() = default;
  explicit Window(Amount amount) : items(clamp(amount.items)), bytes(clamp(amount.bytes)) {}
  static std::uint32_t clamp(std::uint64_t value) {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, 0xFFFF'FFFF));
  }

  std::uint32_t items = 0;
  std::uint32_t bytes = 0;
};

/// The sender's view: what the peer granted, and what we used of it.
class SendCredit {
 public:
  /// The first grant, which is the peer's window; later grants are counted from it.
  explicit SendCredit(Amount window) : total_(window), window_(window) {}

  /// What the peer granted first; it may have grown since.
  const Window& window() const { return window_; }
  const Amount& used() const { return used_; }
  bool has_item() const { return used_.items < total_.items; }
  std::uint64_t items_left() const { return has_item() ? total_.items - used_.items : 0; }
  std::uint64_t bytes_left() const {
    return total_.bytes > used_.bytes ? total_.bytes - used_.bytes : 0;
  }
  /// What the peer has taken, as its grants tell. Requires: its accept came, or it is the opener.
  std::uint64_t items_taken() const { return total_.items - window_.items; }
  /// Whether a grant of so many items tells of more messages taken than were sent.
  bool takes_unsent(std::uint64_t items) const { return items > used_.items + window_.items; }

  /// `accept` came: its totals stand in the place of the early ones, higher or lower.
  void replace(Amount window) {
    total_ = window;
    window_ = Window(window);
  }
  /// `credit` came. Returns: whether it grants more of one and less of neither.
  bool raise(Amount total) {
    if (total.items < total_.items || total.bytes < total_.bytes) return false;
    if (total.items == total_.items && total.bytes == total_.bytes) return false;
    total_ = total;
    ++grants_;
    return true;
  }
  /// Grants so far beyond two a message: one when it is taken, one when its room is reserved.
  std::uint64_t idle_grants() const {
    return grants_ > 2 * used_.items ? grants_ - 2 * used_.items : 0;
  }

  void use_item() { ++used_.items; }
  void use_bytes(std::uint64_t bytes) { used_.bytes += bytes; }

 private:
  Amount total_;
  Amount used_;
  std::uint64_t grants_ = 0;
  Window window_;
};

/// The receiver's view: what we granted, and what of it came and was taken.
///
/// Invariant: taken <= received <= limit, and granted <= limit.
class ReceiveCredit {
 public:
  explicit ReceiveCredit(Amount window)
      : granted_(window), window_(window), first_(window), told_bytes_(window_.bytes) {}

  const Window& window() const { return window_; }
  const Amount& granted() const { return granted_; }
  const Amount& received() const { return received_; }
  const Amount& taken() const { return taken_; }
  /// What the peer may have sent in all, with what it had before its accept.
  Amount limit() const {
    return {std::max<std::uint64_t>(granted_.items, first_.items),
            std::max<std::uint64_t>(granted_.bytes, first_.bytes)};
  }
  /// Bytes that came, or still may come, and are not taken.
  std::uint64_t bytes_promised() const { return limit().bytes - taken_.bytes; }
  std::uint64_t bytes_held() const { return received_.bytes - taken_.bytes; }
  bool all_taken() const { return taken_.items == received_.items; }
  /// Messages were taken of which the peer does not know.
  bool knows_more_taken() const { return taken_.items + window_.items > granted_.items; }

  /// Early credit ends: from now on the window is this one.
  void replace(Amount window) {
    granted_ = window;
    window_ = Window(window);
    told_bytes_ = window_.bytes;
  }
  /// More bytes may be under way from the next grant on.
  void grow(std::uint64_t window_bytes) { window_.bytes = Window::clamp(window_bytes); }
  bool has_grown() const { return window_.bytes > told_bytes_; }
  /// Halves a window that has grown. It stays what the peer was told of it: that divides its large
  /// messages from the others.
  void shrink() { window_.bytes = std::max(told_bytes_, window_.bytes / 2); }

  /// Returns: false where the peer has no credit for it.
  bool receive_item() {
    if (received_.items >= limit().items) return false;
    ++received_.items;
    return true;
  }
  bool receive_bytes(std::uint64_t bytes) {
    if (bytes > limit().bytes - received_.bytes) return false;
    received_.bytes += bytes;
    return true;
  }

  /// Requires: no more than was received.
  void take(Amount amount) {
    TUBING_ASSERT(amount.items <= received_.items - taken_.items, amount.items, received_.items);
    TUBING_ASSERT(amount.bytes <= received_.bytes - taken_.bytes, amount.bytes, received_.bytes);
    taken_.items += amount.items;
    taken_.bytes += amount.bytes;
  }

  /// Bytes of a message that stays incomplete are dropped; nobody will take them.
  void drop(std::uint64_t bytes) { taken_.bytes += bytes; }

  /// Whether telling the peer is worth a frame: half a window, or all that came is taken.
  bool grant_is_due() const {
    const Amount next = next_grant();
    const Amount more{next.items - granted_.items, next.bytes - granted_.bytes};
    if (more.items == 0 && more.bytes == 0) return false;
    return all_taken() || more.items * 2 >= window_.items || more.bytes * 2 >= window_.bytes;
  }
  /// Grants a window beyond what is taken.
  void grant() { granted_ = next_grant(); }
  /// Grants bytes up to this total, for a message whose whole length was reserved.
  void grant_bytes(std::uint64_t total) { granted_.bytes = std::max(granted_.bytes, total); }

 private:
  Amount next_grant() const {
    return {std::max(granted_.items, taken_.items + window_.items),
            std::max(granted_.bytes, taken_.bytes + window_.bytes)};
  }

  Amount granted_;
  Amount received_;
  Amount taken_;
  Window window_;
  Window first_;              ///< The window before `accept`; the limit is never lower.
  std::uint32_t told_bytes_;  ///< Of the window in the open or the accept.
};

}  // namespace tubing::rpc::detail
