// Task<T>: a coroutine that yields a Result<T>; and ok(), which unwraps one or ends the task.
#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <utility>

#include "tubing/channel/base/result.h"
#include "tubing/channel/detail/promise.h"

namespace tubing {

template <class T>
class Task;

/// What ok() returns: await it at once.
template <class Expression>
struct [[nodiscard]] Ok {
  Expression&& expression;
};

/// `auto v = co_await ok(expr);` gives the value of a task, of an operation or of a Result; its
/// error ends this task, which yields that error to whoever awaits it. Destructors run.
template <class Expression>
Ok<Expression> ok(Expression&& expression) {
  return {std::forward<Expression>(expression)};
}

/// An operation that a task may await: made by channels, select, timers and nurseries.
template <class Op>
concept Operation = std::derived_from<std::remove_cvref_t<Op>, detail::Waiter> &&
                    requires(std::remove_cvref_t<Op>& op) {
                      { op.ready() } -> std::same_as<bool>;
                      op.enlist();
                      op.finish();
                    };

/// A fact of the strand that awaits it, given without waiting: `current_scheduler()` is one.
template <class F>
struct [[nodiscard]] StrandFact {
  F fact;
};

/// `Scheduler& s = co_await current_scheduler();`
inline auto current_scheduler() {
  return StrandFact{[](detail::Strand& strand) -> Scheduler& { return strand.scheduler; }};
}

namespace detail {

template <class T, bool kUnwrap>
class TaskAwaiter;

/// What may be awaited in a Task, and what then happens.
template <class T>
class PromiseTransforms : public PromiseBase {
 public:
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { error.emplace(error_of_exception()); }

  template <class U>
  TaskAwaiter<U, false> await_transform(Task<U>&& task) {
    return {std::move(task), *this};
  }
  template <class U>
  TaskAwaiter<U, true> await_transform(Ok<Task<U>>&& unwrap) {
    return {std::move(unwrap.expression), *this};
  }
  template <Operation Op>
  OpAwaiter<std::remove_reference_t<Op>, false> await_transform(Op&& op) {
    return {op, *this};
  }
  template <Operation Op>
  OpAwaiter<std::remove_reference_t<Op>, true> await_transform(Ok<Op>&& unwrap) {
    return {unwrap.expression, *this};
  }
  template <class U>
  OkResultAwaiter<U> await_transform(Ok<Result<U>>&& unwrap) {
    return {unwrap.expression, *this};
  }
  template <class U>
  OkResultAwaiter<U> await_transform(Ok<Result<U>&>&& unwrap) {
    return {unwrap.expression, *this};
  }
  template <std::derived_from<FrameAwaiter> Awaiter>
  Awaiter&& await_transform(Awaiter&& awaiter) {
    return std::forward<Awaiter>(awaiter);
  }
  template <class Other>
  std::suspend_never await_transform(Other&&) {
    static_assert(!std::is_same_v<Other, Other>,
                  "a task awaits a Task, an operation of a channel, select(…), nursery(…), or "
                  "ok(…) of one of these or of a Result; give it one, and move a Task into it");
    return {};
  }
  template <class F>
  StrandFactAwaiter<F> await_transform(StrandFact<F>&& fact) {
    return {*this->strand, std::move(fact.fact)};
  }
};

template <class T>
class Promise : public PromiseTransforms<T> {
 public:
  Task<T> get_return_object();
  void return_value(Result<T> result) {
    if (result) [[likely]] {
      value_.emplace(*std::move(result));
    } else {
      this->error.emplace(std::move(result).error());
    }
  }
  Result<T> take() {
    if (this->error) return *std::move(this->error);
    return std::move(*value_);
  }
  T take_value() { return std::move(*value_); }

 private:
  std::optional<T> value_;
};

template <>
class Promise<void> : public PromiseTransforms<void> {
 public:
  Task<void> get_return_object();
  void return_value(Result<> result) {
    if (!result) this->error.emplace(std::move(result).error());
  }
  Result<> take() {
    if (error) return *std::move(error);
    return {};
  }
  void take_value() {}
};

}  // namespace detail

/// A coroutine that yields a Result<T> to the one who awaits it.
///
/// Lazy: it begins when it is awaited, or when a nursery spawns it. One that never began may be
/// dropped. Every path ends with `co_return`: a value, an Error, a Result, or `co_return {};`.
/// Parameters go by value, or by reference to what outlives the nursery.
///
///     Task<int> twice(Receiver<int> rx) {
///       int n = co_await ok(rx.recv());  // an error of recv ends this task
///       co_return 2 * n;
///     }
///
/// Errors: what it returns; an exception that leaves it becomes `internal` with its text.
/// Owns: its frame.
/// Threads: the Scheduler's alone.
template <class T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using value_type = T;

  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  ~Task() {
    if (frame_) frame_.destroy();
  }

 private:
  friend promise_type;
  template <class, bool>
  friend class detail::TaskAwaiter;
  friend class Nursery;
  friend class Execution;

  explicit Task(std::coroutine_handle<promise_type> frame) : frame_(frame) {
    frame.promise().self = frame;
  }

  std::coroutine_handle<promise_type> frame_;
};

namespace detail {

template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

template <class T, bool kUnwrap>
class [[nodiscard]] TaskAwaiter {
 public:
  TaskAwaiter(Task<T>&& task, PromiseBase& parent) : task_(std::move(task)) {
    TUBING_ASSERT(task_.frame_ && "a task is awaited once");
    PromiseBase& child = task_.frame_.promise();
    child.parent = &parent;
    child.strand = parent.strand;
    child.parent_unwraps = kUnwrap;
  }
  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<>) noexcept { return task_.frame_; }
  auto await_resume() {
    if constexpr (kUnwrap) {
      return task_.frame_.promise().take_value();
    } else {
      return task_.frame_.promise().take();
    }
  }

 private:
  Task<T> task_;
};

}  // namespace detail
}  // namespace tubing
