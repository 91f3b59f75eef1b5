// Watch<T>: the latest value of something, and waiting until it has changed.
#pragma once

#include "tubing/channel/detail/watch_state.h"

namespace tubing {

/// One who follows a Watch. Copyable; each copy goes on from what the original has seen.
///
///     Watcher<Config> config = current.watch();
///     while (auto c = co_await config.changed()) apply(*c);
///
/// Threads: the Scheduler's alone.
template <class T>
class Watcher {
 public:
  /// `co_await config.changed()`: the latest value, as soon as there is one that this Watcher has
  /// not seen; the first call yields the present value at once. Values that were replaced before
  /// the waiting task ran are skipped: that is what a Watch is for.
  /// Errors: closed, once the last value has been seen; cancelled, deadline_exceeded.
  /// Cancel: ends the wait; the value counts as not seen.
  detail::ClaimOp<detail::WatchClaim<T>> changed(Deadline deadline = {}) {
    return {detail::WatchClaim<T>(*state_, seen_), deadline};
  }
  /// The latest value, seen or not; null before the first. Valid until the next wait.
  const T* get() const { return state_->latest(); }
  bool has_changed() const { return seen_ < state_->version(); }

  explicit Watcher(detail::CountedRef<detail::WatchState<T>> state) : state_(std::move(state)) {}
  detail::WatchClaim<T> claim() { return detail::WatchClaim<T>(*state_, seen_); }

 private:
  detail::CountedRef<detail::WatchState<T>> state_;
  std::uint64_t seen_ = 0;  ///< The version that this one has seen; 0 is none.
};

/// Keeps one value, the latest, and tells all Watchers that it changed. Setting never waits, and a
/// slow Watcher only sees fewer of the values. A copyable handle: all copies are the same Watch.
///
///     Watch<Config> current{read_config()};
///     current.set(newer);
///
/// Requires: T is copyable; each Watcher gets a copy.
/// Threads: the Scheduler's alone.
template <class T>
class Watch {
 public:
  /// Without a value: Watchers wait for the first.
  Watch() : state_(new detail::WatchState<T>()) {}
  explicit Watch(T first) : Watch() { set(std::move(first)); }

  /// Replaces the value. On a closed Watch it does nothing.
  void set(T value) const { state_->set(std::move(value)); }
  /// The latest value; null before the first. Valid until the next `set`.
  const T* get() const { return state_->latest(); }
  Watcher<T> watch() const { return Watcher<T>(state_); }
  /// The value that is there is the last. Idempotent.
  void close() const { state_->close(); }

 private:
  detail::CountedRef<detail::WatchState<T>> state_;
};

/// An arm that waits for `watcher.changed()`; its result is a Result<T>.
template <class T>
detail::ClaimArm<detail::WatchClaim<T>> changed(Watcher<T>& watcher) {
  return detail::ClaimArm(watcher.claim());
}

}  // namespace tubing
