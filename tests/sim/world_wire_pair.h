// WorldWirePair: a connection between processes of two hosts of a World, held by the test.
#pragma once

#include "tests/sim/wire_peer.h"
#include "tubing/channel/timers.h"
#include "tubing/sim/process_wire.h"
#include "tubing/sim/world.h"

namespace tubing::sim {

inline Task<> sleep_for_ever(Process&) { co_return co_await sleep(Duration::max()); }

/// Host a dialled host b. Each message takes a millisecond, unless the options say otherwise.
struct WorldWirePair {
  static WorldOptions even(WorldOptions options = {}) {
    using std::chrono::milliseconds;
    if (options.links == LinkConditions{})
      options.links = {.latency_min = milliseconds(1), .latency_max = milliseconds(1)};
    return options;
  }

  explicit WorldWirePair(const WorldOptions& options = {}, std::uint64_t seed = 1)
      : world(seed, even(options)),
        a(world.add_host({.name = "a"})),
        b(world.add_host({.name = "b"})),
        dialer(a.spawn("p", sleep_for_ever)),
        listener(b.spawn("p", sleep_for_ever)) {
    listen();
    dial();
    world.run_for(std::chrono::milliseconds(10));
    REQUIRE(client);
    REQUIRE(server);
  }

  void listen() {
    listening = *listener.transport().listen({"b", 7000}, [this](std::unique_ptr<rpc::Link> link) {
      server = std::make_unique<WirePeer>(listener.reactor(), std::move(link));
    });
  }
  void dial() {
    dial_error.reset();
    dialing = dialer.transport().dial({"b", 7000}, [this](Result<std::unique_ptr<rpc::Link>> link) {
      if (link) client = std::make_unique<WirePeer>(dialer.reactor(), *std::move(link));
      if (!link) dial_error = link.error();
    });
  }
  /// The process of host b dies, at the test's hand, and what the test holds of it with it.
  void crash_listener() {
    listening.reset();
    listener.crash();
    server.reset();
  }
  void darken_listener() {
    listening.reset();
    b.power_off();
    server.reset();
  }

  std::uint64_t count(FaultKind kind) { return world.links().counts().of(kind); }
  LinkFaults set_faults(const LinkFaults& to_b) {
    return world.links().set_faults(a.id(), b.id(), to_b);
  }

  World world;
  Host& a;
  Host& b;
  Process& dialer;
  Process& listener;
  std::unique_ptr<rpc::Listener> listening;
  std::unique_ptr<rpc::Dialing> dialing;
  std::unique_ptr<WirePeer> client;
  std::unique_ptr<WirePeer> server;
  std::optional<Error> dial_error;
};

}  // namespace tubing::sim
