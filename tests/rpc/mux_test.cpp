#include "tubing/rpc/mux.h"

#include <doctest/doctest.h>

#include "tests/allocation_count.h"
#include "tests/rpc/mux_pair.h"
#include "tubing/rpc/detail/mux_channel.h"

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

TEST_CASE("each direction of a channel closes on its own") {
  MuxPair pair;
  const ChannelId id = pair.a.open();
  pair.settle();
  pair.b.mux.close(id);
  pair.settle();
  (void)pair.b.said();
  CHECK(pair.a.said() == "accept 1 | close 1");
  CHECK(pair.a.send(id, "still open this way"));
  CHECK(pair.b.mux.try_send(id, {}).code() == Code::closed);
  pair.settle();
  CHECK(pair.b.messages[1].size() == 1);
  pair.a.mux.close(id);
  pair.settle();
  CHECK(pair.b.said() == "close 1");
  CHECK(pair.a.said() == "");
}

TEST_CASE("a stop drops what was not sent and ends the other side's sending alone") {
  MuxPair pair;
  pair.b.takes = false;
  const ChannelId id = pair.a.open();
  pair.settle();
  CHECK(pair.a.send(id, "before"));
  pair.settle();
  CHECK(pair.a.send(id, "crosses"));
  pair.b.mux.stop(id);
  const auto crossing = flush(pair.a);
  CHECK(pair.a.send(id, "never leaves"));
  move(pair.b, pair.a);
  for (const Bytes& record : crossing) CHECK(pair.b.mux.on_record(record));
  (void)pair.b.said();
  pair.settle();
  CHECK(pair.b.messages[1] == Texts{"before"});
  CHECK(pair.a.said() == "accept 1 | stop 1");
  CHECK(pair.b.said() == "");
  CHECK(pair.a.mux.try_send(id, {}).code() == Code::stopped);
  CHECK(pair.b.send(id, "the other way goes on"));
  pair.settle();
  CHECK(pair.a.messages[1].size() == 1);
}

TEST_CASE("an opener may stop a channel that is not accepted yet") {
  MuxPair pair;
  pair.b.capacity = 0;
  const ChannelId id = pair.a.open();
  pair.a.mux.stop(id);
  pair.settle();
  CHECK(pair.b.said() == "open 1 chat | stop 1");
  pair.b.mux.accept(id, 4);
  CHECK(pair.b.mux.try_send(id, {}).code() == Code::stopped);
  pair.a.mux.close(id);
  pair.settle();
  pair.a.mux.release(id);
  pair.b.mux.release(id);
  CHECK(pair.a.mux.channels() + pair.b.mux.channels() == 0);
}

TEST_CASE("releasing a channel with unfinished sending resets it and with finished stops it") {
  MuxPair pair;
  const ChannelId first = pair.a.open();
  const ChannelId second = pair.a.open();
  pair.settle();
  (void)pair.b.said();
  pair.a.mux.release(first);
  pair.a.mux.close(second);
  pair.a.mux.release(second);
  pair.settle();
  CHECK(pair.b.said() == "reset 1 cancelled | stop 3 | close 3");
  CHECK(pair.a.mux.channels() == 0);
  pair.b.mux.release(first);
  pair.b.mux.release(second);
  CHECK(pair.b.mux.channels() == 0);
}

TEST_CASE("a close does not overtake the messages before it") {
  MuxPair pair;
  pair.b.capacity = 1000;
  const ChannelId id = pair.a.open();
  const ChannelId other = pair.a.open();
  pair.settle();
  const std::string text(1000, 'x');
  int sent = 0;
  while (pair.a.send(id, text)) ++sent;
  while (pair.a.send(other, text)) {
  }
  pair.a.mux.close(id);
  std::size_t seen_at_close = 0;
  pair.a.mux.begin_flush();
  Bytes record(kRecordBytesMin);
  while (const std::size_t size = pair.a.mux.fill_record(record)) {
    CHECK(pair.b.mux.on_record(ByteView(record).first(size)));
    if (pair.b.said().find("close 1") != std::string::npos) {
      seen_at_close = pair.b.messages[1].size();
    }
  }
  CHECK(sent == 65);
  CHECK(seen_at_close == 65);
}

TEST_CASE("an open leaves ahead of the messages accepted before it") {
  MuxPair pair;
  const ChannelId carrier = pair.a.open();
  pair.settle();
  (void)pair.b.said();
  CHECK(pair.a.send(carrier, "holds an end of channel 3"));
  CHECK(number(pair.a.open()) == 3);
  const auto records = flush(pair.a);
  REQUIRE(records.size() == 1);
  CHECK(std::to_integer<int>(records[0][0]) == static_cast<int>(FrameKind::open));
}

