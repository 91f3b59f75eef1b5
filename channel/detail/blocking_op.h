// BlockingOp: the wait for a function on a worker thread.
#pragma once

#include <concepts>
#include <optional>
#include <stop_token>
#include <utility>

#include "tubing/channel/detail/promise.h"

namespace tubing::detail {

template <class T>
struct ResultOf {
  using type = Result<T>;
};
template <class T>
struct ResultOf<Result<T>> {
  using type = Result<T>;
};

template <class F>
decltype(auto) call_blocking(F& function, const std::stop_source& stop) {
  if constexpr (std::invocable<F&, std::stop_token>) {
    return function(stop.get_token());
  } else {
    return function();
  }
}

template <class F>
class [[nodiscard]] BlockingOp : public Waiter, private channel::Work {
  using Returned = decltype(call_blocking(std::declval<F&>(), std::declval<std::stop_source&>()));
  using Answer = typename ResultOf<std::remove_cvref_t<Returned>>::type;
  using Value = typename Answer::value_type;

 public:
  explicit BlockingOp(F function) : Waiter(kKind), function_(std::move(function)) {}

  bool ready() {
    Result<> started = strand->scheduler.reactor().start(*this);
    if (started) return false;
    refusal_.emplace(std::move(started).error());
    outcome = Outcome::refused;
    return true;
  }
  void enlist() {}
  Answer finish() {
    if (answer_) return *std::move(answer_);
    return kKind.error(*this);
  }
  Value take() {
    if constexpr (!std::is_void_v<Value>) return **std::move(answer_);
  }

  static constexpr Deadline deadline{};

 private:
  void run() noexcept override {
    try {
      if constexpr (std::is_void_v<Returned>) {
        call_blocking(function_, stop_);
        answer_.emplace();
      } else {
        answer_.emplace(call_blocking(function_, stop_));
      }
    } catch (...) {
      answer_.emplace(error_of_exception());
    }
  }
  void on_done() override {
    // An error refuses the operation, which under ok() ends the frame.
    strand->wake(*this, *answer_ ? Outcome::done : Outcome::refused);
  }
  static Error error_of(Waiter& waiter) {
    auto& op = static_cast<BlockingOp&>(waiter);
    if (op.outcome == Outcome::cancelled) return Error(op.strand->cancel_code, "run_blocking");
    return op.refusal_ ? *op.refusal_ : op.answer_->error();
  }
  static void on_cancel(Waiter& waiter, Code) {
    auto& op = static_cast<BlockingOp&>(waiter);
    if (op.strand->scheduler.reactor().withdraw(op)) return op.strand->wake(op, Outcome::cancelled);
    op.stop_.request_stop();
  }
  static constexpr WaiterKind kKind{
      .operation = "run_blocking", .error = error_of, .on_cancel = on_cancel};

  F function_;
  std::stop_source stop_;
  std::optional<Answer> answer_;
  std::optional<Error> refusal_;  ///< Why it never began.
};

}  // namespace tubing::detail
