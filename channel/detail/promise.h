// PromiseBase: what every frame of a Task knows, whatever its value type.
#pragma once

#include <coroutine>
#include <optional>

#include "tubing/channel/detail/strand.h"
#include "tubing/channel/scheduler.h"

namespace tubing::detail {

/// The untyped part of a Task's promise.
///
/// A frame ends in one of two ways: it returns, or `fail` ends it where it is suspended. Either way
/// `after_end` says which frame goes on; the ended frame is destroyed by the Task that owns it.
class PromiseBase {
 public:
  PromiseBase() = default;
  PromiseBase(const PromiseBase&) = delete;
  PromiseBase& operator=(const PromiseBase&) = delete;

  static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept { free_frame(frame, bytes); }

  std::suspend_always initial_suspend() const noexcept { return {}; }

  /// Ends the suspended frame with `error`, and with it all awaiting frames that unwrap it.
  /// Returns the frame that goes on.
  std::coroutine_handle<> fail(Error with);
  /// The frame that goes on once this one has ended.
  std::coroutine_handle<> after_end();

  Strand* strand = nullptr;
  PromiseBase* parent = nullptr;  ///< The frame that awaits this one; null at a strand's root.
  std::coroutine_handle<> self;
  std::optional<Error> error;   ///< Set when the frame ended with an error.
  bool parent_unwraps = false;  ///< The parent awaits through ok(): an error ends it as well.
};

struct FinalAwaiter {
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> frame) const noexcept {
    return frame.promise().after_end();
  }
  void await_resume() const noexcept {}
};

/// A base for the few awaiters that deal with frames themselves, such as a nursery's join.
struct FrameAwaiter {};

/// The text of the exception in flight, as an `internal` error.
Error error_of_exception() noexcept;

/// Awaits one operation. `Op` is a Waiter with
///   bool ready()       tries; true when the outcome is settled (done or ended)
///   void enlist()      queues its nodes; called after ready() said false
///   R finish()         the result, once settled
///   V take()           the value, once done; what ok() gives
///   Deadline deadline
template <class Op, bool kUnwrap>
class OpAwaiter {
 public:
  OpAwaiter(Op& op, PromiseBase& promise) : op_(op), promise_(promise) {}

  [[gnu::always_inline]] bool await_ready() {
    Strand& strand = *promise_.strand;
    if (!strand.scheduler.spend()) [[unlikely]]
      return await_ready_slowly(strand);
    op_.strand = &strand;
    if (!op_.ready()) return false;
    return !kUnwrap || op_.outcome == Outcome::done;
  }

  std::coroutine_handle<> await_suspend(std::coroutine_handle<> frame) {
    Strand& strand = *promise_.strand;
    if (op_.outcome != Outcome::pending) [[unlikely]]
      return go_on_without_wait(frame);
    op_.begin_wait(kUnwrap ? &promise_ : nullptr);
    op_.enlist();
    return strand.park(op_, frame, op_.deadline);
  }

  decltype(auto) await_resume() {
    if constexpr (kUnwrap) {
      return op_.take();
    } else {
      return op_.finish();
    }
  }

 private:
  [[gnu::noinline, gnu::cold]] bool await_ready_slowly(Strand& strand) {
    op_.strand = &strand;
    if (strand.cancelled()) {
      op_.outcome = Outcome::cancelled;
      return !kUnwrap && !strand.scheduler.is_overspent();
    }
    op_.ready();
    return false;
  }

  [[gnu::noinline, gnu::cold]] std::coroutine_handle<> go_on_without_wait(
      std::coroutine_handle<> frame) {
    if (kUnwrap && op_.outcome != Outcome::done) return promise_.fail(op_.kind->error(op_));
    Strand& strand = *promise_.strand;
    if (op_.outcome == Outcome::cancelled && !strand.scheduler.is_overspent()) return frame;
    strand.make_ready(frame);  // the budget is spent: others first
    return strand.scheduler.next_frame();
  }

  Op& op_;
  PromiseBase& promise_;
};

/// Awaits a Result that is there already; an error ends the frame.
template <class T>
class OkResultAwaiter {
 public:
  OkResultAwaiter(Result<T>& result, PromiseBase& promise) : result_(result), promise_(promise) {}
  bool await_ready() const { return result_.has_value(); }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<>) {
    return promise_.fail(std::move(result_).error());
  }
  T await_resume() {
    if constexpr (!std::is_void_v<T>) return *std::move(result_);
  }

 private:
  Result<T>& result_;
  PromiseBase& promise_;
};

/// Awaits something that needs no waiting, only to know whose frame this is.
template <class F>
struct StrandFactAwaiter {
  Strand& strand;
  F fact;
  bool await_ready() const { return true; }
  void await_suspend(std::coroutine_handle<>) const {}
  decltype(auto) await_resume() { return fact(strand); }
};

}  // namespace tubing::detail
