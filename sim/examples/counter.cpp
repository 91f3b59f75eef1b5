// A service of your own under simulation: a counter whose clients ask again after a loss.
// Prints how often each of a hundred seeds counted twice what a client asked for once.
#include <fmt/format.h>

#include "tubing/channel/go.h"
#include "tubing/sim/world.h"

using namespace tubing;
using namespace std::chrono_literals;

namespace {

// The service, as it would run over real sockets: nothing in it knows of the simulator.

inline constexpr Service<std::uint64_t, std::uint64_t> kCount{"example.count"};

Task<> serve_counter(channel::Network& network, std::uint64_t& total) {
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    co_await ok(serve(n, network, kCount, [&](auto& peer) -> Task<> {
      while (auto amount = co_await peer.rx.recv()) co_await ok(peer.tx.send(total += *amount));
      co_return peer.rx.end();
    }));
    co_return {};
  });
}

Task<> add_once(channel::Network& network, std::uint64_t amount) {
  auto peer = co_await ok(open(network, kCount, PeerName{"server"}, within(2s)));
  co_await ok(peer.tx.send(amount));
  (void)co_await ok(peer.rx.recv(within(2s)));
  peer.tx.close();
  co_return {};
}

// A client that asks until it hears an answer: is that right?
Task<> add_surely(channel::Network& network, std::uint64_t amount) {
  while (!co_await add_once(network, amount)) co_await ok(sleep(100ms));
  co_return {};
}

// The test: one world for each seed, with a link that is cut at a drawn moment.
std::uint64_t count_in_world(std::uint64_t seed) {
  std::uint64_t total = 0;
  sim::World world(seed);
  sim::Host& server = world.add_host({.name = "server"});
  sim::Host& client = world.add_host({.name = "client"});
  server.spawn("counter", [&total](sim::Process& self) -> Task<> {
    co_return co_await serve_counter(self.network(), total);
  });
  sim::Process& user = client.spawn("user", [](sim::Process& self) -> Task<> {
    co_return co_await add_surely(self.network(), 1);
  });
  const Time cut{Duration(static_cast<std::int64_t>(world.workload().below(3'000'000)))};
  world.at(cut, [&] { world.links().cut(server.id(), client.id()); });
  world.at(cut + 5s, [&] { world.links().repair_all(); });
  if (Result<> ended = world.run_until_ended(user); !ended)
    fmt::print("seed {}: {}\n", seed, ended.error().text());
  return total;
}

}  // namespace

int main() {
  int twice = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) twice += count_in_world(seed) != 1;
  fmt::print("{} of 100 seeds counted more than once: ask again only where that is harmless\n",
             twice);
  return twice == 0;
}
