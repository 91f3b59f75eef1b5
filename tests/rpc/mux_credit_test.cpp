// Credit, large messages and the order of the flush: who may send how much, and when.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/rpc/mux_seen.h"

namespace tubing::rpc {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;

TEST_CASE("an opener has early credit of items until the accept replaces it") {
  MuxPair pair;
  pair.b.capacity = 0;
  pair.b.takes = false;
  const ChannelId id = pair.a.open();
  int sent = 0;
  while (pair.a.send(id, "x")) ++sent;
  CHECK(sent == 16);
  pair.settle();
  CHECK(pair.b.messages[1].size() == 16);
  pair.b.mux.accept(id, 4);
  pair.settle();
  CHECK(pair.a.said() == "accept 1");
  pair.b.mux.taken(id, 13, 13);
  pair.settle();
  CHECK(pair.a.said() == "writable 1");
  CHECK(pair.a.send(id, "x"));
  CHECK_FALSE(pair.a.send(id, "x"));
  pair.b.mux.taken(id, 3, 3);
  pair.settle();
  for (int i = 0; i < 3; ++i) CHECK(pair.a.send(id, "x"));
  CHECK_FALSE(pair.a.send(id, "x"));
}

TEST_CASE("an accept may lower the credit that its opener had before") {
  MuxPair pair;
  pair.b.capacity = 4;
  pair.b.takes = false;
  const ChannelId id = pair.a.open();
  for (int i = 0; i < 8; ++i) CHECK(pair.a.send(id, "x"));
  pair.settle();
  CHECK(pair.b.messages[1].size() == 8);
  CHECK_FALSE(pair.a.mux.may_send(id));
}

TEST_CASE("an opener has early credit of bytes until the accept replaces it") {
  MuxPair pair;
  pair.b.capacity = 0;
  const ChannelId id = pair.a.open();
  const std::string text(4096, 'x');
  for (int i = 0; i < 4; ++i) CHECK(pair.a.send(id, text));
  CHECK_FALSE(pair.a.send(id, "x"));
  CHECK(pair.a.send(id, ""));
  pair.settle();
  CHECK(pair.b.count == 5);
  pair.b.mux.accept(id, 8);
  pair.settle();
  CHECK(pair.a.said() == "accept 1 | writable 1");
}

TEST_CASE("a slow consumer slows no other channel") {
  MuxPair pair;
  const ChannelId slow = pair.a.open();
  const ChannelId fast = pair.a.open();
  pair.settle();
  const std::string text(30'000, 'x');
  pair.b.takes = false;
  while (pair.a.send(slow, text)) pair.settle();
  pair.b.takes = true;
  pair.b.count = 0;
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(pair.a.send(fast, text));
    pair.settle();
  }
  CHECK(pair.b.count == 1000);
  CHECK_FALSE(pair.a.mux.may_send(slow));
}

TEST_CASE("many slow consumers leave the outbox free for another channel") {
  MuxPair pair;
  pair.b.capacity = 1000;
  pair.b.takes = false;
  const std::string text(20'000, 'x');
  for (int i = 0; i < 40; ++i) {
    const ChannelId slow = pair.a.open();
    pair.settle();
    while (pair.a.send(slow, text)) pair.settle();
  }
  pair.b.takes = true;
  const ChannelId fast = pair.a.open();
  pair.settle();
  for (int i = 0; i < 100; ++i) {
    REQUIRE(pair.a.send(fast, text));
    pair.settle();
  }
}

TEST_CASE("a large message crosses whole and a small one passes it by one frame") {
  MuxPair pair;
  const ChannelId bulk = pair.a.open();
  const ChannelId small = pair.a.open();
  pair.settle();
  std::string text(16 * kMiB, 'x');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 31 + i / 4096);
  CHECK(pair.a.send(bulk, text));
  CHECK_FALSE(pair.a.send(bulk, "behind"));
  int flushes = 0;
  for (; pair.b.messages[1].empty(); ++flushes) {
    REQUIRE(flushes < 200);
    CHECK(pair.a.send(small, "quick"));
    const auto records = flush(pair.a);
    const auto seen = data_frames(records);
    const auto quick = std::find_if(seen.begin(), seen.end(),
                                    [&](const Seen& frame) { return frame.id == number(small); });
    REQUIRE(quick != seen.end());
    CHECK(quick - seen.begin() <= 1);
    for (const Bytes& record : records) CHECK(pair.b.mux.on_record(record));
    move(pair.b, pair.a);
  }
  CHECK(pair.b.messages[1][0] == text);
  CHECK(pair.b.messages[3].size() == static_cast<std::size_t>(flushes));
  CHECK(flushes < 16 * 1024 / 200);
  CHECK(pair.a.said() == "accept 1 | accept 3 | writable 1");
}

TEST_CASE("a large message sends no more than its window before its length is reserved") {
  MuxLimits limits;
  limits.window_bytes_max = 4096;
  MuxPair pair({}, limits);
  pair.b.takes = false;
  const ChannelId id = pair.a.open();
  pair.settle();
  CHECK(pair.a.send(id, std::string(kMiB, 'x')));
  const auto first = flush(pair.a);
  CHECK(bytes_of(data_frames(first), id) == 4096);
  CHECK_FALSE(pair.a.mux.has_output());
  for (const Bytes& record : first) CHECK(pair.b.mux.on_record(record));
  pair.settle();
  CHECK(pair.b.count == 1);
}

TEST_CASE("the rest of a large message is granted before anything is taken") {
  MuxPair pair;
  pair.b.takes = false;
  const ChannelId id = pair.a.open();
  pair.settle();
  CHECK(pair.a.send(id, std::string(5 * kMiB, 'x')));
  pair.settle();
  CHECK(pair.b.messages[1].size() == 1);
  CHECK(pair.b.messages[1][0].size() == 5 * kMiB);
}

TEST_CASE("one session sends one large message at a time") {
  MuxPair pair;
  const ChannelId first = pair.a.open();
  const ChannelId second = pair.a.open();
  pair.settle();
  (void)pair.a.said();
  const std::string text(kMiB, 'x');
  CHECK(pair.a.send(first, text));
  CHECK_FALSE(pair.a.send(second, text));
  CHECK(pair.a.send(second, "small ones pass"));
  pair.settle();
  CHECK(pair.a.said() == "writable 3");
  CHECK(pair.a.send(second, text));
  pair.settle();
  CHECK(pair.b.messages[3].size() == 2);
}

TEST_CASE("a large message waits until everything before it on its channel has left") {
  MuxPair pair;
  const ChannelId id = pair.a.open();
  pair.settle();
  (void)pair.a.said();
  CHECK(pair.a.send(id, "first"));
  const std::string text(kMiB, 'x');
  CHECK_FALSE(pair.a.send(id, text));
  pair.settle();
  CHECK(pair.a.said() == "writable 1");
  CHECK(pair.a.send(id, text));
  pair.settle();
  CHECK(pair.b.messages[1].size() == 2);
}

TEST_CASE("a large message waits for the accept of its channel and delays no other") {
  MuxPair pair;
  pair.b.capacity = 0;
  const ChannelId unanswered = pair.a.open();
  pair.settle();
  const std::string text(200'000, 'x');
  CHECK_FALSE(pair.a.send(unanswered, text));
  pair.b.capacity = 8;
  const ChannelId other = pair.a.open();
  pair.settle();
  CHECK(pair.a.send(other, std::string(kMiB, 'y')));
  pair.settle();
  CHECK(pair.b.count == 1);
  (void)pair.a.said();
  pair.b.mux.accept(unanswered, 1);
  pair.settle();
  CHECK(pair.a.said() == "accept 1 | writable 1");
  CHECK(pair.a.send(unanswered, text));
  pair.settle();
  CHECK(pair.b.messages[1] == std::vector<std::string>{text});
}

TEST_CASE("a large message begun within the early credit is reserved at the accept") {
  MuxLimits limits;
  limits.window_bytes_max = 4096;
  MuxEnd b(Side::listener, limits);
  b.capacity = 0;
  const std::string part(10'000, 'x');
  CHECK(b.mux.on_record(record_of(
      SettingsFrame{.early_items = 16, .early_bytes = 16'384, .message_bytes_max = 1 << 20},
      OpenFrame{.id = channel(1), .items = 1, .bytes = 4096},
      DataBeginFrame{channel(1), 40'000, as_bytes(part)})));
  (void)flush(b);
  CHECK_FALSE(b.mux.has_output());
  b.mux.accept(channel(1), 8);
  const auto records = flush(b);
  REQUIRE(records.size() == 1);
  CHECK(to_hex(records[0]) ==
        to_hex(record_of(AcceptFrame{channel(1), 8, 4096}, CreditFrame{channel(1), 8, 40'000})));
}

TEST_CASE("messages beyond either side's limit are refused to the sender") {
  MuxLimits limits;
  limits.message_bytes_max = 100'000;
  MuxPair pair({}, limits);
  const ChannelId id = pair.a.open();
  pair.settle();
  CHECK(pair.a.send(id, std::string(100'000, 'x')));
  auto over = pair.a.mux.try_send(id, as_bytes(std::string(100'001, 'x')));
  CHECK(over.code() == Code::invalid_argument);
  CHECK(over.error().detail() ==
        "a message of 100001 bytes exceeds the limit of 100000; send it in parts");
  CHECK(pair.b.mux.try_send(id, as_bytes(std::string(100'001, 'x'))).code() ==
        Code::invalid_argument);
  pair.settle();
  CHECK(pair.b.count == 1);
}

TEST_CASE("a large message waits for the peer's settings and is told of them") {
  MuxLimits limits;
  limits.message_bytes_max = 100'000;
  MuxEnd a(Side::dialler);
  MuxEnd b(Side::listener, limits);
  const ChannelId id = a.open();
  const std::string text(100'001, 'x');
  CHECK_FALSE(a.send(id, text));
  move(a, b);
  move(b, a);
  CHECK(a.said() == "accept 1 | writable 1");
  CHECK(a.mux.try_send(id, as_bytes(text)).code() == Code::invalid_argument);
}

TEST_CASE("large messages that exceed the receiver's budget are reserved in their order") {
  MuxLimits limits;
  limits.receive_bytes_max = 8 * kMiB;
  limits.message_bytes_max = 4 * kMiB;
  MuxPair pair({}, limits);
  pair.b.takes = false;
  const ChannelId first = pair.a.open();
  const ChannelId second = pair.a.open();
  const ChannelId third = pair.a.open();
  pair.settle();
  (void)pair.a.said();
  const std::string text(3 * kMiB, 'x');
  CHECK(pair.a.send(first, text));
  pair.settle();
  CHECK(pair.a.send(second, text));
  pair.settle();
  CHECK(pair.b.messages[1].size() == 1);
  CHECK(pair.b.messages[3].size() == 0);
  CHECK(pair.a.send(third, "small messages go on"));
  pair.settle();
  CHECK(pair.b.messages[5].size() == 1);
  pair.b.mux.taken(first, 1, text.size());
  pair.settle();
  CHECK(pair.b.messages[3].size() == 1);
}

/// The channels that a flush of `end` grants credit, in their order; it says nothing else.
std::string granted(MuxEnd& end) {
  std::string ids;
  for (const Bytes& record : flush(end)) {
    FrameReader in(record);
    while (!in.done()) {
      CreditFrame frame;
      REQUIRE(FrameKind{in.byte()} == FrameKind::credit);
      REQUIRE(read_frame(in, frame));
      ids += std::to_string(number(frame.id)) + " ";
    }
  }
  return ids;
}

TEST_CASE("a large message is not overtaken by a smaller one that there is room for") {
  MuxLimits limits;
  limits.receive_bytes_max = 8 * kMiB;  // Half of it is for large messages.
  limits.message_bytes_max = 4 * kMiB;
  MuxEnd end(Side::listener, limits);
  const SettingsFrame settings{
      .early_items = 16, .early_bytes = 16384, .message_bytes_max = kMiB, .channels_max = 8};
  const auto open = [](std::uint64_t id) {
    return OpenFrame{.id = channel(id), .items = 4, .bytes = 4096, .service = "chat"};
  };
  REQUIRE(end.mux.on_record(record_of(settings, open(1), open(3), open(5))));
  (void)flush(end);
  const auto begin = [&](std::uint64_t id, std::size_t bytes) {
    CHECK(end.mux.on_record(record_of(DataBeginFrame{channel(id), bytes, as_bytes("x")})));
    return granted(end);
  };
  CHECK(begin(1, 3 * kMiB) == "1 ");
  CHECK(begin(3, 2 * kMiB) == "");
  CHECK(begin(5, kMiB / 2) == "");
  CHECK(end.mux.on_record(record_of(ResetFrame{channel(1), Code::cancelled, ""})));
  CHECK(granted(end) == "3 5 ");
}

TEST_CASE("a reset or a stop in the middle of a large message frees its place on both sides") {
  for (const bool by_stop : {false, true}) {
    CAPTURE(by_stop);
    MuxPair pair;
    const ChannelId first = pair.a.open();
    const ChannelId second = pair.a.open();
    pair.settle();
    const std::string text(4 * kMiB, 'x');
    CHECK(pair.a.send(first, text));
    move(pair.a, pair.b);
    move(pair.b, pair.a);
    move(pair.a, pair.b);
    by_stop ? pair.b.mux.stop(first) : pair.b.mux.reset(first, Code::cancelled, "");
    pair.settle();
    CHECK(pair.b.messages[1].empty());
    CHECK(pair.a.send(second, text));
    pair.settle();
    CHECK(pair.b.messages[3].size() == 1);
  }
}

TEST_CASE("channels of one class share a flush evenly") {
  MuxPair pair;
  pair.b.capacity = 10'000;
  std::vector<ChannelId> ids;
  for (int i = 0; i < 8; ++i) ids.push_back(pair.a.open());
  pair.settle();
  const std::string tiny(100, 'x');
  const std::string wide(9'000, 'x');
  for (std::size_t i = 0; i < ids.size(); ++i) {
    while (pair.a.send(ids[i], i % 2 == 0 ? tiny : wide)) {
    }
  }
  const auto seen = data_frames(flush(pair.a));
  for (const ChannelId id : ids) {
    CHECK(bytes_of(seen, id) > 15'000);
    CHECK(bytes_of(seen, id) < 50'000);
  }
}

TEST_CASE("writers that wait for room in the outbox are told when some has left") {
  MuxLimits limits;
  limits.outbox_bytes_max = 100'000;
  MuxPair pair(limits);
  pair.b.capacity = 1000;
  std::vector<ChannelId> ids;
  for (int i = 0; i < 3; ++i) ids.push_back(pair.a.open());
  pair.settle();
  (void)pair.a.said();
  const std::string text(10'000, 'x');
  for (const ChannelId id : ids) {
    while (pair.a.send(id, text)) {
    }
  }
  CHECK_FALSE(pair.a.send(ids[2], text));
  move(pair.a, pair.b);
  CHECK(pair.a.said() == "writable 1 | writable 3 | writable 5");
}

}  // namespace
}  // namespace tubing::rpc
