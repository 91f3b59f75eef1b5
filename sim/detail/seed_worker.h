// SeedWorkers: processes that run seeds for a campaign, so that one that dies takes no other along.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/sim/campaign.h"

namespace tubing::sim::detail {

/// Requires: this process has one thread, since it forks.
/// Owns: the processes, which it ends.
class SeedWorkers {
 public:
  using Run = std::function<Outcome(std::uint64_t)>;

  SeedWorkers(Run run, std::uint32_t jobs);
  ~SeedWorkers();
  SeedWorkers(const SeedWorkers&) = delete;
  SeedWorkers& operator=(const SeedWorkers&) = delete;

  bool has_idle() const;
  /// Gives an idle worker a seed; starts one where none lives. Requires: has_idle().
  /// Errors: resource_exhausted where no process can be started.
  Result<> begin(std::uint64_t seed);
  /// Waits until some seed is done. Requires: one was begun and is not done.
  SeedOutcome wait();

 private:
  struct Worker {
    pid_t process = 0;                ///< 0: none lives.
    int socket = -1;                  ///< Seeds go there, and what they came to comes back.
    std::FILE* complaints = nullptr;  ///< What it writes to standard error.
    std::optional<std::uint64_t> under_way = std::nullopt;
  };

  Result<> start(Worker& worker);
  [[noreturn]] void work(int socket, int complaints);
  /// None where the worker died.
  std::optional<Outcome> read_outcome(Worker& worker);
  Outcome bury(Worker& worker);

  const Run run_;
  const pid_t campaign_;  ///< This process.
  std::vector<Worker> workers_;
};

}  // namespace tubing::sim::detail