TEST_CASE("small messages share a record") {
  MuxPair pair;
  pair.b.capacity = 100;
  const ChannelId id = pair.a.open();
  pair.settle();
  for (int i = 0; i < 100; ++i) CHECK(pair.a.send(id, "0123456789"));
  const auto records = flush(pair.a);
  REQUIRE(records.size() == 1);
  CHECK(records[0].size() == 100 * 13);
}

TEST_CASE("one flush makes no more than its bytes") {
  MuxLimits limits;
  limits.flush_bytes_max = 40'000;
  MuxPair pair(limits);
  pair.b.capacity = 100;
  const ChannelId id = pair.a.open();
  pair.settle();
  const std::string text(10'000, 'x');
  for (int i = 0; i < 6; ++i) CHECK(pair.a.send(id, text));
  std::size_t bytes = 0;
  for (const Bytes& record : flush(pair.a)) bytes += record.size();
  CHECK(bytes <= 40'000);
  CHECK(bytes > 30'000);
  CHECK(pair.a.mux.has_output());
}

TEST_CASE("records of the least size carry control frames and messages of every size") {
  MuxPair pair;
  pair.b.capacity = 100;
  const std::string name(kNameBytesMax, 'n');
  for (int i = 0; i < 20; ++i) {
    CHECK(pair.a.mux.open({.service = name, .out_type = name, .in_type = name}));
  }
  const std::string text(5000, 'x');
  for (std::uint64_t id = 1; id < 41; id += 2) CHECK(pair.a.send(channel(id), text));
  pair.settle(kRecordBytesMin);
  for (std::uint64_t id = 1; id < 41; id += 2) CHECK(pair.b.messages[id] == Texts{text});
}

TEST_CASE("names and capacities out of range are refused at the open") {
  MuxPair pair;
  const std::string name(kNameBytesMax + 1, 'n');
  CHECK(pair.a.mux.open({.service = name}).code() == Code::invalid_argument);
  CHECK(pair.a.mux.open({.service = "chat", .capacity = 0}).code() == Code::invalid_argument);
}

TEST_CASE("a message that is rolled back leaves no trace") {
  MuxPair pair;
  const ChannelId id = pair.a.open();
  CHECK(pair.a.send(id, "one"));
  pair.a.mux.begin_message(id).append(as_bytes("never"));
  pair.a.mux.rollback(id);
  pair.a.mux.begin_message(id).append(as_bytes("two"));
  CHECK(*pair.a.mux.commit(id));
  pair.settle();
  CHECK(pair.b.messages[1] == Texts{"one", "two"});
}

TEST_CASE("an idle channel takes less than 300 bytes in a mux") {
  CHECK(sizeof(detail::MuxChannel) < 300);
}

TEST_CASE("a quiet session that is pinged gives its spare memory back") {
  MuxPair pair;
  const ChannelId id = pair.a.open();
  pair.settle();
  const auto allocated_by_a_message = [&] {
    const std::size_t before = test::allocations();
    const bool sent = *pair.a.mux.try_send(id, as_bytes("x"));
    const std::size_t after = test::allocations();
    CHECK(sent);
    pair.settle();
    return after - before;
  };
  (void)allocated_by_a_message();
  CHECK(allocated_by_a_message() == 0);
  (void)pair.a.mux.ping();
  pair.settle();
  CHECK(allocated_by_a_message() > 0);
}

TEST_CASE("a small message over a mux allocates nothing in the steady state") {
  MuxPair pair;
  pair.b.capacity = 64;
  pair.b.keeps = false;
  const ChannelId id = pair.a.open();
  pair.settle();
  const std::string text(64, 'x');
  Bytes record(kPlainBytesMax);
  const auto turn = [&](MuxEnd& from, MuxEnd& to) {
    from.mux.begin_flush();
    while (const std::size_t size = from.mux.fill_record(record)) {
      if (!to.mux.on_record(ByteView(record).first(size))) return false;
    }
    return true;
  };
  bool in_order = true;
  const auto round = [&] {
    for (int i = 0; i < 32; ++i) in_order = *pair.a.mux.try_send(id, as_bytes(text)) && in_order;
    in_order = turn(pair.a, pair.b) && turn(pair.b, pair.a) && in_order;
  };
  for (int i = 0; i < 4; ++i) round();
  const std::size_t before = test::allocations();
  for (int i = 0; i < 100; ++i) round();
  const std::size_t after = test::allocations();
  CHECK(after - before == 0);
  CHECK(in_order);
  CHECK(pair.b.count == 104 * 32);
}

}  // namespace
}  // namespace tubing::rpc
