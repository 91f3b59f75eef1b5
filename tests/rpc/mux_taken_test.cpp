// What a sender learns of what the other side's code has taken; `flush` stands on it.
#include <doctest/doctest.h>

#include "tests/rpc/mux_pair.h"

namespace tubing::rpc {
namespace {

/// A pair in which `b` takes nothing on its own, and channel 1, which `a` opened.
struct TakenPair : MuxPair {
  explicit TakenPair(std::uint32_t capacity = 8) {
    b.takes = false;
    b.capacity = capacity;
    id = a.open();
    settle();
  }
  std::uint64_t told() { return a.taken_by_peer[number(id)]; }

  ChannelId id{};
};

TEST_CASE("when everything was taken the sender learns it with the next flush") {
  TakenPair pair(1000);
  for (int i = 0; i < 3; ++i) CHECK(pair.a.send(pair.id, "x"));
  CHECK(pair.a.mux.accepted(pair.id) == 3);
  pair.settle();
  CHECK(pair.told() == 0);
  pair.b.mux.taken(pair.id, 2, 2);
  pair.settle();
  CHECK(pair.told() == 0);
  pair.b.mux.taken(pair.id, 1, 1);
  CHECK(pair.b.mux.has_output());
  move(pair.b, pair.a);
  CHECK(pair.told() == 3);
  CHECK(pair.a.mux.taken_by_peer(pair.id) == 3);
}

TEST_CASE("what was sent before an accept that replaces it is counted as it is taken") {
  MuxPair pair;
  pair.b.takes = false;
  pair.b.capacity = 0;
  const ChannelId id = pair.a.open();
  for (int i = 0; i < 16; ++i) CHECK(pair.a.send(id, "x"));
  pair.settle();
  pair.b.mux.taken(id, 5, 5);
  pair.b.mux.accept(id, 4);
  pair.settle();
  for (std::uint64_t taken = 5; taken < 16; ++taken) {
    pair.b.mux.taken(id, 1, 1);
    pair.settle();
    CHECK(pair.a.taken_by_peer[1] <= taken + 1);
  }
  CHECK(pair.a.taken_by_peer[1] == 16);
  CHECK(pair.a.mux.accepted(id) == 16);
}

TEST_CASE("a sender that has closed still learns that everything was taken") {
  TakenPair pair;
  CHECK(pair.a.send(pair.id, "last"));
  pair.a.mux.close(pair.id);
  pair.settle();
  CHECK(pair.b.said() == "open 1 chat | close 1");
  pair.b.mux.taken(pair.id, 1, 4);
  pair.settle();
  CHECK(pair.told() == 1);
}

TEST_CASE("a sender learns what was taken after both sides have closed and one let go") {
  TakenPair pair;
  CHECK(pair.a.send(pair.id, "last"));
  pair.a.mux.close(pair.id);
  pair.b.mux.close(pair.id);
  pair.settle();
  pair.b.mux.taken(pair.id, 1, 4);
  pair.b.mux.release(pair.id);
  CHECK(pair.b.mux.channels() == 1);
  pair.settle();
  CHECK(pair.b.mux.channels() == 0);
  CHECK(pair.told() == 1);
  CHECK(pair.a.mux.accepted(pair.id) == 1);
  CHECK(pair.a.said() == "accept 1 | close 1");
}

TEST_CASE("a receiver that lets go of messages that it did not take says stop behind the close") {
  for (const bool by_stop : {false, true}) {
    CAPTURE(by_stop);
    TakenPair pair;
    CHECK(pair.a.send(pair.id, "never taken"));
    pair.a.mux.close(pair.id);
    pair.b.mux.close(pair.id);
    pair.settle();
    by_stop ? pair.b.mux.stop(pair.id) : pair.b.mux.release(pair.id);
    pair.settle();
    CHECK(pair.a.said() == "accept 1 | close 1 | stop 1");
    CHECK(pair.told() == 0);
    for (MuxEnd* end : {&pair.a, &pair.b}) end->mux.release(pair.id);
    CHECK(pair.a.mux.channels() + pair.b.mux.channels() == 0);
  }
}

TEST_CASE("a stop that crosses the close of its channel is told all the same") {
  TakenPair pair;
  CHECK(pair.a.send(pair.id, "one"));
  pair.settle();
  pair.a.mux.close(pair.id);
  pair.b.mux.stop(pair.id);
  move(pair.a, pair.b);
  pair.settle();
  CHECK(pair.a.said() == "accept 1 | stop 1");
}

TEST_CASE("a reset tells first what was taken before it") {
  TakenPair pair;
  CHECK(pair.a.send(pair.id, "one"));
  CHECK(pair.a.send(pair.id, "two"));
  pair.settle();
  pair.b.mux.taken(pair.id, 2, 6);
  pair.b.mux.reset(pair.id, Code::aborted, "");
  pair.settle();
  CHECK(pair.told() == 2);
  CHECK(pair.a.said() == "accept 1 | reset 1 aborted");
}

TEST_CASE("a channel that was released tells nothing of what it sent") {
  TakenPair pair;
  CHECK(pair.a.send(pair.id, "one"));
  pair.settle();
  pair.a.mux.release(pair.id);
  CHECK(pair.a.mux.accepted(pair.id) == 0);
}

}  // namespace
}  // namespace tubing::rpc
