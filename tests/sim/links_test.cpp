#include "tubing/sim/links.h"

#include <doctest/doctest.h>

#include "tubing/sim/detail/message_route.h"

using tubing::Prng;
using tubing::sim::FaultKind;
using tubing::sim::HostId;
using tubing::sim::LinkConditions;
using tubing::sim::LinkFaults;
using tubing::sim::Links;
using tubing::sim::LinkState;
using tubing::sim::NetworkConditions;
using namespace std::chrono_literals;

namespace {

struct FourHosts {
  FourHosts() {
    for (int i = 0; i < 4; ++i) links.add_host();
  }
  tubing::Time now{};
  Links links{now, Prng(1)};
};

}  // namespace

TEST_CASE_FIXTURE(FourHosts, "a cut of one direction leaves the other open") {
  links.set_faults(0, 1, {.cut = true});
  CHECK_FALSE(links.connected(0, 1));
  CHECK(links.connected(1, 0));
  links.repair_link(0, 1);
  CHECK(links.connected(0, 1));
}

TEST_CASE_FIXTURE(FourHosts, "a partition parts the groups, and whom it does not name from all") {
  links.partition({{0, 1}, {2}});
  CHECK(links.connected(0, 1));
  CHECK_FALSE(links.connected(0, 2));
  CHECK_FALSE(links.connected(2, 1));
  CHECK_FALSE(links.connected(3, 0));
  CHECK_FALSE(links.connected(2, 3));
  links.repair_all();
  for (HostId a = 0; a < 4; ++a)
    for (HostId b = 0; b < 4; ++b) CHECK(links.connected(a, b));
}

TEST_CASE_FIXTURE(FourHosts, "a host in two groups of a partition reaches both and joins none") {
  links.partition({{0, 1}, {1, 2, 3}});
  for (const HostId other : {0U, 2U, 3U}) {
    CAPTURE(other);
    CHECK(links.connected(1, other));
    CHECK(links.connected(other, 1));
  }
  CHECK(links.connected(2, 3));
  CHECK_FALSE(links.connected(0, 2));
  CHECK_FALSE(links.connected(3, 0));
}

TEST_CASE_FIXTURE(FourHosts, "a host is healthy, faulty, isolated, or both") {
  CHECK(links.state(0) == LinkState::healthy);
  links.set_card(0, {.drop_ppm = 10});
  CHECK(links.state(0) == LinkState::faulty);
  links.isolate(0);
  CHECK(links.state(0) == LinkState::faulty_isolated);
  links.repair_host(0, {.unisolate = false});
  CHECK(links.state(0) == LinkState::isolated);
  links.unisolate(0);
  CHECK(links.state(0) == LinkState::healthy);
}

TEST_CASE_FIXTURE(FourHosts, "faults of a host's card meet links that are made later") {
  links.set_card(1, {.drop_ppm = 1'000'000});
  const HostId later = links.add_host();
  CHECK(links.drops(1, later));
  CHECK_FALSE(links.drops(later, 1));
  links.set_card(1, {.deaf_ppm = 1'000'000});
  CHECK(links.is_deaf(later, 1));
}

TEST_CASE_FIXTURE(FourHosts, "setting faults returns what undoes it") {
  const LinkFaults before{.drop_ppm = 5, .held = true};
  links.set_faults(2, 3, before);
  CHECK(links.set_faults(2, 3, {.cut = true}) == before);
  links.set_faults(2, 3, before);
  CHECK(links.connected(2, 3));
  CHECK(links.counts().of(FaultKind::cut) == 1);
}

TEST_CASE_FIXTURE(FourHosts, "a latency lies in its range, and some lie in the tail") {
  links.set_conditions(
      {.latency_min = 1ms, .latency_max = 2ms, .tail_ppm = 200'000, .latency_tail_max = 1s});
  int late = 0;
  for (int i = 0; i < 1000; ++i) {
    const auto latency = links.draw_latency(0, 1);
    CHECK(latency >= 1ms);
    CHECK(latency <= 1s);
    late += latency > 2ms;
  }
  CHECK(late > 100);
  CHECK(late < 300);
}

TEST_CASE_FIXTURE(FourHosts, "a line that takes longer than a simulation keeps its messages") {
  links.set_conditions(0, 1, {.bytes_per_second = 1});
  const NetworkConditions conditions;
  tubing::sim::detail::MessageRoute route(links, conditions, 0, 1);
  tubing::Time last{};
  for (int i = 0; i < 10; ++i) {
    const tubing::Time arrival = route.draw_arrival(now, 4'000'000'000);
    CHECK(arrival > last);
    last = arrival - 1ms;  // Latencies are drawn.
  }
}
