// Waiter: one parked operation. It lives inside the awaiter, so waiting allocates nothing.
#pragma once

#include <new>
#include <utility>

#include "tubing/channel/base/error.h"
#include "tubing/channel/deadline.h"
#include "tubing/channel/detail/timer_heap.h"

namespace tubing::detail {

class PromiseBase;
class Strand;
struct Waiter;

/// How a wait ended.
enum class Outcome : std::uint8_t {
  pending,
  done,       ///< The operation took place.
  ended,      ///< The channel has ended; its end says how.
  refused,    ///< The network refused this value, for example for its size; the channel goes on.
  cancelled,  ///< The strand was told to stop; `Strand::cancel_code` says why.
  deadline,   ///< The wait's own deadline came.
};

/// A place in a ring of places.
struct WaitLink {
  bool linked() const { return prev != nullptr; }
  void unlink() {
    prev->next = next;
    next->prev = prev;
    prev = next = nullptr;
  }

  WaitLink* prev = nullptr;
  WaitLink* next = nullptr;
};

/// A waiter's place in the queue of one channel. A select has one for each of its arms.
struct WaitNode : WaitLink {
  WaitNode* sibling = nullptr;  ///< The next node of the same waiter.
  Waiter* waiter = nullptr;     ///< Null for an Onlooker.
  void* slot =
      nullptr;  ///< Where a value goes to, or comes from; the queue's owner knows its type.
  std::uint32_t arm = 0;  ///< Which arm of a select this is.
  bool may_move = false;  ///< A sender's value is a temporary.
};

/// Waiters in the order in which they came. Invariant: a node is linked while its wait lasts.
class WaitQueue {
 public:
  WaitQueue() { head_.prev = head_.next = &head_; }
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  bool empty() const { return head_.next == &head_; }
  WaitNode& front() { return static_cast<WaitNode&>(*head_.next); }
  template <class F>
  bool any_of(F&& test) const {
    for (const WaitLink* link = head_.next; link != &head_; link = link->next)
      if (test(static_cast<const WaitNode&>(*link))) return true;
    return false;
  }
  /// Calls `visit` for each; it may unlink the one that it is given.
  template <class F>
  void for_each(F&& visit) {
    for (WaitLink* link = head_.next; link != &head_;) {
      WaitLink& at = *std::exchange(link, link->next);
      visit(static_cast<WaitNode&>(at));
    }
  }
  void push(WaitNode& node) {
    node.prev = head_.prev;
    node.next = &head_;
    head_.prev->next = &node;
    head_.prev = &node;
  }

 private:
  WaitLink head_;
};

/// What differs between kinds of waiters off the hot path.
struct WaiterKind {
  const char* operation;  ///< For `dump()` and for errors: "recv", "send", "select".
  /// The error that the wait ended with. Requires: outcome is neither pending nor done.
  Error (*error)(Waiter&);
  /// The strand was cancelled while this waits; null: the wait ends with Outcome::cancelled.
  void (*on_cancel)(Waiter&, Code);
  /// A select: how one arm's channel ended is a result, no error of the wait.
  bool has_arms = false;
};

/// One operation of one strand, and its wait where it has to wait. Its timer is its own deadline.
/// Most operations are over at once, so what a wait needs is set by `begin_wait`.
struct Waiter : Timer {
  explicit Waiter(const WaiterKind& k) : Timer(Later()), kind(&k) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  /// Called before the first node is linked; `in_ok` is the frame that an error ends, or null.
  void begin_wait(PromiseBase* in_ok) {
    slot = kIdle;
    nodes = nullptr;
    unwrapped = in_ok;
  }
  /// Takes all nodes out of their queues.
  void unlink() {
    for (WaitNode* node = nodes; node; node = node->sibling)
      if (node->linked()) node->unlink();
  }

  const WaiterKind* kind;
  Strand* strand;          ///< Set before the operation is tried.
  WaitNode* nodes;         ///< Its places in queues, linked by `sibling`.
  PromiseBase* unwrapped;  ///< Under ok(): the frame that an error ends.
  Outcome outcome = Outcome::pending;
  std::uint32_t won;  ///< The arm that took place.
};

/// Room for a node that begins when the wait does: an operation that is over at once pays nothing
/// for it. A copy made before then is another room.
class WaitPlace {
 public:
  WaitPlace() {}
  WaitPlace(const WaitPlace&) {}
  WaitPlace& operator=(const WaitPlace&) = delete;

  /// The node, to be linked next. Requires: the wait of `waiter` has begun.
  WaitNode& begin(Waiter& waiter, void* slot, std::uint32_t arm = 0) {
    WaitNode& node = *new (&node_) WaitNode;
    node.sibling = waiter.nodes;
    node.waiter = &waiter;
    node.slot = slot;
    node.arm = arm;
    waiter.nodes = &node;
    return node;
  }

 private:
  union {
    WaitNode node_;
  };
};

}  // namespace tubing::detail
