#include "tubing/channel/worker_pool.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>

namespace tubing::channel {

WorkerPool::WorkerPool(Mailbox& mailbox, WorkerLimits limits) : mailbox_(mailbox), limits_(limits) {
  TUBING_ASSERT(limits.threads_max > 0);
  mailbox_.join(*this);
}

WorkerPool::~WorkerPool() {
  TUBING_ASSERT(under_way_ == 0 && "a function that blocks is waited for", under_way_);
  mailbox_.leave(*this);
  {
    const std::lock_guard hold(lock_);
    ending_ = true;
  }
  wanted_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Result<> WorkerPool::start(Work& work) {
  bool more_threads = false;
  {
    const std::lock_guard hold(lock_);
    if (waiting_.size() >= limits_.queue_max)
      return Error(Code::resource_exhausted, "run_blocking",
                   fmt::format("{} functions wait for {} threads already; let fewer run at a time, "
                               "by a Semaphore, or raise WorkerLimits",
                               waiting_.size(), limits_.threads_max));
    waiting_.push_back(&work);
    more_threads = waiting_.size() > idle_ && threads_.size() < limits_.threads_max;
  }
  ++under_way_;
  if (more_threads) add_thread();
  wanted_.notify_one();
  return {};
}

bool WorkerPool::withdraw(Work& work) {
  const std::lock_guard hold(lock_);
  if (std::erase(waiting_, &work) == 0) return false;
  --under_way_;
  return true;
}

void WorkerPool::add_thread() {
  // Signals are for the threads that the program knows.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  threads_.emplace_back([this] { run_works(); });
  pthread_setname_np(threads_.back().native_handle(), "tubing-worker");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void WorkerPool::run_works() {
  std::unique_lock hold(lock_);
  for (;;) {
    ++idle_;
    wanted_.wait(hold, [this] { return ending_ || !waiting_.empty(); });
    --idle_;
    if (ending_) return;
    Work& work = *waiting_.front();
    waiting_.pop_front();
    hold.unlock();
    work.run();
    hold.lock();
    done_.push_back(&work);
    if (done_.size() == 1) mailbox_.post(*this);
    finished_.notify_one();
  }
}

void WorkerPool::on_mail() {
  std::vector<Work*> done;
  {
    const std::lock_guard hold(lock_);
    done.swap(done_);
  }
  under_way_ -= done.size();
  for (Work* work : done) work->on_done();
}

void WorkerPool::drain() {
  while (under_way_ > 0) {
    {
      std::unique_lock hold(lock_);
      finished_.wait(hold, [this] { return !done_.empty(); });
    }
    on_mail();
  }
}

}  // namespace tubing::channel
