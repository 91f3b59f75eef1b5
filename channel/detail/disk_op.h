// DiskOp: the wait for a DiskRequest that was handed to its Disk.
#pragma once

#include <memory>

#include "tubing/channel/detail/promise.h"
#include "tubing/channel/disk.h"

namespace tubing::detail {

class [[nodiscard]] DiskOp : public Waiter {
 public:
  DiskOp(channel::Disk& disk, std::unique_ptr<channel::DiskRequest> request)
      : Waiter(kKind), disk_(disk), request_(std::move(request)) {}

  bool ready() {
    under_way_ = request_.get();
    under_way_->waiter_ = this;
    disk_.submit(std::move(request_));
    return false;
  }
  void enlist() {}
  Result<std::unique_ptr<channel::DiskRequest>> finish() {
    if (outcome == Outcome::done) return std::move(request_);
    return error_of(*this);
  }
  std::unique_ptr<channel::DiskRequest> take() { return std::move(request_); }
  /// It has its answer, good or bad.
  void on_done(std::unique_ptr<channel::DiskRequest> request) {
    under_way_ = nullptr;
    request_ = std::move(request);
    strand->wake(*this, Outcome::done);
  }

  static constexpr Deadline deadline{};

 private:
  static Error error_of(Waiter& waiter) { return Error(waiter.strand->cancel_code, "disk"); }
  static void on_cancel(Waiter& waiter, Code) {
    auto& op = static_cast<DiskOp&>(waiter);
    op.disk_.abandon(*std::exchange(op.under_way_, nullptr));
    op.strand->wake(op, Outcome::cancelled);
  }
  static constexpr WaiterKind kKind{.operation = "disk", .error = error_of, .on_cancel = on_cancel};

  channel::Disk& disk_;
  channel::DiskRequest* under_way_ = nullptr;      ///< While it waits.
  std::unique_ptr<channel::DiskRequest> request_;  ///< Before it was submitted, and once done.
};

}  // namespace tubing::detail
