#include "tests/sim/session_program.h"

#include "tests/rpc/node_hosts.h"

namespace tubing::sim {
namespace {

constexpr int kTexts = 5;

std::string draw_text(SimRun& sim) {
  return std::string(sim.workload().below(100), static_cast<char>('a' + sim.workload().below(26)));
}

Task<> talk(SimRun& sim, rpc::Node& client) {
  const PeerName to_server{"server@" + test::kServerAddress.text()};
  auto peer = co_await ok(open(client, test::kText, to_server));
  for (int i = 0; i < kTexts; ++i) {
    const std::string text = draw_text(sim);
    co_await ok(peer.tx.send(text));
    const std::string back = co_await ok(peer.rx.recv());
    if (back != text) co_return Error(Code::data_loss, "talk", back);
  }
  peer.tx.close();
  co_return {};
}

Task<> talk_on_two_channels(SimRun& sim, rpc::Node& client) {
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    n.spawn("talker", talk(sim, client));
    n.spawn("talker", talk(sim, client));
    co_return {};
  });
}

}  // namespace

Task<void> run_session_program(SimRun& sim) {
  test::Hosts hosts(sim.scheduler(), sim.wire(), sim.entropy());
  test::Host& server = hosts.add({.name = "server"});
  test::Host& client = hosts.add({.name = "client", .usage = crypto::Usage::client});
  co_await ok(server.node->listen(test::kServerAddress));
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, *server.node, test::kText, test::echo));
    co_await ok(talk_on_two_channels(sim, *client.node));
    co_await ok(client.node->close());
    const WireSide side = sim.workload().chance(1, 2) ? WireSide::dialer : WireSide::listener;
    const std::uint64_t bytes = sim.workload().below(2000);
    sim.wire().on_connect([&](WireId id) { sim.wire().cut_after(id, side, bytes); });
    Result<> cut = co_await talk_on_two_channels(sim, *client.node);
    CHECK((cut || cut.code() == Code::lost || cut.code() == Code::unavailable));
    sim.wire().on_connect({});
    n.cancel();
    co_return {};
  });
}

}  // namespace tubing::sim
