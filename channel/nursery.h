// Nursery: where tasks are started, and where they are waited for. Nothing outlives it.
#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <type_traits>

#include "tubing/channel/task.h"

namespace tubing {

namespace detail {
class JoinOp;
}

/// A group of strands that end together. There is one way to get a nursery:
///
///     Result<> r = co_await nursery([&](Nursery& n) -> Task<> {
///       n.spawn("producer", produce(ch));
///       n.spawn("consumer", consume(ch));
///       co_return {};
///     });
///
/// The wait lasts until the closure and all that was spawned have ended, on every path. The first
/// error cancels the others and is what the wait yields. Closures given to `nursery` and `spawn`
/// are kept in a frame of the nursery, so they may capture.
///
/// Requires: what a spawned task refers to lives outside the nursery. The closure's own variables
/// end with the closure, before the tasks do: give those to tasks by value, such as `ch` above.
/// Threads: the Scheduler's alone.
/// Cancel: cancelling the strand that waits cancels all strands of the nursery, then waits on.
class Nursery final : public detail::StrandOwner {
 public:
  /// Use `nursery(…)`.
  explicit Nursery(Scheduler& scheduler) : scheduler_(scheduler) {}
  ~Nursery();
  Nursery(const Nursery&) = delete;
  Nursery& operator=(const Nursery&) = delete;

  /// Starts a task on a strand of its own, under a name for `Scheduler::dump`. In a nursery that
  /// was cancelled the task begins, and its first wait ends.
  /// Requires: a strand of the nursery lives; so a callback that spawns keeps one waiting.
  void spawn(std::string name, Task<void> task);
  /// The same for a closure that returns a Task<>; it is kept until its task has ended.
  template <class F>
    requires(std::is_invocable_r_v<Task<void>, F&>)
  void spawn(std::string name, F closure);

  /// Tells every strand to stop, the closure's too: their waits end with `cancelled`, at once and
  /// ever after, even a recv for which a value is ready. Strands that then end with `cancelled`
  /// count as ended well. To stop and drain, close the first channel instead; see also `shield`.
  void cancel();

  /// How many strands live, the closure's among them.
  std::size_t size() const { return count_; }
  Scheduler& scheduler() { return scheduler_; }

 private:
  friend class detail::JoinOp;

  void on_strand_end(detail::Strand& strand, Result<> result) override;
  void cancel_all(Code code);

  Scheduler& scheduler_;
  detail::Strand* first_ = nullptr;
  std::size_t count_ = 0;
  Code cancelled_ = Code::ok;  ///< Why the strands were told to stop.
  bool forgives_cancelled_ = false;
  std::optional<Error> error_;  ///< The first one.
  detail::Waiter* join_ = nullptr;
};

namespace detail {

/// Waits until a nursery is empty. A shielding join leaves its strands alone when the strand that
/// waits is cancelled; only its deadline stops them.
class [[nodiscard]] JoinOp : public FrameAwaiter, public Timer {
 public:
  JoinOp(Nursery& nursery, Deadline deadline, bool shields);
  ~JoinOp();
  bool await_ready() const { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> frame) {
    return begin(*frame.promise().strand, frame);
  }
  Result<> await_resume();

 private:
  struct Wait : Waiter {
    explicit Wait(JoinOp& owner, const WaiterKind& kind) : Waiter(kind), op(owner) {}
    JoinOp& op;
  };
  static const WaiterKind kJoin;
  static const WaiterKind kShield;
  /// Returns the frame that goes on: another while this one waits.
  std::coroutine_handle<> begin(Strand& strand, std::coroutine_handle<> frame);

  Nursery& nursery_;
  Deadline deadline_;
  bool shields_;
  Wait wait_;
};

template <class F>
Task<void> run_closure(F closure) {
  co_return co_await closure();
}

template <class F, class T>
Task<void> run_body(F& body, Nursery& n, std::optional<T>& value) {
  value.emplace(co_await ok(body(n)));
  co_return {};
}

}  // namespace detail

template <class F>
  requires(std::is_invocable_r_v<Task<void>, F&>)
void Nursery::spawn(std::string name, F closure) {
  spawn(std::move(name), detail::run_closure<F>(std::move(closure)));
}

/// Runs `body` with a new nursery, and waits for it and all that it spawned.
///
/// Returns: what the body returns. Errors: the first of the body or of a spawned task;
/// `deadline_exceeded` where `deadline` came first and ended their waits.
template <class F>
  requires(std::is_invocable_v<F&, Nursery&>)
auto nursery(F body, Deadline deadline = {}) -> std::invoke_result_t<F&, Nursery&> {
  using T = typename std::invoke_result_t<F&, Nursery&>::value_type;
  Scheduler& scheduler = co_await current_scheduler();
  Nursery n(scheduler);
  if constexpr (std::is_void_v<T>) {
    n.spawn("nursery", body(n));
    co_return co_await detail::JoinOp(n, deadline, false);
  } else {
    std::optional<T> value;
    n.spawn("nursery", detail::run_body(body, n, value));
    Result<> joined = co_await detail::JoinOp(n, deadline, false);
    if (!joined) co_return std::move(joined).error();
    if (!value) co_return Error(Code::cancelled, "nursery");
    co_return *std::move(value);
  }
}

/// Runs `task` to its end although this strand was cancelled, or is so meanwhile: for cleanup that
/// has to wait, such as a last message.
/// Errors: what the task returns; past `deadline` its waits end with `deadline_exceeded`.
Task<void> shield(Deadline deadline, Task<void> task);

}  // namespace tubing
