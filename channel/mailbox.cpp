#include "tubing/channel/mailbox.h"

#include <algorithm>

#include "tubing/channel/base/assert.h"
#include "tubing/channel/reactor.h"

namespace tubing::channel {

Mailbox::~Mailbox() { TUBING_ASSERT(members_.empty() && "a Reactor closes its Mailbox"); }

void Mailbox::post(Mail& mail) {
  const std::lock_guard hold(lock_);
  if (closed_ || mail.posted_) return;
  mail.posted_ = true;
  posted_.push_back(&mail);
  // Under the lock: the Reactor cannot end before it was woken.
  if (!filled_.exchange(true, std::memory_order_release)) reactor_.wake();
}

void Mailbox::join(Mail& mail) {
  const std::lock_guard hold(lock_);
  TUBING_ASSERT(!closed_);
  members_.push_back(&mail);
}

void Mailbox::leave(Mail& mail) {
  const std::lock_guard hold(lock_);
  if (std::erase(members_, &mail) == 0) return;
  if (mail.posted_) std::erase(posted_, &mail);
  std::replace(batch_.begin(), batch_.end(), &mail, static_cast<Mail*>(nullptr));
}

void Mailbox::deliver_posted() {
  {
    const std::lock_guard hold(lock_);
    filled_.store(false, std::memory_order_relaxed);
    batch_.swap(posted_);
    for (Mail* mail : batch_) mail->posted_ = false;
  }
  for (std::size_t i = 0; i < batch_.size(); ++i)
    if (batch_[i]) batch_[i]->on_mail();
  batch_.clear();
}

void Mailbox::close() {
  std::vector<Mail*> members;
  {
    const std::lock_guard hold(lock_);
    closed_ = true;
    posted_.clear();
    members.swap(members_);
  }
  for (Mail* mail : members) mail->on_mailbox_end();
}

}  // namespace tubing::channel
