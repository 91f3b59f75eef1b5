// select: waits for the first of several operations, as Go's select statement does.
#pragma once

#include <variant>

#include "tubing/channel/channel.h"
#include "tubing/channel/detail/select_arms.h"

namespace tubing {

/// What a select chose: the index of the arm that took place, and its result.
///
///     auto s = co_await ok(select(recv(a), send(b, v), after(1s)));
///     switch (s.index()) {
///       case 0: use(s.get<0>()); …  // Result<A>: the value, or how channel a ended
///       case 1: …                            // Result<>: sent, or how channel b ended
///       case 2: …                            // Result<>: the time has passed
///     }
template <class... Results>
class Selected {
 public:
  template <std::size_t I, class R>
  Selected(std::in_place_index_t<I> index, R&& result) : result_(index, std::forward<R>(result)) {}

  std::size_t index() const { return result_.index(); }
  /// Requires: I == index().
  template <std::size_t I>
  auto& get() {
    TUBING_ASSERT(I == result_.index(), I, result_.index());
    return *std::get_if<I>(&result_);
  }

 private:
  std::variant<Results...> result_;
};

/// An arm that receives; its result is a Result<T>. An empty handle is an arm that is never ready.
template <class T>
detail::RecvArm<T> recv(const Receiver<T>& rx) {
  return detail::RecvArm<T>(rx.core());
}
template <class T>
detail::RecvArm<T> recv(const Channel<T>& channel) {
  return detail::RecvArm<T>(channel.core());
}

namespace detail {
template <class V, class T>
concept SendableAs =
    std::same_as<std::remove_cvref_t<V>, T> && (std::copy_constructible<T> || std::same_as<V, T>);
}

/// An arm that sends; its result is a Result<>. `value` is bound by reference and copied, or
/// moved where it was given as `std::move(v)`, only when this arm wins: a losing arm loses no
/// value. An empty handle is never ready.
template <class T, class V>
  requires detail::SendableAs<V, T>
detail::SendArm<T> send(const Sender<T>& tx, V&& value) {
  return detail::SendArm<T>(tx.core(), std::forward<V>(value));
}
template <class T, class V>
  requires detail::SendableAs<V, T>
detail::SendArm<T> send(const Channel<T>& channel, V&& value) {
  return detail::SendArm<T>(channel.core(), std::forward<V>(value));
}

/// An arm that is ready once everything has been taken that was sent on `tx` before this call; its
/// result is that of `tx.flush()`. An empty handle is never ready.
template <class T>
detail::FlushArm<T> flushed(const Sender<T>& tx) {
  return detail::FlushArm<T>(tx.core());
}

/// An arm that is ready once `span` has passed since the select began.
inline detail::AfterArm after(Duration span) { return detail::AfterArm(within(span)); }
/// An arm that is ready at `deadline`.
inline detail::AfterArm after(Deadline deadline) { return detail::AfterArm(deadline); }

/// The default arm: chosen when no other is ready. At most one.
inline detail::OtherwiseArm otherwise() { return {}; }

/// Waits until one arm can take place, and lets exactly that one take place. Uniform among the
/// arms that are ready at once (drawn from the Scheduler's Prng).
///
/// Returns: Result<Selected<…>>. Errors: cancelled, where no arm took place; an arm's own end, for
/// example a closed channel, is that arm's result.
/// Source: Go specification, "Select statements".
template <class... Arms>
  requires(sizeof...(Arms) > 0)
detail::SelectOp<true, Arms...> select(Arms... arms) {
  return detail::SelectOp<true, Arms...>(std::move(arms)...);
}

/// The same, but among ready arms the one written first.
template <class... Arms>
  requires(sizeof...(Arms) > 0)
detail::SelectOp<false, Arms...> select_first(Arms... arms) {
  return detail::SelectOp<false, Arms...>(std::move(arms)...);
}

}  // namespace tubing
