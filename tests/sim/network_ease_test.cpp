// What is under way in message mode when a link's bad conditions end.
#include <algorithm>

#include "tests/sim/network_world.h"

using namespace tubing;
using namespace tubing::sim;
using namespace tubing::sim::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kCount = 300;
const LinkConditions kGood{.latency_min = 1ms, .latency_max = 1ms};
const LinkConditions kThrottled{.latency_min = 1ms, .latency_max = 1ms, .bytes_per_second = 1};
const LinkConditions kSlow{.latency_min = 3600s, .latency_max = 7200s};
/// Slow at times: its shortest latency is that of a good one.
const LinkConditions kUneven{.latency_min = 1ms, .latency_max = 24h * 365};
const LinkConditions kTail{
    .latency_min = 1ms, .latency_max = 1ms, .tail_ppm = kPpm, .latency_tail_max = 24h * 365};

Task<> send_all(Process& self, Service<std::uint64_t, std::uint64_t> service) {
  auto end = co_await ok(open(self.network(), service, {"b"}));
  co_await ok(sleep(50ms));
  for (std::uint64_t i = 0; i < kCount; ++i) co_await ok(end.tx.send(i));
  end.tx.close();
  co_return co_await sleep(10s);
}

/// From 40 ms on the link is bad, in one direction, and from 1 s on good again.
struct Eased {
  Eased(const LinkConditions& bad, bool to_b, const LinkConditions& good = kGood)
      : hosts(1, {.links = kGood}) {
    const HostId from = to_b ? hosts.a_id() : hosts.b_id();
    const HostId to = to_b ? hosts.b_id() : hosts.a_id();
    hosts.world.at(Time(40ms), [=, this] { hosts.links().set_conditions(from, to, bad); });
    hosts.world.at(Time(1s), [=, this] { hosts.links().set_conditions(from, to, good); });
  }
  Seen& serve(Service<std::uint64_t, std::uint64_t> service) {
    Seen& seen = hosts.new_seen();
    hosts.b().spawn("server", collect(service, seen));
    hosts.a().spawn("sender", [service](Process& self) { return send_all(self, service); });
    return seen;
  }
  TwoHosts hosts;
};

bool all_in_order(const Seen& seen) {
  return seen.values.size() == kCount && std::ranges::is_sorted(seen.values) &&
         seen.values.back() == kCount - 1;
}

}  // namespace

TEST_CASE("messages that a bad link delays arrive once it is good again") {
  for (const LinkConditions& bad : {kThrottled, kSlow, kUneven, kTail}) {
    Eased eased(bad, true);
    const Seen& seen = eased.serve(kNumbers);
    eased.hosts.world.run_until(Time(999ms));
    CHECK(seen.values.empty());
    eased.hosts.world.run_until(Time(2s));
    CHECK(all_in_order(seen));
    REQUIRE(seen.end);
    CHECK(seen.end->code() == Code::closed);
  }
}

TEST_CASE("the word that values were taken arrives once its slow link is good again") {
  for (const LinkConditions& bad : {kSlow, kUneven, kTail}) {
    Eased eased(bad, false);
    const Seen& seen = eased.serve(kNumbers);
    eased.hosts.world.run_until(Time(999ms));
    CHECK(seen.values.size() < kCount);
    eased.hosts.world.run_until(Time(2s));
    CHECK(all_in_order(seen));
  }
}

TEST_CASE("datagrams that a bad link delays arrive in order once it is good again") {
  for (const LinkConditions& bad : {kThrottled, kSlow, kUneven, kTail}) {
    Eased eased(bad, true);
    const Seen& seen = eased.serve(
        {.name = "news.v1", .capacity = kCount, .delivery = channel::Delivery::datagram});
    eased.hosts.world.run_until(Time(999ms));
    CHECK(seen.values.empty());
    eased.hosts.world.run_until(Time(2s));
    CHECK(all_in_order(seen));
  }
}

TEST_CASE(
    "messages under way share a line that is faster again, and what follows goes behind them") {
  for (const LinkConditions& bad : {kSlow, kThrottled}) {
    // A message takes about 40 ms on this line: 8 of them, the window, about 0.3 s.
    Eased eased(bad, true, {.latency_min = 1ms, .latency_max = 1ms, .bytes_per_second = 1000});
    const Seen& seen = eased.serve(kNumbers);
    eased.hosts.world.run_until(Time(1030ms));
    CHECK(seen.values.empty());
    eased.hosts.world.run_until(Time(1200ms));
    CHECK(seen.values.size() > 1);
    CHECK(seen.values.size() < 6);
  }
}

TEST_CASE("the word of a crash arrives once its slow link is good again") {
  Eased eased(kSlow, false);
  Process& server = eased.hosts.b().spawn("server", echo);
  eased.hosts.world.at(Time(500ms), [&] { server.crash(); });
  eased.hosts.run([](Process& self) -> Task<> {
    auto end = co_await ok(open(self.network(), kText, {"b"}));
    const auto lost = co_await end.rx.recv();
    CHECK(lost.code() == Code::lost);
    CHECK(self.scheduler().now() >= Time(1s));
    CHECK(self.scheduler().now() < Time(1002ms));
    co_return {};
  });
}

TEST_CASE("the word of a broken channel arrives once its slow link is good again") {
  Eased eased(kSlow, false);
  eased.hosts.b().spawn("server", echo);
  eased.hosts.world.at(Time(40ms), [&] {
    eased.hosts.links().set_faults(eased.hosts.a_id(), eased.hosts.b_id(), {.reset_ppm = kPpm});
  });
  eased.hosts.run([](Process& self) -> Task<> {
    auto end = co_await ok(open(self.network(), kText, {"b"}));
    co_await ok(sleep(50ms));
    co_await ok(end.tx.send("breaks it"));
    const auto lost = co_await end.rx.recv();
    CHECK(lost.code() == Code::lost);
    CHECK(self.scheduler().now() >= Time(1s));
    CHECK(self.scheduler().now() < Time(1002ms));
    co_return {};
  });
}
