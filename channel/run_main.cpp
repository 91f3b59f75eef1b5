#include "tubing/channel/run_main.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "tubing/channel/uv_reactor.h"

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
  channel::UvReactor reactor;
  Scheduler scheduler(reactor, Prng(seed_from_system()));
  const Result<> result = scheduler.run(std::move(main_task));
  if (result) return 0;
  fmt::print(stderr, "{}\n", result.error().text());
  return 1;
}

}  // namespace tubing
