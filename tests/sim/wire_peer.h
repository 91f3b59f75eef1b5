// WirePeer: owns one end of a simulated connection and keeps what it was told. WirePair: two.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tubing/sim/wire.h"

namespace tubing::sim {

struct WirePeer : rpc::LinkEvents {
  WirePeer(VirtualReactor& on, std::unique_ptr<rpc::Link> to_own)
      : reactor(on), link(std::move(to_own)) {
    link->start(*this);
  }
  void on_bytes(MutableBytes bytes) override {
    CHECK_FALSE(end);
    CHECK_FALSE(in_call);
    received += as_text(bytes);
    chunks.push_back(bytes.size());
    times.push_back(reactor.now());
    if (then_on_bytes) then_on_bytes();
  }
  void on_writable() override {
    CHECK_FALSE(end);
    CHECK_FALSE(in_call);
    ++writable;
    if (then_on_writable) then_on_writable();
  }
  void on_end(Error reason) override {
    CHECK_FALSE(end);
    CHECK_FALSE(in_call);
    end = reason;
    end_time = reactor.now();
    if (drop_on_end) link.reset();
  }
  bool write(std::string_view text) {
    in_call = true;
    const bool all = link->write(as_bytes(text));
    in_call = false;
    return all;
  }
  void close_write() {
    in_call = true;
    link->close_write();
    in_call = false;
  }
  Code how_ended() const { return end ? end->code() : Code::ok; }

  VirtualReactor& reactor;
  std::unique_ptr<rpc::Link> link;
  std::string received;
  std::vector<std::size_t> chunks;
  std::vector<Time> times;
  int writable = 0;
  std::optional<Error> end;
  Time end_time{};
  bool in_call = false;
  bool drop_on_end = false;
  std::function<void()> then_on_bytes;
  std::function<void()> then_on_writable;
};

inline const rpc::Address kServer{"server", 7000};

/// A wire with one connection, made before its conditions are set: time starts at 0.
struct WirePair {
  explicit WirePair(const WireConditions& conditions = {}, std::uint64_t seed = 1)
      : wire(reactor, Prng(seed), hash) {
    auto listener = *wire.listen(kServer, [this](std::unique_ptr<rpc::Link> link) {
      server = std::make_unique<WirePeer>(reactor, std::move(link));
    });
    auto dialing = wire.dial(kServer, [this](Result<std::unique_ptr<rpc::Link>> link) {
      client = std::make_unique<WirePeer>(reactor, *std::move(link));
    });
    settle();
    REQUIRE(client);
    REQUIRE(server);
    wire.set_conditions(conditions);
    wire.set_conditions(0, conditions);
  }
  /// Runs what happens up to that time.
  void run_until(Time time) {
    do reactor.park(time);
    while (reactor.now() < time);
  }
  /// Runs until nothing is under way.
  void settle() {
    while (reactor.has_sources()) reactor.park(Time::max());
  }

  VirtualReactor reactor;
  RunHash hash;
  Wire wire;
  std::unique_ptr<WirePeer> client;
  std::unique_ptr<WirePeer> server;
};

}  // namespace tubing::sim
