#include "tubing/channel/semaphore.h"

#include <fmt/format.h>

#include <utility>

namespace tubing {

Permit::Permit(Permit&& other) noexcept
    : semaphore_(std::exchange(other.semaphore_, nullptr)),
      count_(std::exchange(other.count_, 0)) {}

Permit& Permit::operator=(Permit&& other) noexcept {
  if (this == &other) return *this;
  release();
  semaphore_ = std::exchange(other.semaphore_, nullptr);
  count_ = std::exchange(other.count_, 0);
  return *this;
}

void Permit::release() {
  if (!semaphore_) return;
  std::exchange(semaphore_, nullptr)->give_back(std::exchange(count_, 0));
}

Semaphore::~Semaphore() {
  TUBING_ASSERT(waiters_.empty() && available_ == size_ && "a Semaphore outlives its permits",
                available_, size_);
}

std::optional<Permit> Semaphore::try_acquire(std::size_t n) {
  if (!can_acquire(n)) return std::nullopt;
  available_ -= n;
  return Permit(*this, n);
}

void Semaphore::give_back(std::size_t n) {
  available_ += n;
  TUBING_ASSERT(available_ <= size_, available_, size_);
  grant();
}

void Semaphore::grant() {
  while (!waiters_.empty()) {
    detail::WaitNode& node = waiters_.front();
    auto& claim = *static_cast<detail::SemaphoreClaim*>(node.slot);
    if (claim.wanted() > available_) return;
    available_ -= claim.wanted();
    claim.grant();
    settle_claim(node, detail::Outcome::done);
  }
}

namespace detail {

SemaphoreClaim::~SemaphoreClaim() {
  if (granted_) {
    semaphore_->give_back(wanted_);
  } else if (enlisted_) {
    // It may have been the first in the queue, and have kept smaller ones from their turn.
    semaphore_->grant();
  }
}

Outcome SemaphoreClaim::settle() {
  if (wanted_ > semaphore_->size()) return Outcome::refused;
  semaphore_->available_ -= wanted_;
  granted_ = true;
  return Outcome::done;
}

void SemaphoreClaim::enlist() {
  enlisted_ = true;
  node_.slot = this;
  semaphore_->waiters_.push(node_);
}

void SemaphoreClaim::grant() { granted_ = true; }

Permit SemaphoreClaim::take() {
  granted_ = false;
  return Permit(*semaphore_, wanted_);
}

Error SemaphoreClaim::error() const {
  return Error(Code::invalid_argument, kOperation,
               fmt::format("{} were asked for, of a Semaphore of {}; ask for less", wanted_,
                           semaphore_->size()));
}

}  // namespace detail
}  // namespace tubing
