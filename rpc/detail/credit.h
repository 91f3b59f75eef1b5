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

/// The sender's view: what the peer granted, and what we used of it.
class SendCredit {
 public:
  /// The first grant, which is the peer's window; later grants are counted from it.
  explicit SendCredit(Amount window) : window_(window), total_(window) {}

  const Amount& window() const { return window_; }
  bool has_item() const { return used_.items < total_.items; }
  std::uint64_t bytes_left() const {
    return total_.bytes > used_.bytes ? total_.bytes - used_.bytes : 0;
  }
  /// What the peer has taken, as far as its grants tell.
  std::uint64_t items_taken() const { return total_.items - window_.items; }

  /// `accept` came: its totals stand in the place of the early ones, higher or lower.
  void replace(Amount window) { window_ = total_ = window; }
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
  Amount window_;
  Amount total_;
  Amount used_;
  std::uint64_t grants_ = 0;
};

/// The receiver's view: what we granted, and what of it came and was taken.
///
/// Invariant: taken <= received <= limit, and granted <= limit.
class ReceiveCredit {
 public:
  explicit ReceiveCredit(Amount window)
      : window_(window), granted_(window), limit_(window), first_bytes_(window.bytes) {}

  const Amount& window() const { return window_; }
  const Amount& granted() const { return granted_; }
  const Amount& received() const { return received_; }
  /// What the peer may have sent in all, with what it had before its accept.
  const Amount& limit() const { return limit_; }
  /// What the window is charged with: its bytes, or the early ones where those were more.
  std::uint64_t window_charge() const { return std::max(window_.bytes, first_bytes_); }
  /// Bytes that came, or still may come, and are not taken.
  std::uint64_t bytes_promised() const { return limit_.bytes - taken_.bytes; }
  std::uint64_t bytes_held() const { return received_.bytes - taken_.bytes; }

  /// Early credit ends: from now on the window is this one.
  void replace(Amount window) {
    window_ = granted_ = window;
    raise_limit();
  }

  /// Returns: false where the peer has no credit for it.
  bool receive_item() {
    if (received_.items >= limit_.items) return false;
    ++received_.items;
    return true;
  }
  bool receive_bytes(std::uint64_t bytes) {
    if (bytes > limit_.bytes - received_.bytes) return false;
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
    return taken_.items == received_.items || more.items * 2 >= window_.items ||
           more.bytes * 2 >= window_.bytes;
  }
  /// Grants a window beyond what is taken.
  void grant() {
    granted_ = next_grant();
    raise_limit();
  }
  /// Grants bytes up to this total, for a message whose whole length was reserved.
  void grant_bytes(std::uint64_t total) {
    granted_.bytes = std::max(granted_.bytes, total);
    raise_limit();
  }

 private:
  Amount next_grant() const {
    return {std::max(granted_.items, taken_.items + window_.items),
            std::max(granted_.bytes, taken_.bytes + window_.bytes)};
  }
  void raise_limit() {
    limit_.items = std::max(limit_.items, granted_.items);
    limit_.bytes = std::max(limit_.bytes, granted_.bytes);
  }

  Amount window_;
  Amount granted_;
  Amount limit_;
  Amount received_;
  Amount taken_;
  std::uint64_t first_bytes_;  ///< The window before `accept`; the limit is never lower.
};

}  // namespace tubing::rpc::detail
