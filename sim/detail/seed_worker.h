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

/// What a worker is given.
struct SeedTask {
  std::uint64_t place = 0;  ///< By which whoever gave it knows it again.
  std::uint64_t seed = 0;
  ScenarioOptions scenario = {};

  static constexpr std::string_view type_name = "SeedTask";
  static constexpr auto fields = tubing::fields("place", &SeedTask::place, "seed", &SeedTask::seed,
                                                "scenario", &SeedTask::scenario);
};

/// Requires: this process has one thread, since it forks.
/// Owns: the processes, which it ends.
class SeedWorkers {
 public:
  /// What it tells the sinks outlives it.
  using Run = std::function<Outcome(const SeedTask&, const ScenarioSinks&)>;

  struct Done {
    SeedTask task;
    Outcome outcome;
  };

  SeedWorkers(Run run, std::uint32_t jobs);
  ~SeedWorkers();
  SeedWorkers(const SeedWorkers&) = delete;
  SeedWorkers& operator=(const SeedWorkers&) = delete;

  bool has_idle() const;
  bool has_busy() const;
  /// Gives an idle worker a task; starts one where none lives. Requires: has_idle().
  /// Errors: resource_exhausted where no process can be started.
  Result<> begin(SeedTask task);
  /// Waits until some task is done. Requires: has_busy().
  Done wait() { return *wait_unless(-1); }
  /// Likewise, or until the file `stop` can be read. Returns: none then. Requires: as wait().
  std::optional<Done> wait_unless(int stop);

 private:
  struct Worker {
    pid_t process = 0;                ///< 0: none lives.
    int socket = -1;                  ///< Tasks go there, and what they came to comes back.
    std::FILE* complaints = nullptr;  ///< What it writes to standard error.
    std::optional<SeedTask> under_way = std::nullopt;
    Outcome planned = {};  ///< What it told before it began.
  };

  Result<> start(Worker& worker);
  [[noreturn]] void work(int socket, int complaints);
  /// One word of a worker. Returns: what its task came to, also where it died; none for a plan.
  std::optional<Outcome> read_word(Worker& worker);
  Outcome bury(Worker& worker);

  const Run run_;
  const pid_t campaign_;  ///< This process.
  std::vector<Worker> workers_;
};

}  // namespace tubing::sim::detail
