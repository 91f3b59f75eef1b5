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

}  // namespace
}  // namespace tubing::rpc
