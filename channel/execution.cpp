#include "tubing/channel/execution.h"

namespace tubing {

using detail::Strand;

Execution::Execution(Scheduler& scheduler, Task<void> root)
    : scheduler_(scheduler), task_(std::move(root)), strand_(scheduler, *this, "main") {
  detail::PromiseBase& promise = task_.frame_.promise();
  promise.strand = &strand_;
  strand_.root = &promise;
  scheduler.adopt(strand_);
  strand_.make_ready(task_.frame_);
}

Execution::~Execution() {
  TUBING_ASSERT(ended_ && "a program ends before its execution is destroyed");
  scheduler_.release(strand_);
}

void Execution::turn() {
  scheduler_.poll(Time::min());
  if (ended_) return;
  scheduler_.resume_ready();
  scheduler_.run_hooks();
}

Time Execution::next_due() const {
  if (scheduler_.any_ready() || scheduler_.hooks_) return Time::min();
  return scheduler_.timers_.empty() ? Time::max() : scheduler_.timers_.next_due();
}

void Execution::cancel() {
  for (Strand* strand = scheduler_.living_; strand; strand = strand->next_living)
    strand->cancel(Code::cancelled);
}

Result<> Execution::take() {
  TUBING_ASSERT(ended_);
  return task_.frame_.promise().take();
}

void Execution::on_strand_end(Strand&, Result<>) { ended_ = true; }

}  // namespace tubing
