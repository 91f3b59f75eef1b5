#include "tubing/channel/scheduler.h"

#include <fmt/format.h>

#include "tubing/channel/execution.h"

namespace tubing {

using detail::Outcome;
using detail::Strand;
using detail::Timer;
using detail::Waiter;

namespace detail {

std::coroutine_handle<> Strand::park_until(Waiter& waiter, const Deadline& until) {
  waiter.fire = [](Timer& timer) {
    Waiter& due = static_cast<Waiter&>(timer);
    due.strand->wake(due, Outcome::deadline);
  };
  const Time now = until.relative() ? scheduler.now() : Time();
  scheduler.timers().arm(waiter, until.from(now));
  return scheduler.next_frame();
}

void Strand::wake_unusual(Waiter& waiter) {
  scheduler.timers().disarm(waiter);
  const bool of_arm = waiter.outcome <= Outcome::refused && waiter.kind->has_arms;
  const bool failed = waiter.outcome != Outcome::done && !of_arm;
  if (failed && waiter.unwrapped) next = waiter.unwrapped->fail(waiter.kind->error(waiter));
  scheduler.push(*this);
}

void Strand::cancel(Code code) {
  if (cancelled() || finished) return;
  cancel_code = code;
  if (!parked) return scheduler.on_cancel_of(*this);
  if (parked->kind->on_cancel) return parked->kind->on_cancel(*parked, code);
  wake(*parked, Outcome::cancelled);
}

}  // namespace detail

TurnHook::~TurnHook() { unlink(); }

void TurnHook::unlink() {
  if (!link_) return;
  *link_ = next_;
  if (next_) next_->link_ = link_;
  link_ = nullptr;
  next_ = nullptr;
}

Scheduler::Scheduler(channel::Reactor& reactor, Prng prng, SchedulerOptions options)
    : reactor_(reactor), prng_(prng), options_(options) {
  grow_ring();
  turn_time_ = reactor_.now();
}

Scheduler::~Scheduler() {
  TUBING_ASSERT(living_count_ == 0, living_count_);
  while (hooks_) hooks_->unlink();
}

Result<> Scheduler::run(Task<void> root) {
  Execution program(*this, std::move(root));
  Result<> asleep;
  while (!program.ended()) {
    resume_ready();
    run_hooks();
    if (program.ended()) break;
    if (any_ready() || hooks_ || !timers_.empty() || reactor_.has_sources()) {
      poll(program.next_due());
      continue;
    }
    if (asleep) asleep = Error(Code::failed_precondition, "run", "all tasks are asleep\n" + dump());
    // Not the root alone: a shield would keep its strands from hearing of it.
    program.cancel();
    TUBING_ASSERT(any_ready() && "a strand waits on although it was cancelled");
  }
  Result<> result = program.take();
  if (!asleep) return asleep;
  return result;
}

void Scheduler::poll(Time until) {
  reactor_.park(until);
  turn_time_ = reactor_.now();
  if (!timers_.empty()) timers_.fire_due(turn_time_);
}

void Scheduler::resume_ready() {
  turn_end_ = head_ + options_.resumptions_per_turn;
  const bool plain = options_.order == Order::fifo && !observer_;
  plain_end_ = plain ? turn_end_ : head_;
  while (any_ready() && head_ != turn_end_) {
    next_frame().resume();
    // The one that comes back here: a strand that parks hands over to the next by itself.
    Strand& strand = *std::exchange(running_, nullptr);
    if (!strand.finished) continue;
    // Only now, when no frame of the strand is on the stack, may its owner destroy it.
    Result<> result;
    if (strand.root->error) result = *strand.root->error;
    strand.owner.on_strand_end(strand, std::move(result));
  }
}

std::coroutine_handle<> Scheduler::next_frame_slowly() {
  if (head_ == tail_ || head_ == turn_end_) return std::noop_coroutine();
  if (options_.order == Order::seeded) {
    const std::uint64_t chosen = head_ + prng_.below(tail_ - head_);
    std::swap(ring_[chosen & mask_], ring_[head_ & mask_]);
  }
  if (observer_) observer_->on_resume(reactor_.now(), *ring_[head_ & mask_]);
  plain_end_ = head_ + 1;
  return begin_resumption();
}

void Scheduler::run_hooks() {
  // A hook that queues itself again is called at the end of the next turn.
  TurnHook* batch = std::exchange(hooks_, nullptr);
  if (batch) batch->link_ = &batch;
  while (batch) {
    TurnHook& hook = *batch;
    hook.unlink();
    hook.on_turn_end();
  }
}

void Scheduler::at_turn_end(TurnHook& hook) {
  if (hook.link_) return;
  hook.link_ = &hooks_;
  hook.next_ = hooks_;
  if (hooks_) hooks_->link_ = &hook.next_;
  hooks_ = &hook;
}

void Scheduler::adopt(Strand& strand) {
  strand.id = next_id_++;
  strand.next_living = living_;
  if (living_) living_->prev_living = &strand;
  living_ = &strand;
  if (++living_count_ > ring_.size()) grow_ring();
}

void Scheduler::release(Strand& strand) {
  if (strand.prev_living) {
    strand.prev_living->next_living = strand.next_living;
  } else {
    living_ = strand.next_living;
  }
  if (strand.next_living) strand.next_living->prev_living = strand.prev_living;
  --living_count_;
}

void Scheduler::grow_ring() {
  std::vector<Strand*> grown(ring_.empty() ? 64 : ring_.size() * 2);
  for (std::uint64_t i = head_; i != tail_; ++i) grown[i - head_] = ring_[i & mask_];
  tail_ -= head_;
  turn_end_ -= head_;
  plain_end_ -= head_;
  head_ = 0;
  ring_ = std::move(grown);
  mask_ = ring_.size() - 1;
}

std::string Scheduler::dump() const {
  const Time now = reactor_.now();
  std::string lines;
  for (const Strand* strand = living_; strand; strand = strand->next_living) {
    if (!strand->parked) {
      lines += fmt::format("  {} #{}: ready\n", strand->name, strand->id);
      continue;
    }
    lines += fmt::format("  {} #{}: waits in {} for {:.3f} s\n", strand->name, strand->id,
                         strand->parked->kind->operation,
                         static_cast<double>((now - strand->parked_since).count()) / 1e9);
  }
  return lines;
}

}  // namespace tubing
