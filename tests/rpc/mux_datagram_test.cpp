// Channels whose values may be lost: a send never waits.
#include <doctest/doctest.h>

#include "tests/rpc/mux_pair.h"

namespace tubing::rpc {
namespace {

ChannelId open_datagrams(MuxEnd& end) {
  return *end.mux.open({.service = "beat", .capacity = 8, .delivery = Delivery::datagram});
}

TEST_CASE("a datagram without credit is dropped and counted and never waits") {
  MuxPair pair;
  pair.b.takes = false;
  pair.b.capacity = 2;
  const ChannelId id = open_datagrams(pair.a);
  pair.settle();
  for (const char* text : {"one", "two", "three", "four"}) {
    CHECK(pair.a.mux.may_send(id));
    CHECK(pair.a.send(id, text));
  }
  pair.settle();
  CHECK(pair.b.messages[1] == std::vector<std::string>{"one", "two"});
  CHECK(pair.a.mux.accepted(id) == 2);
  CHECK(pair.a.mux.stats().at(0).dropped == 2);
  CHECK(pair.a.mux.stats().at(0).stalls == 0);
  pair.b.mux.taken(id, 2, 6);
  pair.settle();
  CHECK(pair.a.said() == "accept 1");
  CHECK(pair.a.send(id, "five"));
  pair.settle();
  CHECK(pair.b.messages[1].back() == "five");
}

TEST_CASE("a datagram without room in the outbox is dropped and what waits there leaves") {
  MuxPair pair;
  pair.b.capacity = 1000;
  const ChannelId id = open_datagrams(pair.a);
  pair.settle();
  const std::string text(10'000, 'x');
  for (int i = 0; i < 10; ++i) CHECK(pair.a.send(id, text));
  pair.settle();
  CHECK(pair.b.messages[1].size() == 6);
  CHECK(pair.a.mux.stats().at(0).dropped == 4);
}

TEST_CASE("a datagram larger than its channel's share is refused with what to do") {
  MuxPair pair;
  const ChannelId id = open_datagrams(pair.a);
  pair.settle();
  auto sent = pair.a.mux.try_send(id, as_bytes(std::string(64 * 1024, 'x')));
  CHECK(sent.code() == Code::invalid_argument);
  CHECK(sent.error().detail() ==
        "a datagram of 65536 bytes exceeds its channel's share of the outbox, 65536; send it in "
        "parts, or over an ordered channel");
  CHECK(pair.a.send(id, std::string(64 * 1024 - 4, 'x')));
  pair.settle();
  CHECK(pair.b.count == 1);
}

TEST_CASE("a datagram channel ends as any other") {
  MuxPair pair;
  const ChannelId id = open_datagrams(pair.a);
  CHECK(pair.a.send(id, "early"));
  pair.a.mux.close(id);
  pair.settle();
  CHECK_FALSE(pair.a.mux.may_send(id));
  CHECK(pair.b.said() == "open 1 beat | close 1");
  pair.b.mux.close(id);
  pair.settle();
  for (MuxEnd* end : {&pair.a, &pair.b}) end->mux.release(id);
  CHECK(pair.a.mux.channels() + pair.b.mux.channels() == 0);
}

}  // namespace
}  // namespace tubing::rpc
