// What faults do to ordered channels in message mode: seen, and gone when healed.
#include "tests/sim/network_world.h"

using namespace tubing;
using namespace tubing::sim;
using namespace tubing::sim::test;
using namespace std::chrono_literals;

namespace {

/// Sends a number every 100 us, `count` of them, then closes and waits until all were taken.
Task<> stream_to_b(Process& self, std::uint64_t count, Sent& sent) {
  auto end = co_await ok(open(self.network(), kNumbers, {"b"}, within(30s)));
  while (sent.count < count) {
    Result<> done = co_await end.tx.send(sent.count);
    if (done) done = co_await sleep(100us);
    if (!done) {
      sent.end.emplace(done.error());
      break;
    }
    ++sent.count;
  }
  end.tx.close();
  const Result<> flushed = co_await end.tx.flush();
  if (!sent.end) sent.end.emplace(flushed ? Error(Code::closed, "send") : flushed.error());
  sent.ended_at = self.scheduler().now();
  co_return {};
}

bool is_prefix(const std::vector<std::uint64_t>& values) {
  for (std::uint64_t i = 0; i < values.size(); ++i)
    if (values[i] != i) return false;
  return true;
}

/// One stream from a to b, and what both ends saw of it.
struct Stream {
  explicit Stream(TwoHosts& of, std::uint64_t count = 1000)
      : hosts(of), seen(of.new_seen()), sent(of.new_sent()) {
    if (hosts.b().processes().empty()) hosts.b().spawn("server", collect(kNumbers, seen));
    hosts.a().spawn(std::string("user") + std::to_string(hosts.a().processes().size()),
                    [count, &to = sent](Process& self) { return stream_to_b(self, count, to); });
  }
  TwoHosts& hosts;
  Seen& seen;
  Sent& sent;
};

void check_all_came(const Stream& stream, std::uint64_t count = 1000) {
  CHECK(stream.seen.values.size() == count);
  CHECK(is_prefix(stream.seen.values));
  REQUIRE(stream.seen.end);
  CHECK(stream.seen.end->code() == Code::closed);
  REQUIRE(stream.sent.end);
  CHECK(stream.sent.end->code() == Code::closed);
}

void check_lost(const Stream& stream) {
  CHECK(stream.seen.values.size() < 1000);
  CHECK(is_prefix(stream.seen.values));
  REQUIRE(stream.seen.end);
  CHECK(stream.seen.end->code() == Code::lost);
  REQUIRE(stream.sent.end);
  CHECK(stream.sent.end->code() == Code::lost);
}

struct Row {
  const char* name;
  FaultKind kind;
  std::uint32_t LinkFaults::* rate;
};

constexpr Row kRows[] = {{"drop", FaultKind::dropped, &LinkFaults::drop_ppm},
                         {"deaf", FaultKind::deaf, &LinkFaults::deaf_ppm},
                         {"corrupt", FaultKind::corrupted, &LinkFaults::corrupt_ppm},
                         {"reset", FaultKind::reset, &LinkFaults::reset_ppm}};

}  // namespace

TEST_CASE("a message that is lost ends its ordered channel at both ends behind a prefix") {
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    TwoHosts hosts;
    LinkFaults faults;
    faults.*row.rate = 10'000;
    Stream stream(hosts);
    hosts.world.at(Time(10ms),
                   [&] { hosts.links().set_faults(hosts.a_id(), hosts.b_id(), faults); });
    hosts.world.run_for(5s);
    check_lost(stream);
    CHECK(hosts.count(row.kind) == 1);
    hosts.links().repair_all();
    Stream healed(hosts);
    hosts.b().processes()[0]->crash();
    hosts.b().spawn("second", collect(kNumbers, healed.seen));
    hosts.world.run_for(5s);
    check_all_came(healed);
    CHECK(hosts.count(row.kind) == 1);
  }
}

TEST_CASE("faults of a card meet every link of its host") {
  for (const bool sender : {true, false}) {
    CAPTURE(sender);
    TwoHosts hosts;
    Stream stream(hosts);
    hosts.world.at(Time(10ms), [&] {
      hosts.links().set_card(
          sender ? hosts.a_id() : hosts.b_id(),
          {.drop_ppm = sender ? kPpm / 100 : 0, .deaf_ppm = sender ? 0 : kPpm / 100});
    });
    hosts.world.run_for(5s);
    check_lost(stream);
    CHECK(hosts.count(sender ? FaultKind::dropped : FaultKind::deaf) == 1);
  }
}

