// Semaphore: so many at a time, in the order in which they came.
#pragma once

#include <optional>

#include "tubing/channel/detail/claim_ops.h"

namespace tubing {

class Semaphore;

namespace detail {
class SemaphoreClaim;
}

/// A part of a Semaphore that one holds. Move-only; dropping it gives it back.
/// Requires: its Semaphore outlives it.
class [[nodiscard]] Permit {
 public:
  Permit() = default;
  Permit(Permit&& other) noexcept;
  Permit& operator=(Permit&& other) noexcept;
  ~Permit() { release(); }

  /// Gives it back now. Idempotent.
  void release();
  std::size_t count() const { return count_; }

 private:
  friend class Semaphore;
  friend class detail::SemaphoreClaim;
  Permit(Semaphore& semaphore, std::size_t count) : semaphore_(&semaphore), count_(count) {}

  Semaphore* semaphore_ = nullptr;
  std::size_t count_ = 0;
};

/// Hands out at most `size` at a time.
///
///     Semaphore slots{8};
///     Permit slot = co_await ok(slots.acquire());
///
/// First come, first served: one who wants little waits behind one who wants much, so that nobody
/// starves. One whose wait ends without a permit lets those behind it go on.
///
/// Requires: it outlives its permits and waits.
/// Threads: the Scheduler's alone.
class Semaphore {
 public:
  explicit Semaphore(std::size_t size) : size_(size), available_(size) {}
  ~Semaphore();
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  /// `co_await slots.acquire(n)`: waits until `n` are free and nobody waits ahead.
  /// Returns: a Result<Permit>. Errors: invalid_argument for more than `size`, which never come;
  /// cancelled, deadline_exceeded.
  /// Cancel: ends the wait; no permit is lost.
  detail::ClaimOp<detail::SemaphoreClaim> acquire(std::size_t n = 1, Deadline deadline = {});
  /// A permit, if that needs no waiting.
  std::optional<Permit> try_acquire(std::size_t n = 1);

  std::size_t size() const { return size_; }
  std::size_t available() const { return available_; }

 private:
  friend class Permit;
  friend class detail::SemaphoreClaim;

  bool can_acquire(std::size_t n) const { return n <= available_ && waiters_.empty(); }
  void give_back(std::size_t n);
  /// Serves those who wait, from the first on, as far as it goes.
  void grant();

  const std::size_t size_;
  std::size_t available_;
  detail::WaitQueue waiters_;
};

namespace detail {

class SemaphoreClaim {
 public:
  using Value = Permit;
  static constexpr const char* kOperation = "acquire";

  SemaphoreClaim(Semaphore& semaphore, std::size_t n) : semaphore_(&semaphore), wanted_(n) {}
  SemaphoreClaim(SemaphoreClaim&&) = default;
  SemaphoreClaim& operator=(SemaphoreClaim&&) = delete;
  ~SemaphoreClaim();

  bool ready(const Strand&) const {
    return wanted_ > semaphore_->size() || semaphore_->can_acquire(wanted_);
  }
  Outcome settle();
  WaitNode& node() { return node_; }
  void enlist();
  Permit take();
  Error error() const;
  std::size_t wanted() const { return wanted_; }
  /// Its turn has come.
  void grant();

 private:
  Semaphore* semaphore_;
  std::size_t wanted_;
  bool enlisted_ = false;
  bool granted_ = false;  ///< And not taken yet.
  WaitNode node_;
};

}  // namespace detail

inline detail::ClaimOp<detail::SemaphoreClaim> Semaphore::acquire(std::size_t n,
                                                                  Deadline deadline) {
  return {detail::SemaphoreClaim(*this, n), deadline};
}

/// An arm that acquires; its result is a Result<Permit>.
inline detail::ClaimArm<detail::SemaphoreClaim> acquire(Semaphore& semaphore, std::size_t n = 1) {
  return detail::ClaimArm(detail::SemaphoreClaim(semaphore, n));
}

}  // namespace tubing
