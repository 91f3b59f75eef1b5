// TwoHosts: a world in which a program on host a talks with one on host b, in message mode.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <string>
#include <vector>

#include "tubing/channel/go.h"
#include "tubing/sim/network.h"
#include "tubing/sim/world.h"

namespace tubing::sim::test {

inline constexpr Service<std::string, std::string> kText{"text.v1", 8};
inline constexpr Service<std::uint64_t, std::uint64_t> kNumbers{"numbers.v1", 8};
inline constexpr Service<std::uint64_t, std::uint64_t> kNews{
    .name = "news.v1", .capacity = 100, .delivery = channel::Delivery::datagram};

/// Sends back what comes.
inline Task<> echo(Process& self) {
  co_return co_await nursery([&](Nursery& n) -> Task<> {
    co_return serve(n, self.network(), kText, [](auto& peer) -> Task<> {
      while (auto line = co_await peer.rx.recv()) co_await ok(peer.tx.send(*line));
      co_return peer.rx.end();
    });
  });
}

/// What one end of a channel has seen.
struct Seen {
  std::vector<std::uint64_t> values;
  std::optional<Error> end;
};

/// Takes every channel to `service`, and receives until it ends.
template <class V>
Task<> collect_from(channel::Network& network, Service<V, V> service, Seen& seen) {
  auto incoming = co_await ok(accept(network, service));
  while (auto opened = co_await incoming.recv()) {
    auto end = co_await ok(serve_end(service, *std::move(opened)));
    for (;;) {
      auto value = co_await end.rx.recv();
      if (!value) {
        seen.end.emplace(value.error());
        break;
      }
      seen.values.push_back(*value);
    }
  }
  co_return {};
}
template <class V>
Program collect(Service<V, V> service, Seen& seen) {
  return [service, &seen](Process& self) { return collect_from(self.network(), service, seen); };
}

/// How a stream of values ended at its sender.
struct Sent {
  std::uint64_t count = 0;
  std::optional<Error> end;
  Time ended_at;
};

/// Host a is the user's, host b the server's.
struct TwoHosts {
  explicit TwoHosts(std::uint64_t seed = 1, WorldOptions options = {}) : world(seed, options) {
    world.add_host({.name = "a", .roles = {"reader"}, .usage = "client"});
    world.add_host({.name = "b"});
  }

  Links& links() { return world.links(); }
  Host& a() { return world.host("a"); }
  Host& b() { return world.host("b"); }
  HostId a_id() { return a().id(); }
  HostId b_id() { return b().id(); }
  std::uint64_t count(FaultKind kind) { return links().counts().of(kind); }
  /// Runs the user's program to its end. It must succeed.
  void run(Program program) {
    Process& user = a().spawn("run" + std::to_string(a().processes().size()), std::move(program));
    const Result<> ran = world.run_until_ended(user);
    CHECK_MESSAGE(ran.has_value(), (ran ? std::string() : ran.error().text()));
    CHECK(world.problems().empty());
  }

  /// Where programs write what they saw: it outlives them.
  Seen& new_seen() { return seen.emplace_back(); }
  Sent& new_sent() { return sent.emplace_back(); }

  std::deque<Seen> seen;
  std::deque<Sent> sent;
  World world;
};

}  // namespace tubing::sim::test
