// Onlooker: one in a channel's queue of receivers who takes a value only while somebody waits.
#pragma once

#include "tubing/channel/detail/waiter.h"

namespace tubing::detail {

/// A place in the queue of receivers that stays there while nobody waits. Its `waiter` is null,
/// which tells it from a strand's place. A FanIn has one for each member.
///
/// Invariant: it is linked only while its channel has nothing to receive, apart from what the very
/// select that waits behind it offers to send.
class Onlooker : public WaitNode {
 public:
  /// The channel has something for a receiver.
  /// Returns: the place of a strand that waits behind this one and takes it; or null, where nobody
  /// waits: this one then left the queue, and remembers that its channel is worth a look.
  virtual WaitNode* claim() = 0;
  /// The channel has ended, and has nothing left. Leaves the queue; returns as `claim`.
  virtual WaitNode* claim_end() = 0;
  /// A sender waits at the channel. Leaves the queue where nobody waits behind this one.
  virtual void look() = 0;
  /// Whether a strand waits behind it.
  virtual bool is_awaited() const = 0;

 protected:
  ~Onlooker() = default;
};

/// The first in `receivers` whom a value may be given, after dismissing the onlookers before it
/// for whom nobody waits; null where there is none.
inline WaitNode* first_receiver(WaitQueue& receivers) {
  while (!receivers.empty()) {
    WaitNode& node = receivers.front();
    if (node.waiter) [[likely]]
      return &node;
    if (WaitNode* behind = static_cast<Onlooker&>(node).claim()) return behind;
  }
  return nullptr;
}

/// Whether `first_receiver` would find one.
inline bool has_receiver(const WaitQueue& receivers) {
  return receivers.any_of([](const WaitNode& node) {
    return node.waiter || static_cast<const Onlooker&>(node).is_awaited();
  });
}

/// A sender begins to wait: every onlooker is told that its channel is worth a look. Where a strand
/// waits behind one, it is the same select that waits to send, which does not meet itself.
inline void tell_onlookers(WaitQueue& receivers) {
  receivers.for_each([](WaitNode& node) {
    if (!node.waiter) static_cast<Onlooker&>(node).look();
  });
}

}  // namespace tubing::detail
