// Datagram channels in message mode: gaps, repeats, overtaking, lateness; and the snapshot.
#include <algorithm>
#include <set>

#include "tests/sim/network_world.h"

using namespace tubing;
using namespace tubing::sim;
using namespace tubing::sim::test;
using namespace std::chrono_literals;

namespace {

constexpr std::uint64_t kCount = 1000;

/// Sends `kCount` numbers, one every 100 us, beginning with `first`.
Task<> send_news(Process& self, std::uint64_t first) {
  auto end = co_await ok(open(self.network(), kNews, {"b"}, within(10s)));
  co_await ok(sleep(50ms));
  for (std::uint64_t i = 0; i < kCount; ++i) {
    co_await ok(end.tx.send(first + i));
    co_await ok(sleep(100us));
  }
  co_await ok(sleep(10s));
  end.tx.close();
  co_return {};
}

Program news_from(std::uint64_t first) {
  return [first](Process& self) { return send_news(self, first); };
}

/// What came of one sender's news while `faults` lasted on the link to b: from before the first on,
/// but not while the channel is opened.
struct News {
  explicit News(const LinkFaults& faults) {
    hosts.b().spawn("server", collect(kNews, seen));
    hosts.world.at(Time(40ms), [this, faults] {
      hosts.links().set_faults(hosts.a_id(), hosts.b_id(), faults);
    });
    hosts.a().spawn("sender", news_from(0));
    hosts.world.run_for(2s);
  }
  bool in_order() const { return std::ranges::is_sorted(seen.values); }
  std::size_t distinct() const {
    return std::set<std::uint64_t>(seen.values.begin(), seen.values.end()).size();
  }
  const LinkTraffic& traffic() { return hosts.world.fabric().traffic(hosts.a_id(), hosts.b_id()); }
  /// All is repaired; what another sender sends then.
  void heal() {
    hosts.links().repair_all();
    seen.values.clear();
    hosts.world.run_for(20s);
    hosts.a().spawn("healed", news_from(0));
    hosts.world.run_for(2s);
  }

  Seen seen;
  TwoHosts hosts;
};

void check_healed(News& news) {
  news.heal();
  CHECK(news.seen.values.size() == kCount);
  CHECK(news.distinct() == kCount);
  CHECK(news.in_order());
}

}  // namespace

TEST_CASE("datagrams over a healthy link come once each, and in order") {
  News news({});
  CHECK(news.seen.values.size() == kCount);
  CHECK(news.in_order());
  CHECK(news.distinct() == kCount);
}

TEST_CASE("dropped, unheard and corrupted datagrams leave gaps until the link is healed") {
  struct Row {
    FaultKind kind;
    LinkFaults faults;
    std::uint64_t LinkTraffic::* count;
  };
  for (const Row& row :
       {Row{FaultKind::dropped, {.drop_ppm = kPpm / 5}, &LinkTraffic::dropped},
        Row{FaultKind::deaf, {.deaf_ppm = kPpm / 5}, &LinkTraffic::deaf},
        Row{FaultKind::corrupted, {.corrupt_ppm = kPpm / 5}, &LinkTraffic::corrupted}}) {
    CAPTURE(fault_name(row.kind));
    News news(row.faults);
    const std::size_t gaps = kCount - news.seen.values.size();
    CHECK(gaps > kCount / 10);
    CHECK(gaps < kCount / 3);
    CHECK(news.in_order());
    CHECK(news.distinct() == news.seen.values.size());
    CHECK(news.traffic().*row.count == gaps);
    CHECK(news.hosts.count(row.kind) >= gaps);
    check_healed(news);
  }
}

TEST_CASE("duplicated datagrams come twice until the link is healed") {
  News news({.duplicate_ppm = kPpm / 5});
  CHECK(news.distinct() == kCount);
  const std::size_t twice = news.seen.values.size() - kCount;
  CHECK(twice > kCount / 10);
  CHECK(twice < kCount / 3);
  CHECK(news.hosts.count(FaultKind::duplicated) == twice);
  check_healed(news);
}

