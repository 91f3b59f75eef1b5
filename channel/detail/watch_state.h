// WatchState: the latest value of a Watch, and who waits for the next.
#pragma once

#include <optional>

#include "tubing/channel/detail/claim_ops.h"
#include "tubing/channel/detail/counted_ref.h"

namespace tubing::detail {

/// Invariant: one waits only where it has seen the latest version.
template <class T>
class WatchState : public RefCount {
  static_assert(std::is_copy_constructible_v<T>, "every Watcher gets a copy of the value");

 public:
  ~WatchState() { TUBING_ASSERT(waiters_.empty()); }

  void set(T value) {
    if (closed_) return;
    latest_.emplace(std::move(value));
    ++version_;
    while (!waiters_.empty()) settle_claim(waiters_.front(), Outcome::done);
  }
  void close() {
    closed_ = true;
    while (!waiters_.empty()) settle_claim(waiters_.front(), Outcome::ended);
  }
  const T* latest() const { return latest_ ? &*latest_ : nullptr; }
  std::uint64_t version() const { return version_; }
  bool closed() const { return closed_; }
  WaitQueue& waiters() { return waiters_; }

 private:
  std::optional<T> latest_;
  std::uint64_t version_ = 0;
  bool closed_ = false;
  WaitQueue waiters_;
};

template <class T>
class WatchClaim {
 public:
  using Value = T;
  static constexpr const char* kOperation = "changed";

  WatchClaim(WatchState<T>& state, std::uint64_t& seen) : state_(&state), seen_(&seen) {}
  bool ready(const Strand&) const { return *seen_ < state_->version() || state_->closed(); }
  Outcome settle() { return *seen_ < state_->version() ? Outcome::done : Outcome::ended; }
  WaitNode& node() { return node_; }
  void enlist() { state_->waiters().push(node_); }
  /// Only now, in the task that waited: the newest value, whatever was set meanwhile.
  T take() {
    *seen_ = state_->version();
    return *state_->latest();
  }
  Error error() const { return Error(Code::closed, kOperation, "watch"); }

 private:
  WatchState<T>* state_;
  std::uint64_t* seen_;
  WaitNode node_;
};

}  // namespace tubing::detail
