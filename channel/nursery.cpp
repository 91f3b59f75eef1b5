#include "tubing/channel/nursery.h"

namespace tubing {

using detail::JoinOp;
using detail::Outcome;
using detail::Strand;
using detail::Waiter;

namespace detail {
namespace {

/// A spawned strand: it owns its root frame.
class Spawned final : public Strand {
 public:
  Spawned(Scheduler& on, StrandOwner& by, std::string called, Task<void>&& task)
      : Strand(on, by, std::move(called)), task(std::move(task)) {}
  Task<void> task;
};

}  // namespace
}  // namespace detail

Nursery::~Nursery() { TUBING_ASSERT(count_ == 0, count_); }

void Nursery::spawn(std::string name, Task<void> task) {
  TUBING_ASSERT(task.frame_ && "a task is spawned once", name);
  TUBING_ASSERT((count_ > 0 || !join_) && "a nursery that has ended takes no tasks", name);
  detail::PromiseBase& promise = task.frame_.promise();
  const std::coroutine_handle<> frame = task.frame_;
  auto* strand = new detail::Spawned(scheduler_, *this, std::move(name), std::move(task));
  promise.strand = strand;
  strand->root = &promise;
  strand->cancel_code = cancelled_;
  strand->next_sibling = first_;
  if (first_) first_->prev_sibling = strand;
  first_ = strand;
  ++count_;
  scheduler_.adopt(*strand);
  strand->make_ready(frame);
}

void Nursery::on_strand_end(Strand& strand, Result<> result) {
  if (strand.prev_sibling) {
    strand.prev_sibling->next_sibling = strand.next_sibling;
  } else {
    first_ = strand.next_sibling;
  }
  if (strand.next_sibling) strand.next_sibling->prev_sibling = strand.prev_sibling;
  scheduler_.release(strand);
  delete static_cast<detail::Spawned*>(&strand);
  --count_;
  const bool forgiven = forgives_cancelled_ && result.code() == Code::cancelled;
  if (!result && !forgiven && !error_) {
    error_.emplace(std::move(result).error());
    cancel_all(Code::cancelled);
  }
  if (count_ == 0 && join_) join_->strand->wake(*join_, Outcome::done);
}

void Nursery::cancel() {
  if (cancelled_ == Code::ok) forgives_cancelled_ = true;
  cancel_all(Code::cancelled);
}

void Nursery::cancel_all(Code code) {
  if (cancelled_ != Code::ok) return;
  cancelled_ = code;
  for (Strand* strand = first_; strand; strand = strand->next_sibling) strand->cancel(code);
}

const detail::WaiterKind JoinOp::kJoin{
    .operation = "nursery", .error = nullptr, .on_cancel = [](Waiter& waiter, Code code) {
      static_cast<Wait&>(waiter).op.nursery_.cancel_all(code);
    }};

const detail::WaiterKind JoinOp::kShield{
    .operation = "shield", .error = nullptr, .on_cancel = [](Waiter&, Code) {}};

JoinOp::JoinOp(Nursery& nursery, Deadline deadline, bool shields)
    : nursery_(nursery),
      deadline_(deadline),
      shields_(shields),
      wait_(*this, shields ? kShield : kJoin) {}

JoinOp::~JoinOp() { nursery_.scheduler_.timers().disarm(*this); }

std::coroutine_handle<> JoinOp::begin(Strand& strand, std::coroutine_handle<> frame) {
  if (strand.cancelled() && !shields_) nursery_.cancel_all(strand.cancel_code);
  if (nursery_.count_ == 0) return frame;
  if (!deadline_.never()) {
    fire = [](Timer& timer) {
      static_cast<JoinOp&>(timer).nursery_.cancel_all(Code::deadline_exceeded);
    };
    Scheduler& scheduler = nursery_.scheduler_;
    scheduler.timers().arm(*this, deadline_.from(scheduler.now()));
  }
  nursery_.join_ = &wait_;
  wait_.strand = &strand;
  wait_.begin_wait(nullptr);
  return strand.park(wait_, frame, Deadline());
}

Result<> JoinOp::await_resume() {
  nursery_.join_ = nullptr;
  if (nursery_.error_) return *std::move(nursery_.error_);
  return {};
}

Task<void> shield(Deadline deadline, Task<void> task) {
  Scheduler& scheduler = co_await current_scheduler();
  Nursery n(scheduler);
  n.spawn("shield", std::move(task));
  co_return co_await JoinOp(n, deadline, true);
}

}  // namespace tubing
