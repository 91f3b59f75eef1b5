#include "tubing/channel/run_main.h"

#include <unistd.h>

#include "tubing/channel/stderr_writer.h"
#include "tubing/channel/stdio.h"

namespace tubing {
namespace {

/// A seed from the system: order and jitter differ from run to run, as they do in production.
Prng::Seed seed_from_system() {
  Prng::Seed seed{};
  TUBING_ASSERT(::getentropy(seed.data(), sizeof seed) == 0);
  return seed;
}

}  // namespace

int run_main(Task<> main_task) {
  reserve_standard_descriptors();
  channel::UvReactor reactor;
  Scheduler scheduler(reactor, Prng(seed_from_system()));
  return exit_status(scheduler.run(std::move(main_task)));
}

int exit_status(const Result<>& result) {
  if (result) return 0;
  StderrWriter().print(result.error().text() + "\n");
  return 1;
}

}  // namespace tubing