TEST_CASE("duplication and reordering leave an ordered channel alone") {
  TwoHosts hosts;
  hosts.links().set_faults(hosts.a_id(), hosts.b_id(),
                           {.duplicate_ppm = kPpm / 2, .reorder_ppm = kPpm / 2});
  const Stream stream(hosts);
  hosts.world.run_for(5s);
  check_all_came(stream);
}

TEST_CASE("a cut loses what is under way, and both ends notice after their own time") {
  TwoHosts hosts;
  const Stream stream(hosts);
  LinkTraffic at_cut;
  hosts.world.at(Time(30ms), [&] {
    at_cut = hosts.world.fabric().traffic(hosts.a_id(), hosts.b_id());
    hosts.links().cut(hosts.a_id(), hosts.b_id());
  });
  hosts.world.run_for(5s);
  check_lost(stream);
  CHECK(at_cut.in_flight > 0);
  CHECK(hosts.world.fabric().traffic(hosts.a_id(), hosts.b_id()).delivered == at_cut.delivered);
  CHECK(stream.sent.ended_at > Time(40ms));
  CHECK(stream.sent.ended_at < Time(1100ms));
  CHECK(hosts.world.fabric().traffic(hosts.a_id(), hosts.b_id()).cut > 0);
}

TEST_CASE("an idle channel survives a short cut, and a long one ends it at both ends") {
  for (const Duration length : {1ms, 2000ms}) {
    CAPTURE(length);
    TwoHosts hosts;
    hosts.b().spawn("server", echo);
    hosts.world.at(Time(100ms), [&] { hosts.links().cut(hosts.a_id(), hosts.b_id()); });
    hosts.world.at(Time(100ms + length), [&] { hosts.links().repair_all(); });
    std::optional<Code> got;
    hosts.run([&got](Process& self) -> Task<> {
      auto end = co_await ok(open(self.network(), kText, {"b"}));
      co_await ok(end.tx.send("before"));
      co_await ok(end.rx.recv());
      co_await ok(sleep(3s));
      Result<> sent = co_await end.tx.send("after");
      if (sent) sent = co_await end.tx.flush();
      got = sent ? Code::ok : sent.code();
      co_return {};
    });
    CHECK(got == (length == Duration(1ms) ? Code::ok : Code::lost));
  }
}

namespace {

constexpr Service<std::uint64_t, std::uint64_t> kRoomy{"roomy.v1", 256};

/// What a sender knew of its values when its channel, or its process, went.
struct Knowledge {
  explicit Knowledge(std::uint64_t& taken) : taken(taken) {}
  ~Knowledge() { taken = tx.taken_by_peer(); }
  std::uint64_t& taken;
  Sender<std::uint64_t> tx;
};

/// Sends ten numbers when it is `at`, one more a second later, and waits for the end. It never asks
/// meanwhile what was taken, and never needs room.
Task<> send_and_wait(Process& self, Time at, std::uint64_t& taken) {
  auto end = co_await ok(open(self.network(), kRoomy, {"b"}, within(30s)));
  Knowledge knowledge(taken);
  knowledge.tx = end.tx;
  co_await ok(sleep(at - self.scheduler().now()));
  for (std::uint64_t i = 0; i < 10; ++i) co_await ok(end.tx.send(i));
  co_await ok(sleep(1s));
  co_await ok(end.tx.send(10));
  auto nothing = co_await end.rx.recv();
  co_return nothing ? Result<>() : Result<>(nothing.error());
}

/// What a sender learns where `trouble` comes at `at`; each way takes a millisecond.
std::uint64_t taken_when(Time at, const std::function<void(TwoHosts&)>& trouble) {
  TwoHosts hosts(1, {.links = {.latency_min = 1ms, .latency_max = 1ms}});
  std::uint64_t taken = 99;
  hosts.b().spawn("server", collect(kRoomy, hosts.new_seen()));
  hosts.a().spawn("user", [&](Process& self) { return send_and_wait(self, Time(100ms), taken); });
  hosts.world.at(at, [&] { trouble(hosts); });
  hosts.world.run_for(5s);
  return taken;
}

}  // namespace

