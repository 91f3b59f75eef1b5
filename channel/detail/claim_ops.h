// ClaimOp and ClaimArm: waiting for anything that is no channel, alone or as an arm of a select.
#pragma once

#include <concepts>

#include "tubing/channel/base/result.h"
#include "tubing/channel/scheduler.h"

namespace tubing::detail {

// A claim says what is waited for, and holds what was got. It has
//   using Value                 what it yields
//   kOperation                  its name, for errors and `dump()`
//   bool ready(Strand&)         whether `settle` would not have to wait
//   Outcome settle()            takes place, or says how its subject ended; called when ready
//   WaitNode& node()            its place in a queue
//   void enlist()               queues that node, whose waiter is set
//   Value take()                what it got, once done
//   Error error()               why it was refused, or how its subject ended
// A claim is moved only before it is enlisted.

/// Queues a claim for `waiter`, as its arm number `arm`.
template <class Claim>
void enlist_claim(Claim& claim, Waiter& waiter, std::uint32_t arm) {
  WaitNode& node = claim.node();
  node.waiter = &waiter;
  node.arm = arm;
  node.sibling = waiter.nodes;
  waiter.nodes = &node;
  claim.enlist();
}

/// Ends the wait that `node` belongs to: its claim took place.
inline void settle_claim(WaitNode& node, Outcome outcome) {
  Waiter& waiter = *node.waiter;
  waiter.won = node.arm;
  waiter.strand->wake(waiter, outcome);
}

template <class Claim>
class [[nodiscard]] ClaimOp : public Waiter {
 public:
  ClaimOp(Claim claim, Deadline until) : Waiter(kKind), deadline(until), claim_(std::move(claim)) {}

  bool ready() {
    if (!claim_.ready(*strand)) return false;
    outcome = claim_.settle();
    return true;
  }
  void enlist() { enlist_claim(claim_, *this, 0); }
  Result<typename Claim::Value> finish() {
    if (outcome == Outcome::done) [[likely]]
      return claim_.take();
    return kKind.error(*this);
  }
  typename Claim::Value take() { return claim_.take(); }

  const Deadline deadline;

 private:
  static Error error_of(Waiter& waiter) {
    if (waiter.outcome == Outcome::cancelled)
      return Error(waiter.strand->cancel_code, Claim::kOperation);
    if (waiter.outcome == Outcome::deadline)
      return Error(Code::deadline_exceeded, Claim::kOperation);
    return static_cast<ClaimOp&>(waiter).claim_.error();
  }
  static constexpr WaiterKind kKind{
      .operation = Claim::kOperation, .error = error_of, .on_cancel = nullptr};

  Claim claim_;
};

template <class Claim>
class ClaimArm {
 public:
  using Value = Result<typename Claim::Value>;
  explicit ClaimArm(Claim claim) : claim_(std::move(claim)) {}
  bool ready(const Waiter& waiter) const { return claim_.ready(*waiter.strand); }
  Outcome commit() { return claim_.settle(); }
  void enlist(Waiter& waiter, std::uint32_t arm) { enlist_claim(claim_, waiter, arm); }
  Value finish(Waiter& waiter) {
    if (waiter.outcome == Outcome::done) return claim_.take();
    return claim_.error();
  }

 private:
  mutable Claim claim_;  ///< `ready` may note what it found.
};

}  // namespace tubing::detail
