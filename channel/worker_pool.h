// WorkerPool: threads for functions that block. `run_blocking` is how tasks use it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "tubing/channel/mailbox.h"
#include "tubing/channel/reactor.h"

namespace tubing::channel {

/// Runs Work on threads of its own, which begin when they are needed and end with the pool. libuv's
/// pool, which resolves names, is another one: blocking functions never keep a dial waiting.
///
/// Threads: that of its Reactor.
class WorkerPool final : private Mail {
 public:
  WorkerPool(Mailbox& mailbox, WorkerLimits limits);
  /// Requires: no Work is under way.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// As in Reactor.
  Result<> start(Work& work);
  bool withdraw(Work& work);
  /// Whether an `on_done` is to come.
  bool is_busy() const { return under_way_ > 0; }
  /// Blocks until all that was started is done, and calls each `on_done`.
  void drain();

 private:
  void on_mail() override;
  void on_mailbox_end() override {}
  void add_thread();
  void run_works();

  Mailbox& mailbox_;
  const WorkerLimits limits_;
  std::size_t under_way_ = 0;  ///< Started, and neither done nor withdrawn.
  std::vector<std::thread> threads_;
  std::mutex lock_;
  std::condition_variable wanted_;
  std::condition_variable finished_;
  std::deque<Work*> waiting_;
  std::vector<Work*> done_;
  std::size_t idle_ = 0;  ///< Threads that wait for work.
  bool ending_ = false;
};

}  // namespace tubing::channel