TEST_CASE("what a simulated sender was told before its channel or its process went counts") {
  const auto drop = [](TwoHosts& hosts) {
    hosts.links().set_faults(hosts.a_id(), hosts.b_id(), {.drop_ppm = kPpm});
  };
  const auto reset = [](TwoHosts& hosts) {
    hosts.links().set_faults(hosts.a_id(), hosts.b_id(), {.reset_ppm = kPpm});
  };
  const auto crash = [](TwoHosts& hosts) { hosts.a().processes()[0]->crash(); };
  const auto crash_peer = [](TwoHosts& hosts) { hosts.b().processes()[0]->crash(); };
  CHECK(taken_when(Time(200ms), drop) == 10);
  CHECK(taken_when(Time(200ms), reset) == 10);
  CHECK(taken_when(Time(200ms), crash) == 10);
  CHECK(taken_when(Time(200ms), crash_peer) == 10);
}

TEST_CASE("the word that values were taken is lost where it is under way when its link is cut") {
  const auto cut = [](TwoHosts& hosts) { hosts.links().cut(hosts.a_id(), hosts.b_id()); };
  CHECK(taken_when(Time(101'500us), cut) == 0);
  CHECK(taken_when(Time(103ms), cut) == 10);
}

TEST_CASE("a cut of one direction is noticed at both ends") {
  TwoHosts hosts;
  const Stream stream(hosts);
  hosts.world.at(Time(30ms),
                 [&] { hosts.links().set_faults(hosts.b_id(), hosts.a_id(), {.cut = true}); });
  hosts.world.run_for(5s);
  check_lost(stream);
}

TEST_CASE("a link that is cut one way carries messages the other way until that is noticed") {
  for (const bool there : {true, false}) {
    CAPTURE(there);
    TwoHosts hosts(1, {.network = {.notice_min = 1s, .notice_max = 1s}});
    Seen& seen = hosts.new_seen();
    hosts.b().spawn("server", collect(kNews, seen));
    hosts.a().spawn("user", [](Process& self) -> Task<> {
      auto end = co_await ok(open(self.network(), kNews, {"b"}));
      co_await ok(sleep(100ms));
      for (std::uint64_t i = 0; i < 10; ++i) co_await ok(end.tx.send(i));
      co_return co_await sleep(Duration::max());
    });
    hosts.world.at(Time(50ms), [&] {
      const std::pair cut =
          there ? std::pair(hosts.a_id(), hosts.b_id()) : std::pair(hosts.b_id(), hosts.a_id());
      hosts.links().set_faults(cut.first, cut.second, {.cut = true});
    });
    hosts.world.run_until(Time(900ms));
    CHECK(seen.values.size() == (there ? 0 : 10));
  }
}

TEST_CASE("what a held link holds comes in order once it is released") {
  TwoHosts hosts;
  const Stream stream(hosts);
  hosts.world.at(Time(20ms),
                 [&] { hosts.links().set_faults(hosts.a_id(), hosts.b_id(), {.held = true}); });
  hosts.world.run_until(Time(21ms));
  const std::size_t before = stream.seen.values.size();
  hosts.world.run_until(Time(20s));
  CHECK(before > 0);
  CHECK(stream.seen.values.size() == before);
  CHECK_FALSE(stream.seen.end);
  CHECK(hosts.world.fabric().traffic(hosts.a_id(), hosts.b_id()).in_flight > 0);
  hosts.links().repair_all();
  hosts.world.run_for(5s);
  check_all_came(stream);
  CHECK(hosts.count(FaultKind::held) == 1);
}

TEST_CASE("a held link holds back the words that give credit") {
  TwoHosts hosts;
  const Stream stream(hosts);
  hosts.world.at(Time(20ms),
                 [&] { hosts.links().set_faults(hosts.b_id(), hosts.a_id(), {.held = true}); });
  hosts.world.run_until(Time(10s));
  CHECK(stream.sent.count < 1000);
  CHECK(stream.seen.values.size() >= stream.sent.count);
  hosts.links().repair_all();
  hosts.world.run_for(5s);
  check_all_came(stream);
}

TEST_CASE("a dial whose word or answer a fault takes is not answered until its link is healed") {
  for (const Row& row : kRows) {
    for (const bool there : {true, false}) {
      CAPTURE(row.name);
      CAPTURE(there);
      TwoHosts hosts;
      hosts.b().spawn("server", echo);
      LinkFaults faults;
      faults.*row.rate = kPpm;
      hosts.links().set_faults(there ? hosts.a_id() : hosts.b_id(),
                               there ? hosts.b_id() : hosts.a_id(), faults);
      hosts.run([](Process& self) -> Task<> {
        const auto silent = co_await open(self.network(), kText, {"b"});
        CHECK(silent.code() == Code::unavailable);
        if (!silent) CHECK(silent.error().detail() == "b does not answer");
        self.world().links().repair_all();
        auto end = co_await ok(open(self.network(), kText, {"b"}, within(20s)));
        co_await ok(end.tx.send("hello"));
        co_await ok(end.rx.recv());
        co_return {};
      });
      CHECK(hosts.count(FaultKind::dial_unanswered) == (there ? 1 : 0));
      CHECK(hosts.count(FaultKind::half_open) == (there ? 0 : 1));
    }
  }
}

TEST_CASE("a host's word that nobody listens is lost as any other") {
  for (const Row& row : kRows) {
    CAPTURE(row.name);
    TwoHosts hosts;
    LinkFaults faults;
    faults.*row.rate = kPpm;
    hosts.links().set_faults(hosts.b_id(), hosts.a_id(), faults);
    hosts.run([](Process& self) -> Task<> {
      const auto silent = co_await open(self.network(), kText, {"b"});
      CHECK(silent.code() == Code::unavailable);
      if (!silent) CHECK(silent.error().detail() == "b does not answer");
      co_return {};
    });
    CHECK(hosts.count(FaultKind::dial_unanswered) == 1);
    CHECK(hosts.count(FaultKind::dial_refused) == 0);
  }
}

TEST_CASE("an isolated host does not answer until it is isolated no more") {
  TwoHosts hosts;
  hosts.b().spawn("server", echo);
  hosts.links().isolate(hosts.b_id());
  hosts.world.at(Time(5s), [&] { hosts.links().unisolate(hosts.b_id()); });
  hosts.run([](Process& self) -> Task<> {
    const auto silent = co_await open(self.network(), kText, {"b"});
    CHECK(silent.code() == Code::unavailable);
    CHECK(silent.error().detail() == "b does not answer");
    auto end = co_await ok(open(self.network(), kText, {"b"}, within(20s)));
    CHECK(self.scheduler().now() >= Time(5s));
    co_await ok(end.tx.send("hello"));
    co_await ok(end.rx.recv());
    co_return {};
  });
  CHECK(hosts.count(FaultKind::dial_unanswered) > 0);
}

TEST_CASE("a process that crashed is lost to its peers at once, and reachable once it runs again") {
  TwoHosts hosts;
  Seen& seen = hosts.new_seen();
  Process& server = hosts.b().spawn("server", collect(kNumbers, seen));
  Sent& sent = hosts.new_sent();
  hosts.a().spawn("user", [&sent](Process& self) { return stream_to_b(self, 1000, sent); });
  hosts.world.at(Time(30ms), [&] { server.crash(); });
  hosts.world.run_for(1s);
  REQUIRE(sent.end);
  CHECK(sent.end->code() == Code::lost);
  CHECK(sent.ended_at >= Time(30ms));
  CHECK(sent.ended_at < Time(31ms));
  REQUIRE(seen.end);
  CHECK(seen.end->code() == Code::cancelled);
  CHECK(is_prefix(seen.values));
  server.start();
  seen = {};
  Stream again(hosts);
  hosts.world.run_for(5s);
  CHECK(seen.values.size() == 1000);
}

TEST_CASE("who waits over a session hears that it is lost once its dialler has given it up") {
  // The dialler's patience ends before it hears that the session is up.
  TwoHosts hosts(1, {.links = {.latency_min = 60ms, .latency_max = 60ms},
                     .network = {.dial_min = 100ms, .dial_max = 100ms}});
  Sent& waited = hosts.new_sent();
  hosts.b().spawn("listener", [&waited](Process& self) -> Task<> {
    co_return co_await nursery([&self, &waited](Nursery& n) -> Task<> {
      co_await ok(serve(n, self.network(), kText, [](auto&) -> Task<> { co_return {}; }));
      co_await ok(sleep(70ms));
      auto opened = co_await ok(open(self.network(), kNumbers, {"a"}));
      const auto nothing = co_await opened.rx.recv();
      if (!nothing) waited.end.emplace(nothing.error());
      waited.ended_at = self.scheduler().now();
      n.cancel();
      co_return {};
    });
  });
  hosts.run([](Process& self) -> Task<> {
    const auto opened = co_await open(self.network(), kText, {"b"}, within(90ms));
    CHECK_FALSE(opened);
    co_return co_await sleep(10s);
  });
  REQUIRE(waited.end);
  CHECK(waited.end->code() == Code::lost);
  CHECK(waited.ended_at > Time(100ms));
  CHECK(waited.ended_at < Time(2s));
}

TEST_CASE("an idle peer hears at once of a process that crashed") {
  TwoHosts hosts;
  Process& server = hosts.b().spawn("server", echo);
  hosts.world.at(Time(1s), [&] { server.crash(); });
  hosts.run([](Process& self) -> Task<> {
    auto end = co_await ok(open(self.network(), kText, {"b"}));
    const auto lost = co_await end.rx.recv();
    CHECK(lost.code() == Code::lost);
    CHECK(self.scheduler().now() >= Time(1s));
    CHECK(self.scheduler().now() < Time(1001ms));
    co_return {};
  });
}

TEST_CASE("nothing of a process reaches the network behind its crash") {
  TwoHosts hosts;
  Seen& seen = hosts.new_seen();
  hosts.b().spawn("server", collect(kNumbers, seen));
  Process& user = hosts.a().spawn("user", [](Process& self) -> Task<> {
    auto end = co_await ok(open(self.network(), kNumbers, {"b"}));
    co_await ok(end.tx.send(0));
    (void)co_await sleep(1h);
    (void)end.tx.try_send(1);
    end.tx.close();
    co_return {};
  });
  hosts.world.run_for(1s);
  user.crash();
  hosts.world.run_for(5s);
  CHECK(hosts.world.problems().empty());
  CHECK(seen.values.size() == 1);
  REQUIRE(seen.end);
  CHECK(seen.end->code() == Code::lost);
}

TEST_CASE(
    "a host that lost its power is noticed late, and refuses once it is back without a server") {
  TwoHosts hosts;
  Seen& seen = hosts.new_seen();
  hosts.b().spawn("server", collect(kNumbers, seen));
  Sent& sent = hosts.new_sent();
  hosts.a().spawn("user", [&sent](Process& self) { return stream_to_b(self, 1000, sent); });
  hosts.world.at(Time(30ms), [&] { hosts.b().power_off(); });
  hosts.world.run_for(5s);
  REQUIRE(sent.end);
  CHECK(sent.end->code() == Code::lost);
  CHECK(sent.ended_at > Time(40ms));
  hosts.run([](Process& self) -> Task<> {
    const auto dark = co_await open(self.network(), kNumbers, {"b"});
    CHECK(dark.code() == Code::unavailable);
    co_return {};
  });
  CHECK(hosts.count(FaultKind::dial_unanswered) > 0);
}

TEST_CASE("messages take the latency of their link, its tail, and their time on the line") {
  TwoHosts hosts(1, {.links = {.latency_min = 10ms, .latency_max = 10ms}});
  hosts.b().spawn("server", echo);
  hosts.run([](Process& self) -> Task<> {
    auto end = co_await ok(open(self.network(), kText, {"b"}));
    CHECK(self.scheduler().now() >= Time(20ms));
    CHECK(self.scheduler().now() < Time(21ms));
    co_await ok(end.tx.send("there and back"));
    co_await ok(end.rx.recv());
    CHECK(self.scheduler().now() >= Time(40ms));
    CHECK(self.scheduler().now() < Time(41ms));
    self.world().links().set_conditions({.latency_min = 10ms,
                                         .latency_max = 10ms,
                                         .tail_ppm = kPpm,
                                         .latency_tail_max = 1s,
                                         .bytes_per_second = 10'000});
    co_await ok(end.tx.send(std::string(9'950, 'x')));
    co_await ok(end.rx.recv());
    CHECK(self.scheduler().now() >= Time(2'060ms));
    CHECK(self.scheduler().now() < Time(4'100ms));
    co_return {};
  });
}

TEST_CASE("one byte of a message, one nanosecond of a link, or another seed changes the hash") {
  const auto hash_of = [](const std::string& text, Duration latency, std::uint64_t seed) {
    TwoHosts hosts(seed, {.links = {.latency_min = latency, .latency_max = latency}});
    hosts.b().spawn("server", echo);
    hosts.run([text](Process& self) -> Task<> {
      auto end = co_await ok(open(self.network(), kText, {"b"}));
      co_await ok(end.tx.send(text));
      co_await ok(end.rx.recv());
      co_return {};
    });
    return hosts.world.hash();
  };
  const std::string hash = hash_of("hello", 1ms, 1);
  CHECK(hash == hash_of("hello", 1ms, 1));
  CHECK(hash != hash_of("hellp", 1ms, 1));
  CHECK(hash != hash_of("hello", 1ms + 1ns, 1));
  CHECK(hash != hash_of("hello", 1ms, 2));
}
