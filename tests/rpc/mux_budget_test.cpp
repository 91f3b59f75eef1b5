// Memory that several sessions of one process promise to their peers, and windows that grow in it.
#include <doctest/doctest.h>

#include <optional>

#include "tests/rpc/mux_pair.h"

namespace tubing::rpc {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;

/// A session in a process with others; its own side receives, and takes nothing on its own.
struct Tenant {
  explicit Tenant(ProcessBudget& process, MuxLimits limits = {})
      : a(Side::dialler), b(Side::listener, limits, &process) {
    b.takes = false;
    settle();
  }
  void settle() {
    while (move(a, b) + move(b, a) > 0) {
    }
  }
  ChannelId open() {
    const ChannelId id = a.open();
    settle();
    return id;
  }
  std::size_t came(ChannelId id) { return b.messages[number(id)].size(); }

  MuxEnd a;
  MuxEnd b;
};

TEST_CASE("a large message waits for the process's budget and is served when another frees it") {
  ProcessBudget process(32 * kMiB);
  Tenant first(process);
  Tenant second(process);
  const ChannelId one = first.open();
  const ChannelId two = second.open();
  const std::string text(12 * kMiB, 'x');
  CHECK(first.a.send(one, text));
  first.settle();
  CHECK(first.came(one) == 1);
  CHECK(second.a.send(two, text));
  second.settle();
  CHECK(second.came(two) == 0);
  (void)second.b.said();
  CHECK_FALSE(second.b.mux.has_output());
  first.b.mux.taken(one, 1, text.size());
  CHECK(second.b.said() == "output");
  CHECK(second.b.mux.has_output());
  second.settle();
  CHECK(second.came(two) == 1);
  CHECK(process.used() < 16 * kMiB);
}

TEST_CASE("sessions that wait for the process's budget are served in their order") {
  ProcessBudget process(32 * kMiB);
  Tenant holder(process);
  Tenant wide(process);
  Tenant narrow(process);
  const ChannelId held = holder.open();
  const ChannelId first = wide.open();
  const ChannelId second = narrow.open();
  CHECK(holder.a.send(held, std::string(10 * kMiB, 'x')));
  holder.settle();
  CHECK(wide.a.send(first, std::string(12 * kMiB, 'x')));
  wide.settle();
  CHECK(narrow.a.send(second, std::string(2 * kMiB, 'x')));
  narrow.settle();
  CHECK(wide.came(first) + narrow.came(second) == 0);
  holder.b.mux.taken(held, 1, 10 * kMiB);
  wide.settle();
  narrow.settle();
  CHECK(wide.came(first) + narrow.came(second) == 2);
}

TEST_CASE("a session that ends gives back what the process waits for") {
  ProcessBudget process(32 * kMiB);
  std::optional<Tenant> first(process);
  std::optional<Tenant> waiting(process);
  Tenant second(process);
  const std::string text(12 * kMiB, 'x');
  const ChannelId one = first->open();
  const ChannelId gone = waiting->open();
  const ChannelId two = second.open();
  CHECK(first->a.send(one, text));
  first->settle();
  CHECK(waiting->a.send(gone, text));
  waiting->settle();
  CHECK(second.a.send(two, text));
  second.settle();
  waiting.reset();
  first.reset();
  second.settle();
  CHECK(second.came(two) == 1);
}

TEST_CASE("windows shrink as the process's budget fills") {
  ProcessBudget process(32 * kMiB);
  MuxLimits limits;
  limits.channels_max = 10'000;
  Tenant many(process, limits);
  Tenant other(process, limits);
  const auto last_window = [](Tenant& tenant) { return tenant.b.mux.stats().back().window_bytes; };
  (void)many.open();
  const std::uint64_t first = last_window(many);
  for (int i = 0; i < 300; ++i) (void)many.open();
  (void)other.open();
  CHECK(first > 250 * 1024);
  CHECK(last_window(other) < 16 * 1024);
  CHECK(last_window(other) >= 2048);
}

std::uint64_t window_of(const MuxEnd& end, ChannelId id) {
  for (const ChannelStats& channel : end.mux.stats()) {
    if (channel.id == number(id)) return channel.window_bytes;
  }
  return 0;
}

/// Sends as much as goes, so that the sender lacks credit of bytes.
void send_until_blocked(MuxPair& pair, ChannelId id) {
  const std::string text(30'000, 'x');
  const std::uint64_t held = pair.b.mux.stats().at(0).waiting_bytes;
  for (int i = 0; i < 1000; ++i) {
    while (pair.a.send(id, text)) move(pair.a, pair.b);
    if (pair.a.mux.has_output() || held > 0) return;
  }
}

TEST_CASE("a window that was all used and taken grows to its maximum") {
  MuxPair pair;
  pair.b.capacity = 1000;
  pair.b.keeps = false;
  const ChannelId id = pair.a.open();
  pair.settle();
  std::uint64_t before = window_of(pair.b, id);
  CHECK(before > 250 * 1024);
  for (int i = 0; i < 8; ++i) {
    send_until_blocked(pair, id);
    pair.settle();
    const std::uint64_t window = window_of(pair.b, id);
    CHECK(window == std::min<std::uint64_t>(2 * before, 4 * kMiB));
    before = window;
  }
  CHECK(before == 4 * kMiB);
}

TEST_CASE("a window does not grow where the application is what is slow") {
  MuxPair pair;
  pair.b.capacity = 1000;
  pair.b.takes = false;
  const ChannelId id = pair.a.open();
  pair.settle();
  const std::uint64_t window = window_of(pair.b, id);
  send_until_blocked(pair, id);
  pair.settle();
  CHECK(pair.b.mux.stats().at(0).waiting_bytes > window / 2);
  CHECK(window_of(pair.b, id) == window);
}

TEST_CASE("windows stop growing while the budget has room and shrink where it is tight") {
  MuxLimits limits;
  limits.receive_bytes_max = 4 * kMiB;
  limits.message_bytes_max = kMiB;
  MuxPair pair({}, limits);
  pair.b.capacity = 1000;
  pair.b.keeps = false;
  const ChannelId id = pair.a.open();
  pair.settle();
  const std::uint64_t first = window_of(pair.b, id);
  for (int i = 0; i < 20; ++i) {
    send_until_blocked(pair, id);
    pair.settle();
  }
  const std::uint64_t grown = window_of(pair.b, id);
  CHECK(grown > 8 * first);
  CHECK(grown < 2 * kMiB);
  for (int i = 0; i < 300; ++i) (void)pair.a.open();
  pair.settle();
  for (int i = 0; i < 20; ++i) {
    CHECK(pair.a.send(id, "x"));
    pair.settle();
  }
  CHECK(window_of(pair.b, id) == first);
}

TEST_CASE("large messages in a row need no reservation once their window has grown") {
  MuxPair pair;
  const ChannelId id = pair.a.open();
  pair.settle();
  const std::string text(kMiB, 'x');
  for (int i = 0; i < 8; ++i) {
    CHECK(pair.a.send(id, text));
    pair.settle();
  }
  CHECK(window_of(pair.b, id) >= kMiB);
  CHECK(pair.a.send(id, text));
  for (int flushes = 0; pair.a.mux.has_output(); ++flushes) {
    REQUIRE(flushes < 10);
    move(pair.a, pair.b);
  }
  CHECK(pair.b.messages[1].size() == 9);
}

TEST_CASE("stats tell what each channel holds and has done") {
  MuxPair pair;
  pair.b.takes = false;
  const ChannelId id = pair.a.open(4, ChannelClass::bulk);
  (void)pair.b.open();
  pair.settle();
  for (int i = 0; i < 3; ++i) CHECK(pair.a.send(id, "12345"));
  const auto sending = pair.a.mux.stats();
  REQUIRE(sending.size() == 2);
  const ChannelStats& from = sending[0];
  CHECK(from.id == 1);
  CHECK(from.service == "chat");
  CHECK(from.ours);
  CHECK(from.channel_class == ChannelClass::bulk);
  CHECK(from.sent_messages == 3);
  CHECK(from.sent_bytes == 15);
  CHECK(from.outbox_bytes == 15 + 3 * 4);
  CHECK(from.credit_items == 5);
  CHECK_FALSE(sending[1].ours);
  pair.settle();
  pair.b.mux.taken(id, 1, 5);
  const ChannelStats to = pair.b.mux.stats().at(0);
  CHECK(to.received_messages == 3);
  CHECK(to.received_bytes == 15);
  CHECK(to.waiting_messages == 2);
  CHECK(to.waiting_bytes == 10);
  for (int i = 0; i < 5; ++i) CHECK(pair.a.send(id, "x"));
  CHECK_FALSE(pair.a.send(id, "x"));
  CHECK_FALSE(pair.a.mux.may_send(id));
  CHECK(pair.a.mux.stats().at(0).stalls == 1);
}

}  // namespace
}  // namespace tubing::rpc
