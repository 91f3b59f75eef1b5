#include "tubing/sim/sim_run.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/sim/wire_peer.h"
#include "tubing/channel/channel.h"
#include "tubing/channel/nursery.h"
#include "tubing/channel/timers.h"

using namespace tubing::sim;
using namespace std::chrono_literals;
using tubing::Channel;
using tubing::Code;
using tubing::Duration;
using tubing::nursery;
using tubing::Nursery;
using tubing::ok;
using tubing::Result;
using tubing::sleep;
using tubing::Task;
using tubing::Time;
using tubing::yield;
using tubing::rpc::Link;

namespace {

Task<> note(std::string& log, char name) {
  for (int i = 0; i < 3; ++i) {
    log += name;
    co_await ok(yield());
  }
  co_return {};
}

// Strands that do nothing but take turns.
std::string order_of(std::uint64_t seed, std::string* hash = nullptr) {
  SimRun sim(seed);
  std::string log;
  const Result<> run = sim.run(nursery([&](Nursery& n) -> Task<> {
    for (char name = 'a'; name < 'i'; ++name) n.spawn("strand", note(log, name));
    co_return {};
  }));
  CHECK(run);
  if (hash != nullptr) *hash = sim.hash();
  return log;
}

// The hash of a run in which a client writes `payload` over a wire of that latency.
std::string hash_of_message(std::string_view payload, Duration latency) {
  SimRun sim(1, {.conditions = {.latency_min = latency, .latency_max = latency}});
  std::unique_ptr<WirePeer> server;
  std::unique_ptr<WirePeer> client;
  const Result<> run = sim.run(nursery([&](Nursery&) -> Task<> {
    auto listener = *sim.wire().listen(kServer, [&](std::unique_ptr<Link> link) {
      server = std::make_unique<WirePeer>(sim.reactor(), std::move(link));
    });
    auto dialing = sim.wire().dial(kServer, [&](Result<std::unique_ptr<Link>> link) {
      client = std::make_unique<WirePeer>(sim.reactor(), *std::move(link));
      (void)client->write(payload);
    });
    co_await ok(sleep(1s));
    co_return {};
  }));
  CHECK(run);
  CHECK(server->received == payload);
  return sim.hash();
}

Task<> sleep_again_and_again() {
  for (;;) co_await ok(sleep(1ms));
}

}  // namespace

TEST_CASE("one seed gives one order and one hash and another seed gives others") {
  std::string hash;
  std::string again;
  std::string other;
  const std::string order = order_of(1, &hash);
  CHECK(order_of(1, &again) == order);
  CHECK(again == hash);
  CHECK(order_of(2, &other) != order);
  CHECK(other != hash);
  CHECK(hash.size() == 32);
}

TEST_CASE("one payload byte or one nanosecond of latency changes the hash of a run") {
  const std::string base = hash_of_message("payload", 1'000'000ns);
  CHECK(hash_of_message("payload", 1'000'000ns) == base);
  CHECK(hash_of_message("paxload", 1'000'000ns) != base);
  CHECK(hash_of_message("payload", 1'000'001ns) != base);
}

TEST_CASE("the hash of a run tells strands of other names apart") {
  const auto hash_of = [](const char* name) {
    SimRun sim(1);
    const Result<> run = sim.run(nursery([&](Nursery& n) -> Task<> {
      n.spawn(name, sleep(1ms));
      co_return {};
    }));
    CHECK(run);
    return sim.hash();
  };
  CHECK(hash_of("one") == hash_of("one"));
  CHECK(hash_of("one") != hash_of("two"));
}

TEST_CASE("each purpose draws from a generator of its own") {
  SimRun one(7);
  SimRun other(7);
  for (int i = 0; i < 100; ++i) (void)one.workload().next();
  std::array<std::byte, 16> bytes{};
  std::array<std::byte, 16> same{};
  one.entropy().fill(bytes);
  other.entropy().fill(same);
  CHECK(bytes == same);
  CHECK(one.scheduler().prng().next() == other.scheduler().prng().next());
  SimRun fresh(7);
  CHECK(fresh.scheduler().prng().next() != fresh.workload().next());
}

TEST_CASE("a run that reaches its limit of virtual time stops and lists who waited") {
  SimRun sim(1, {.time_max = 2s});
  const Result<> run = sim.run(nursery([&](Nursery& n) -> Task<> {
    n.spawn("restless", sleep_again_and_again());
    co_return {};
  }));
  CHECK(run.code() == Code::deadline_exceeded);
  CHECK(run.error().detail().find("limit of 2000 ms") != std::string_view::npos);
  CHECK(run.error().detail().find("restless") != std::string_view::npos);
  CHECK(sim.reactor().now() == Time(2s));
}

TEST_CASE("a run in which nothing can ever happen ends as asleep and not at its limit") {
  SimRun sim(1);
  Channel<int> nobody{0};
  auto listener = *sim.wire().listen(kServer, [](std::unique_ptr<Link>) {});
  const Result<> run = sim.run(nursery([&](Nursery&) -> Task<> {
    co_await ok(nobody.recv());
    co_return {};
  }));
  CHECK(run.code() == Code::failed_precondition);
  CHECK(sim.reactor().now() == Time(0s));
}
