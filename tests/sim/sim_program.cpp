#include "tests/sim/sim_program.h"

#include <doctest/doctest.h>

#include <optional>

#include "tests/sim/session_program.h"
#include "tests/sim/wire_peer.h"
#include "tubing/channel/nursery.h"
#include "tubing/channel/select.h"
#include "tubing/channel/timers.h"

namespace tubing::sim {
namespace {

constexpr int kProducers = 4;
constexpr int kValuesEach = 20;

Duration think(SimRun& sim) {
  return Duration(static_cast<std::int64_t>(sim.workload().below(1'000'000)));
}

Task<> produce(SimRun& sim, Channel<int> values, int first) {
  for (int i = 0; i < kValuesEach; ++i) {
    co_await ok(values.send(first + i));
    if (sim.workload().chance(1, 2)) co_await ok(sleep(think(sim)));
  }
  co_return {};
}

Task<> collect(SimRun& sim, Channel<int> values, Channel<int> sums) {
  int sum = 0;
  for (int n = 0; n < kProducers * kValuesEach;) {
    auto chosen = co_await ok(select(recv(values), after(think(sim))));
    if (chosen.index() == 0) {
      sum += *chosen.get<0>();
      ++n;
    }
  }
  co_return co_await sums.send(sum);
}

Task<> stop_halfway(SimRun& sim, Channel<int> values) {
  Result<> stopped = co_await nursery(
      [&](Nursery& n) -> Task<> {
        n.spawn("idler", sleep(std::chrono::hours(1)));
        n.spawn("sender", [values]() -> Task<> {
          for (;;) co_await ok(values.send(0));
        });
        co_return {};
      },
      within(think(sim)));
  CHECK(stopped.code() == Code::deadline_exceeded);
  co_return {};
}

Task<> shout(SimRun& sim, WirePeer& peer) {
  for (int i = 0; i < 10; ++i) {
    co_await ok(sleep(think(sim)));
    std::array<std::byte, 24> bytes;
    sim.entropy().fill(bytes);
    (void)peer.write(as_text(bytes));
  }
  peer.close_write();
  co_return {};
}

Task<> talk(SimRun& sim) {
  std::unique_ptr<WirePeer> server;
  std::unique_ptr<WirePeer> client;
  Channel<int> connected{1};
  auto listener = *sim.wire().listen(kServer, [&](std::unique_ptr<rpc::Link> link) {
    server = std::make_unique<WirePeer>(sim.reactor(), std::move(link));
  });
  auto dialing = sim.wire().dial(kServer, [&](Result<std::unique_ptr<rpc::Link>> link) {
    client = std::make_unique<WirePeer>(sim.reactor(), *std::move(link));
    (void)connected.try_send(1);
  });
  co_await ok(connected.recv());
  co_await ok(shout(sim, *client));
  while (!server->end) co_await ok(sleep(std::chrono::milliseconds(1)));
  co_return {};
}

}  // namespace

Task<void> run_sim_program(SimRun& sim) {
  Channel<int> values{3};
  Channel<int> sums{1};
  Channel<int> nobody{0};
  co_await ok(nursery([&](Nursery& n) -> Task<> {
    for (int i = 0; i < kProducers; ++i) n.spawn("producer", produce(sim, values, i * kValuesEach));
    n.spawn("collector", collect(sim, values, sums));
    n.spawn("stopped", stop_halfway(sim, nobody));
    n.spawn("talk", talk(sim));
    co_return {};
  }));
  const int sum = co_await ok(sums.recv());
  constexpr int kCount = kProducers * kValuesEach;
  if (sum != kCount * (kCount - 1) / 2) co_return Error(Code::data_loss, "program");
  co_return co_await run_session_program(sim);
}

}  // namespace tubing::sim
