#include "tubing/sim/wires.h"

#include <doctest/doctest.h>

#include "tests/rpc/node_hosts.h"
#include "tubing/sim/world.h"

using namespace tubing;
using namespace tubing::sim;
using namespace std::chrono_literals;

namespace {

Task<> serve_echo(Process& self) {
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, self.network(), test::kText, test::echo));
    co_return co_await sleep(Duration::max());
  });
}

}  // namespace

TEST_CASE("two processes of a world talk over typed channels in byte mode") {
  World world(1, {.mode = Mode::byte});
  world.add_host({.name = "b"}).spawn("server", serve_echo);
  Process& user = world.add_host({.name = "a"}).spawn("user", [](Process& self) -> Task<> {
    co_return co_await test::talk_once(self.network(), {"b"});
  });
  const Result<> ran = world.run_until_ended(user);
  CHECK_MESSAGE(ran, (ran ? "" : ran.error().text()));
  CHECK(world.now() < Time(10ms));
}
