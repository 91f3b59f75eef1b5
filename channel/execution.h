// Execution: a program on a Scheduler, driven from outside, a turn at a time.
#pragma once

#include "tubing/channel/scheduler.h"
#include "tubing/channel/task.h"

namespace tubing {

/// For those who run several Schedulers on one thread, as the simulator does with its processes.
/// `Scheduler::run` is the ordinary way.
///
///     Execution program(scheduler, my_main());
///     while (!program.ended()) program.turn();
///     Result<> r = program.take();
///
/// Requires: one at a time on a Scheduler, which outlives it; it has ended before it is destroyed.
/// Threads: the Scheduler's alone.
class Execution final : detail::StrandOwner {
 public:
  Execution(Scheduler& scheduler, Task<void> root);
  ~Execution();
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  /// Polls the Reactor without waiting, fires the timers that are due, resumes what is ready, up to
  /// the budget, and calls the turn's hooks.
  void turn();
  /// When the next turn has something to do: `Time::min()` for now, `Time::max()` where only the
  /// Reactor can bring something.
  Time next_due() const;
  /// Tells every strand to stop, those under a `shield` too.
  void cancel();

  /// Whether the root task and all that it spawned have ended.
  bool ended() const { return ended_; }
  /// How the root task ended. Requires: ended(); called once.
  Result<> take();

 private:
  friend class Scheduler;
  void on_strand_end(detail::Strand& strand, Result<> result) override;

  Scheduler& scheduler_;
  /// Not at `finished` already: the strand may still be in the ready queue then.
  bool ended_ = false;
  Task<void> task_;
  detail::Strand strand_;
};

}  // namespace tubing
