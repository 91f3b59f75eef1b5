// Scheduler: runs strands on one thread, over a Reactor that tells time and waits.
#pragma once

#include <string>
#include <vector>

#include "tubing/channel/base/prng.h"
#include "tubing/channel/base/result.h"
#include "tubing/channel/detail/strand.h"
#include "tubing/channel/detail/timer_heap.h"
#include "tubing/channel/reactor.h"

namespace tubing {

template <class T>
class Task;

/// Which of the ready strands goes on next.
enum class Order : std::uint8_t {
  fifo,    ///< First in, first out.
  seeded,  ///< Drawn from the Prng: for tests, where each seed is another interleaving.
};

struct SchedulerOptions {
  Order order = Order::fifo;
  /// Resumptions after which the Reactor is polled, so that no crowd of strands starves the
  /// sockets.
  std::uint32_t resumptions_per_turn = 256;
  /// Operations that one resumption may complete without waiting before others get their turn.
  std::uint32_t operations_per_resumption = 256;
};

/// Told of every resumption; the simulator hashes them.
class ResumeObserver {
 public:
  virtual void on_resume(Time now, const detail::Strand& strand) = 0;

 protected:
  ~ResumeObserver() = default;
};

/// Work to be done once at the end of the current turn, for example writing what was gathered.
/// Its holder keeps it alive while it is queued.
class TurnHook {
 public:
  virtual void on_turn_end() = 0;

 protected:
  ~TurnHook();

 private:
  friend class Scheduler;
  void unlink();
  TurnHook* next_ = nullptr;
  TurnHook** link_ = nullptr;  ///< What points here; null while not queued.
};

/// Runs strands one at a time. A turn is: resume what is ready, up to a budget; call the turn's
/// hooks; fire timers; poll or wait in the Reactor.
///
///     UvReactor reactor;
///     Scheduler scheduler(reactor, Prng(seed));
///     Result<> r = scheduler.run(my_main());
///
/// Owns: nothing but its queues; `reactor` outlives it.
/// Threads: one, the one that calls `run`.
class Scheduler {
 public:
  /// Waits that a strand which was told to stop may begin in one resumption; one that takes no
  /// notice then waits for its next turn, as others do.
  static constexpr std::int64_t kCancelledOperationsMax = 16;

  Scheduler(channel::Reactor& reactor, Prng prng, SchedulerOptions options = {});
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// Runs `root` and all that it spawns until it ends, and returns how it ended.
  /// Errors: failed_precondition "all tasks are asleep", with the list of them, when nothing could
  /// ever run again; all strands are then cancelled and have ended.
  Result<> run(Task<void> root);

  Time now() { return reactor_.now(); }
  WallTime wall_now() { return reactor_.wall_now(); }
  channel::Reactor& reactor() { return reactor_; }
  /// For order and jitter; never for keys.
  Prng& prng() { return prng_; }

  /// Every parked strand, a line each: name, what it waits in, for how long.
  std::string dump() const;
  /// How many strands live.
  std::size_t strand_count() const { return living_count_; }

  /// Calls `hook` once at the end of this turn. Queueing it twice is once.
  void at_turn_end(TurnHook& hook);
  void observe(ResumeObserver* observer) {
    observer_ = observer;
    plain_end_ = head_;
  }

  detail::TimerHeap& timers() { return timers_; }
  /// Counts one operation of the running strand; false when its budget is spent, or when it was
  /// told to stop.
  bool spend() { return budget_-- > 0; }
  /// Whether the running strand, which was told to stop, has gone on for so many operations that
  /// others get their turn first.
  bool is_overspent() const { return budget_ < -kCancelledOperationsMax; }
  /// Takes the first strand out of the ready queue. Returns the frame at which it goes on: one that
  /// a strand hands over to as it parks, so that no way back to `run` lies between two resumptions.
  /// None is left, or the turn is over: a frame that does nothing but return to `run`.
  inline std::coroutine_handle<> next_frame();

 private:
  friend class detail::Strand;
  friend class Execution;

 public:
  /// For nurseries: a strand begins, and has ended.
  void adopt(detail::Strand& strand);
  void release(detail::Strand& strand);

 private:
  void push(detail::Strand& strand) { ring_[tail_++ & mask_] = &strand; }
  void on_cancel_of(const detail::Strand& strand) {
    if (running_ == &strand) budget_ = 0;
  }
  void resume_ready();
  std::coroutine_handle<> next_frame_slowly();
  inline std::coroutine_handle<> begin_resumption();
  void run_hooks();
  bool any_ready() const { return head_ != tail_; }
  void poll(Time until);
  void grow_ring();

  channel::Reactor& reactor_;
  Prng prng_;
  SchedulerOptions options_;
  ResumeObserver* observer_ = nullptr;
  // The ready queue: room for every living strand, since each is queued at most once.
  std::vector<detail::Strand*> ring_;
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
  std::uint64_t mask_ = 0;
  std::uint64_t turn_end_ = 0;  ///< Where `head_` is when the turn's resumptions are spent.
  /// The same where strands go on in their order and nobody is told; otherwise where `head_` is.
  std::uint64_t plain_end_ = 0;
  std::int64_t budget_ = 0;
  detail::Strand* running_ = nullptr;
  detail::Strand* living_ = nullptr;
  std::size_t living_count_ = 0;
  std::uint64_t next_id_ = 0;
  TurnHook* hooks_ = nullptr;
  detail::TimerHeap timers_;
  Time turn_time_;  ///< When this turn began.
};

inline std::coroutine_handle<> Scheduler::next_frame() {
  if (head_ == tail_ || head_ == plain_end_) [[unlikely]]
    return next_frame_slowly();
  return begin_resumption();
}

inline std::coroutine_handle<> Scheduler::begin_resumption() {
  detail::Strand& strand = *ring_[head_++ & mask_];
  running_ = &strand;
  budget_ = strand.cancelled() ? 0 : options_.operations_per_resumption;
  return strand.next;
}

}  // namespace tubing

#include "tubing/channel/detail/strand.inl.h"  // IWYU pragma: keep
