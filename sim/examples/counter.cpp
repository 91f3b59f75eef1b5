// A service of your own under simulation: a counter on disk, whose clients ask again after a loss.
// Prints how often each of a hundred seeds counted twice what a client asked for once.
#include <fmt/format.h>

#include "tubing/channel/go.h"
#include "tubing/sim/world.h"
using namespace tubing;
using namespace std::chrono_literals;

namespace {

// The service, as it would run over real sockets and files: nothing in it knows of the simulator.
inline constexpr Service<std::uint64_t, std::uint64_t> kCount{"example.count"};
struct Counter {
  channel::File file;
  std::uint64_t total = 0;
};

Task<> add(Counter& counter, std::uint64_t amount) {
  const std::string total = std::to_string(counter.total += amount);
  co_await ok(counter.file.write(0, Bytes(as_bytes(total).begin(), as_bytes(total).end())));
  co_return co_await counter.file.sync();
}

// What handlers share lies here: this frame outlives the nursery, and that the handlers.
Task<> serve_counter(channel::Network& network, channel::Disk& disk) {
  Counter counter{co_await ok(disk.open("total", channel::OpenMode::create))};
  for (const std::byte digit : co_await ok(counter.file.read(0, 20)))
    counter.total = 10 * counter.total + (static_cast<std::uint64_t>(digit) - '0');
  co_await ok(disk.sync_dir(""));
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    co_return serve(n, network, kCount, [&counter](auto& peer) -> Task<> {
      while (auto amount = co_await peer.rx.recv()) {
        co_await ok(add(counter, *amount));
        co_await ok(peer.tx.send(counter.total));
      }
      co_return peer.rx.end();
    });
  });
}

// A client that asks until it hears an answer: is that right?
Task<> add_surely(channel::Network& network, std::uint64_t amount) {
  for (;; co_await ok(sleep(100ms))) {
    auto peer = co_await open(network, kCount, PeerName{"server"}, within(2s));
    if (peer && co_await peer->tx.send(amount) && co_await peer->rx.recv(within(2s))) co_return {};
  }
}

// The test: a world for each seed, with a link that is cut, and power that fails, when it draws.
std::string count_in_world(std::uint64_t seed) {
  sim::World world(seed, {.time_max = 1min});
  sim::Host& server = world.add_host({.name = "server"});
  sim::Host& client = world.add_host({.name = "client"});
  server.spawn("counter", [](sim::Process& self) -> Task<> {
    co_return co_await serve_counter(self.network(), self.disk());
  });
  sim::Process& user = client.spawn("user", [](sim::Process& self) -> Task<> {
    co_await ok(sleep(1s));
    co_return co_await add_surely(self.network(), 1);
  });
  const Time trouble{1s + world.workload().below(5000) * 1us};
  world.at(trouble, [&] { world.links().cut(server.id(), client.id()); });
  world.at(trouble + 10ms, [&] { server.power_off(); });
  world.at(trouble + 5s, [&] { world.links().repair_all(), server.power_on(); });
  if (Result<> ended = world.run_until_ended(user); !ended)
    fmt::print("seed {}: {}\n", seed, ended.error().text());
  // What lies on the disk, for a judge who stands outside the world.
  return std::string(as_text(*server.disk().image().at("total")));
}

}  // namespace

int main() {
  int twice = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) twice += count_in_world(seed) != "1";
  fmt::print("{} of 100 seeds counted twice: ask again only where that is harmless\n", twice);
  return twice == 0;
}