TEST_CASE("reordered datagrams are overtaken until the link is healed") {
  News news({.reorder_ppm = kPpm / 5});
  CHECK(news.seen.values.size() == kCount);
  CHECK(news.distinct() == kCount);
  CHECK_FALSE(news.in_order());
  CHECK(news.hosts.count(FaultKind::reordered) > kCount / 10);
  check_healed(news);
}

TEST_CASE("a datagram channel outlives a short cut, and loses what was sent meanwhile") {
  TwoHosts hosts(1, {.network = {.notice_min = 1s, .notice_max = 2s}});
  Seen& seen = hosts.new_seen();
  hosts.b().spawn("server", collect(kNews, seen));
  hosts.a().spawn("sender", news_from(0));
  hosts.world.at(Time(80ms), [&] { hosts.links().cut(hosts.a_id(), hosts.b_id()); });
  hosts.world.at(Time(100ms), [&] { hosts.links().repair_all(); });
  hosts.world.run_for(2s);
  CHECK(seen.values.size() > kCount / 2);
  CHECK(seen.values.size() < kCount - 50);
  CHECK(seen.values.front() == 0);
  CHECK(seen.values.back() == kCount - 1);
  CHECK_FALSE(seen.end);
}

TEST_CASE("a datagram channel is lost in a long cut") {
  News news({});
  news.hosts.links().cut(news.hosts.a_id(), news.hosts.b_id());
  news.hosts.world.run_for(3s);
  REQUIRE(news.seen.end);
  CHECK(news.seen.end->code() == Code::lost);
}

TEST_CASE("datagrams that were held come when the link is released") {
  News news({.held = true});
  CHECK(news.seen.values.empty());
  CHECK(news.traffic().in_flight == kCount);
  news.hosts.links().repair_all();
  news.hosts.world.run_for(1s);
  CHECK(news.traffic().in_flight == 0);
  // As many as the receiver has room for at one instant.
  CHECK(news.seen.values.size() >= 100);
  CHECK(news.seen.values.size() + news.traffic().overflowed == kCount);
}

TEST_CASE("dropped datagrams arrive late by choice, behind newer ones") {
  for (const bool unheard : {false, true}) {
    CAPTURE(unheard);
    News news({.drop_ppm = unheard ? 0 : kPpm / 5, .deaf_ppm = unheard ? kPpm / 5 : 0});
    const std::size_t before = news.seen.values.size();
    CHECK(before < kCount);
    const LinkSnapshot kept = news.hosts.world.snapshot().links[0];
    CHECK(kept.kept == kCount - before);
    news.hosts.links().repair_all({.deliver_late = true});
    news.hosts.world.run_for(1s);
    // Those beyond the receiver's room are lost for good.
    CHECK(news.seen.values.size() > before + 50);
    CHECK_FALSE(news.in_order());
    CHECK(std::is_sorted(news.seen.values.begin() + static_cast<std::ptrdiff_t>(before),
                         news.seen.values.end()));
    CHECK(news.distinct() == news.seen.values.size());
    CHECK(news.hosts.count(FaultKind::delivered_late) == kept.kept);
    CHECK(news.traffic().late == kept.kept);
    CHECK(news.hosts.world.snapshot().links[0].kept == 0);
  }
}

TEST_CASE("a link keeps so many dropped datagrams, and forgets the oldest") {
  TwoHosts hosts(1, {.network = {.kept_max = 10}});
  Seen& seen = hosts.new_seen();
  hosts.b().spawn("server", collect(kNews, seen));
  hosts.world.at(Time(60ms),
                 [&] { hosts.links().set_faults(hosts.a_id(), hosts.b_id(), {.drop_ppm = kPpm}); });
  hosts.a().spawn("sender", news_from(0));
  hosts.world.run_for(1s);
  const std::size_t before = seen.values.size();
  hosts.links().repair_all({.deliver_late = true});
  hosts.world.run_for(1s);
  REQUIRE(seen.values.size() == before + 10);
  CHECK(seen.values.back() == kCount - 1);
  CHECK(hosts.world.fabric().traffic(hosts.a_id(), hosts.b_id()).forgotten == kCount - before - 10);
}

