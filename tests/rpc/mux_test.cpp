#include "tubing/rpc/mux.h"

#include <doctest/doctest.h>

#include "tests/rpc/mux_pair.h"

namespace tubing::rpc {
namespace {

using Texts = std::vector<std::string>;

TEST_CASE("a channel over a mux delivers what was sent and then its close") {
  MuxPair pair;
  const ChannelId id = pair.a.open();
  CHECK(number(id) == 1);
  CHECK(number(pair.b.open()) == 2);
  for (const char* text : {"one", "", "three"}) CHECK(pair.a.send(id, text));
  pair.a.mux.close(id);
  pair.settle();
  CHECK(pair.b.messages[1] == Texts{"one", "", "three"});
  CHECK(pair.b.said() == "open 1 chat | close 1 | accept 2");
  CHECK(pair.b.send(id, "reply"));
  pair.b.mux.close(id);
  pair.settle();
  CHECK(pair.a.messages[1] == Texts{"reply"});
  CHECK(pair.a.said() == "open 2 chat | accept 1 | close 1");
}

TEST_CASE("an ended channel is forgotten once the application released it") {
  MuxPair pair;
  const ChannelId id = pair.a.open();
  pair.a.mux.close(id);
  pair.settle();
  pair.b.mux.close(id);
  pair.settle();
  CHECK(pair.a.mux.channels() == 1);
  pair.a.mux.release(id);
  pair.b.mux.release(id);
  CHECK(pair.a.mux.channels() == 0);
  CHECK(pair.b.mux.channels() == 0);
  CHECK_FALSE(pair.a.mux.has_output());
}

TEST_CASE("items beyond the capacity wait until the application takes some") {
  MuxPair pair;
  pair.b.takes = false;
  pair.b.capacity = 4;
  const ChannelId id = pair.a.open();
  pair.settle();
  for (int i = 0; i < 4; ++i) CHECK(pair.a.send(id, "x"));
  CHECK_FALSE(pair.a.send(id, "x"));
  CHECK_FALSE(pair.a.mux.may_send(id));
  pair.settle();
  CHECK_FALSE(pair.a.send(id, "x"));
  CHECK(pair.a.said() == "accept 1");
  pair.b.mux.taken(id, 1, 1);
  pair.settle();
  CHECK(pair.a.said() == "");
  pair.b.mux.taken(id, 1, 1);
  pair.settle();
  CHECK(pair.a.said() == "writable 1");
  CHECK(pair.a.send(id, "x"));
  CHECK(pair.a.send(id, "x"));
  CHECK_FALSE(pair.a.send(id, "x"));
  CHECK(pair.a.mux.taken_by_peer(id) == 2);
}

}  // namespace
}  // namespace tubing::rpc