TEST_CASE("a link that delivered what it kept has room for as much again") {
  TwoHosts hosts(1, {.network = {.kept_bytes_max = 40}});
  Seen& seen = hosts.new_seen();
  hosts.b().spawn("server", collect(kNews, seen));
  std::vector<std::uint64_t> kept;
  for (const char* sender : {"first", "second"}) {
    hosts.a().spawn(sender, news_from(500));
    hosts.world.run_for(60ms);
    hosts.links().set_faults(hosts.a_id(), hosts.b_id(), {.drop_ppm = kPpm});
    hosts.world.run_for(1s);
    kept.push_back(hosts.world.snapshot().links[0].kept);
    hosts.links().repair_all({.deliver_late = true});
    hosts.world.run_for(1s);
  }
  CHECK(kept[0] > 5);
  CHECK(kept[1] == kept[0]);
}

TEST_CASE("a datagram's send never waits, and what finds no room at its receiver is dropped") {
  TwoHosts hosts;
  std::vector<std::uint64_t> seen;
  hosts.b().spawn("server", [&seen](Process& self) -> Task<> {
    auto incoming = co_await ok(accept(self.network(), kNews));
    auto end = co_await ok(serve_end(kNews, co_await ok(incoming.recv())));
    co_await ok(sleep(1s));
    while (auto value = co_await end.rx.recv()) seen.push_back(*value);
    co_return {};
  });
  hosts.run([](Process& self) -> Task<> {
    auto end = co_await ok(open(self.network(), kNews, {"b"}));
    co_await ok(sleep(10ms));
    for (std::uint64_t i = 0; i < 5000; ++i) {
      const Result<bool> sent = end.tx.try_send(i);
      CHECK((sent && *sent));
    }
    co_await ok(sleep(2s));
    co_return {};
  });
  REQUIRE(seen.size() == 100);
  CHECK(seen.front() == 0);
  CHECK(seen.back() == 99);
  const LinkTraffic& traffic = hosts.world.fabric().traffic(hosts.a_id(), hosts.b_id());
  CHECK(traffic.overflowed == 4900);
}

TEST_CASE("a snapshot of the network shows each link and what became of its messages") {
  News news({.drop_ppm = kPpm / 5});
  news.hosts.links().set_faults(news.hosts.b_id(), news.hosts.a_id(), {.cut = true});
  news.hosts.links().isolate(news.hosts.a_id());
  const NetworkSnapshot shot = news.hosts.world.snapshot();
  REQUIRE(shot.hosts.size() == 2);
  CHECK(shot.hosts[0].state == "faulty, isolated");
  CHECK(shot.hosts[0].processes == std::vector<std::string>{"a/sender"});
  REQUIRE(shot.links.size() == 2);
  CHECK(shot.links[0].from == "a");
  CHECK_FALSE(shot.links[0].connected);
  CHECK(shot.links[0].traffic.dropped > 100);
  CHECK(shot.links[0].traffic.sent ==
        shot.links[0].traffic.delivered + shot.links[0].traffic.dropped);
  const std::string text = shot.text();
  CHECK(text.contains("at 2.000000000 s"));
  CHECK(text.contains("faulty, isolated"));
  CHECK(text.contains(
      fmt::format("x {}/{}", shot.links[0].traffic.delivered, shot.links[0].traffic.sent)));
  CHECK(text.contains(fmt::format("a -> b: {} dropped", shot.links[0].traffic.dropped)));
  const std::string json = shot.json();
  CHECK(json.starts_with(
      "{\"time_ns\":2000000000,\"unit\":\"messages\",\"hosts\":[{\"name\":\"a\",\"powered\":true"));
  CHECK(json.contains(fmt::format("\"dropped\":{}", shot.links[0].traffic.dropped)));
}
