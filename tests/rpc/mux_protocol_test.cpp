// What a peer must not do, what may cross on the wire, and how a session ends.
#include <doctest/doctest.h>

#include "tests/rpc/mux_pair.h"

namespace tubing::rpc {
namespace {

SettingsFrame good_settings() {
  return {.early_items = 16, .early_bytes = 16384, .message_bytes_max = 1 << 20, .channels_max = 4};
}

MuxLimits small_limits() {
  MuxLimits limits;
  limits.channels_max = 2;
  limits.message_bytes_max = 64 * 1024;
  limits.pings_max = 3;
  limits.credits_slack = 3;
  return limits;
}

OpenFrame open_frame(std::uint64_t id) {
  return {.id = channel(id), .items = 4, .bytes = 4096, .service = "chat"};
}

/// A listener that met its peer, and in which the peer opened channel 1 and we opened channel 2.
struct Victim {
  Victim() : end(Side::listener, small_limits()) {
    end.capacity = 2;
    CHECK(end.mux.on_record(record_of(good_settings(), open_frame(1))));
    (void)end.open(2);
    (void)flush(end);
    (void)end.said();
  }
  /// What is wrong with a record of these frames; empty where nothing is.
  template <class... Frames>
  std::string fault(const Frames&... frames) {
    auto taken = end.mux.on_record(record_of(frames...));
    return taken ? "" : std::string(taken.error().detail());
  }

  MuxEnd end;
};

/// The fault of one record in a fresh session.
template <class... Frames>
std::string fault(const Frames&... frames) {
  Victim victim;
  const std::string text = victim.fault(frames...);
  constexpr std::string_view kAdvice = "; the peer broke the protocol, end the session";
  if (!text.ends_with(kAdvice)) return text;
  return text.substr(0, text.size() - kAdvice.size());
}

TEST_CASE("a peer that uses an id wrongly breaks the protocol") {
  CHECK(fault(DataFrame{channel(3), {}}) == "data on channel 3, which was never opened");
  CHECK(fault(CreditFrame{channel(4), 1, 1}) == "credit on channel 4, which was never opened");
  CHECK(fault(CloseFrame{channel(0)}) == "close on channel 0, which was never opened");
  CHECK(fault(StopFrame{channel(99)}) == "stop on channel 99, which was never opened");
  CHECK(fault(ResetFrame{channel(3), Code::internal, ""}) ==
        "reset of channel 3, which was never opened");
  CHECK(fault(AcceptFrame{channel(4), 1, 1}) == "accept on channel 4, which was never opened");
  CHECK(fault(open_frame(1)) == "open has the channel 1 where 3 is next");
  CHECK(fault(open_frame(4)) == "open has the channel 4 where 3 is next");
  CHECK(fault(open_frame(5)) == "open has the channel 5 where 3 is next");
  CHECK(fault(AcceptFrame{channel(1), 1, 1}) ==
        "accept of channel 1, which the peer itself opened");
  CHECK(fault(AcceptFrame{channel(2), 1, 1}, AcceptFrame{channel(2), 1, 1}) ==
        "accept of channel 2 twice");
  CHECK(fault(DataFrame{channel(2), {}}) == "data on channel 2 before its accept");
}

TEST_CASE("a peer that exceeds its credit of items or bytes breaks the protocol") {
  const std::string big(16 * 1024, 'x');
  Victim victim;
  victim.end.takes = false;
  for (int i = 0; i < 16; ++i) CHECK(victim.fault(DataFrame{channel(1), as_bytes("x")}) == "");
  CHECK(victim.fault(DataFrame{channel(1), {}})
            .starts_with("data on channel 1 exceeds the credit of 16 items"));
  MuxLimits limits = small_limits();
  limits.window_bytes_max = 4096;
  MuxEnd end(Side::listener, limits);
  end.takes = false;
  CHECK(end.mux.on_record(record_of(good_settings(), open_frame(1))));
  CHECK(end.mux.on_record(record_of(DataFrame{channel(1), as_bytes(big).first(16'000)})));
  auto over = end.mux.on_record(record_of(DataFrame{channel(1), as_bytes(big).first(385)}));
  REQUIRE_FALSE(over);
  CHECK(over.error().detail().starts_with(
      "data of 385 bytes on channel 1 exceeds the credit: 16000 of 16384 came"));
}

TEST_CASE("a peer whose message is oversized or overlaps another breaks the protocol") {
  const ByteView part = as_bytes("part");
  CHECK(fault(DataBeginFrame{channel(1), 64 * 1024 + 1, part}) ==
        "data_begin of a message of 65537 bytes on channel 1 exceeds the limit of 65536");
  CHECK(fault(DataBeginFrame{channel(1), 64 * 1024, part}) == "");
  CHECK(fault(DataMoreFrame{channel(1), part}) ==
        "data_more on channel 1 without a message that it continues");
  CHECK(fault(DataBeginFrame{channel(1), 6, part}, DataFrame{channel(1), part}) ==
        "data on channel 1 inside of another message");
  CHECK(fault(DataBeginFrame{channel(1), 6, part}, DataBeginFrame{channel(1), 6, part}) ==
        "data_begin on channel 1 inside of another message");
  CHECK(fault(DataBeginFrame{channel(1), 6, part}, DataMoreFrame{channel(1), part}) ==
        "data_more of 4 bytes on channel 1, whose message lacks 2");
  CHECK(fault(DataBeginFrame{channel(1), 6, part}, CloseFrame{channel(1)}) ==
        "close of channel 1 cuts a message short");
  CHECK(fault(CloseFrame{channel(1)}, DataFrame{channel(1), part}) ==
        "data on channel 1 after its close");
  CHECK(fault(CloseFrame{channel(1)}, CloseFrame{channel(1)}) == "close of channel 1 twice");
  CHECK(fault(StopFrame{channel(1)}, StopFrame{channel(1)}) == "stop of channel 1 twice");
}

TEST_CASE("a message of one frame over the limit is refused though its credit suffices") {
  MuxLimits limits = small_limits();
  limits.message_bytes_max = 16 * 1024;
  MuxEnd end(Side::listener, limits);
  end.takes = true;
  const std::string long_text(16 * 1024 + 1, 'x');
  CHECK(end.mux.on_record(record_of(good_settings(), open_frame(1))));
  (void)flush(end);
  auto over = end.mux.on_record(record_of(DataFrame{channel(1), as_bytes(long_text)}));
  REQUIRE_FALSE(over);
  CHECK(over.error().detail().starts_with("data of 16385 bytes on channel 1 exceeds the limit"));
}

TEST_CASE("credit that grants nothing or takes back or floods breaks the protocol") {
  CHECK(fault(CreditFrame{channel(1), 4, 4096}) ==
        "credit on channel 1 grants nothing or takes back: 4 items, 4096 bytes");
  CHECK(fault(CreditFrame{channel(1), 4, 4095}) ==
        "credit on channel 1 grants nothing or takes back: 4 items, 4095 bytes");
  CHECK(fault(CreditFrame{channel(1), 5, 4096}) ==
        "credit on channel 1 grants 5 items where 0 were sent");
  Victim victim;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    CHECK(victim.fault(CreditFrame{channel(1), 4, 4096 + i}) == "");
  }
  CHECK(victim.fault(CreditFrame{channel(1), 4, 5000})
            .starts_with("credit on channel 1 came 4 times more often than messages explain"));
}

TEST_CASE("every record of frames cut short is refused by the name of its last frame") {
  const Bytes record = record_of(DataFrame{channel(1), as_bytes("one")},
                                 DataFrame{channel(1), as_bytes("two")}, CloseFrame{channel(1)});
  for (std::size_t size = 0; size < record.size(); ++size) {
    CAPTURE(size);
    Victim victim;
    auto taken = victim.end.mux.on_record(ByteView(record).first(size));
    CHECK(taken.has_value() == (size == 6 || size == 12));
    if (size > 12) CHECK(taken.error().detail().starts_with("close is cut short"));
  }
  Victim victim;
  Bytes garbage = record;
  garbage.push_back(std::byte{0});
  auto taken = victim.end.mux.on_record(garbage);
  REQUIRE_FALSE(taken);
  CHECK(taken.error().detail().starts_with("unknown frame with the kind 0"));
}

TEST_CASE("frames kept for later versions are refused by their names") {
  for (const FrameKind kind :
       {FrameKind::call, FrameKind::answer, FrameKind::cancel, FrameKind::notify}) {
    Victim victim;
    const Bytes record{static_cast<std::byte>(kind)};
    auto taken = victim.end.mux.on_record(record);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().detail().starts_with(std::string(frame_name(kind)) +
                                             " is not spoken by this version"));
  }
}

TEST_CASE("settings come first and once and of the same version") {
  const auto first = [](const Bytes& record) {
    MuxEnd end(Side::listener);
    auto taken = end.mux.on_record(record);
    return taken ? "" : std::string(taken.error().detail());
  };
  CHECK(first(record_of(open_frame(1))).starts_with("open came before settings"));
  CHECK(first(record_of(good_settings(), good_settings())).starts_with("settings came twice"));
  SettingsFrame newer = good_settings();
  newer.version = 2;
  CHECK(first(record_of(newer)) ==
        "the peer speaks version 2 of the wire, this side version 1; upgrade the older one");
  SettingsFrame stingy = good_settings();
  stingy.early_items = 15;
  CHECK(first(record_of(stingy)).starts_with("settings lowers the early credit"));
}

TEST_CASE("the peer's settings raise the early credit of the channels opened later") {
  SettingsFrame generous = good_settings();
  generous.early_items = 20;
  MuxEnd end(Side::dialler);
  const ChannelId before = end.open();
  CHECK(end.mux.on_record(record_of(generous)));
  const ChannelId after = end.open();
  int sent = 0;
  while (end.send(before, "x")) ++sent;
  CHECK(sent == 16);
  sent = 0;
  while (end.send(after, "x")) ++sent;
  CHECK(sent == 20);
}

TEST_CASE("pings are answered once a flush and a flood of them breaks the protocol") {
  MuxPair pair;
  CHECK(pair.a.mux.ping() == 1);
  CHECK(pair.a.mux.ping() == 2);
  pair.settle();
  CHECK(pair.a.said() == "pong 2");
  Victim victim;
  CHECK(victim.fault(PingFrame{1}, PingFrame{2}, PingFrame{3}) == "");
  (void)flush(victim.end);
  CHECK(victim.fault(PingFrame{4}, PingFrame{5}, PingFrame{6}) == "");
  CHECK(victim.fault(PingFrame{7}).starts_with("ping came 4 times before an answer"));
  CHECK(fault(PongFrame{1}) == "pong answers ping 1, the last was 0");
  CHECK(pair.a.mux.on_record(record_of(PongFrame{2}))
            .error()
            .detail()
            .starts_with("pong answers ping 2 again"));
}

TEST_CASE("a goaway ends opening and neither open channels nor opens that cross it are lost") {
  MuxPair pair;
  const ChannelId id = pair.a.open();
  pair.settle();
  const ChannelId crossing = pair.a.open();
  pair.b.mux.goaway();
  pair.settle();
  CHECK(pair.a.said() == "accept 1 | goaway | accept 3");
  CHECK(pair.a.mux.open({.service = "chat"}).code() == Code::unavailable);
  CHECK(pair.a.send(id, "still"));
  CHECK(pair.a.send(crossing, "too"));
  pair.settle();
  CHECK(pair.b.messages[1] == std::vector<std::string>{"still"});
  CHECK(pair.b.messages[3] == std::vector<std::string>{"too"});
}

TEST_CASE("an open behind the goaways of both sides is refused") {
  Victim victim;
  CHECK(victim.fault(GoawayFrame{}) == "");
  victim.end.mux.goaway();
  (void)flush(victim.end);
  CHECK(victim.fault(open_frame(3)) == "");
  const std::vector<Bytes> told = flush(victim.end);
  REQUIRE(told.size() == 1);
  CHECK(as_text(told[0]).contains("this side is going away; dial again"));
}

TEST_CASE("a goodbye follows everything that could be sent and nothing follows it") {
  MuxPair pair;
  const ChannelId id = pair.a.open();
  CHECK(pair.a.send(id, "last"));
  pair.a.mux.goodbye();
  CHECK(pair.a.mux.open({.service = "chat"}).code() == Code::unavailable);
  move(pair.a, pair.b);
  CHECK(pair.b.said() == "open 1 chat | goodbye");
  CHECK(pair.b.messages[1].size() == 1);
  (void)pair.a.mux.ping();
  CHECK_FALSE(pair.a.mux.has_output());
  CHECK(flush(pair.a).empty());
  CHECK(fault(GoodbyeFrame{}, PingFrame{1}) == "ping came after the last frame");
}

TEST_CASE("a side that refuses the session says so instead of its settings") {
  MuxEnd a(Side::dialler);
  MuxEnd b(Side::listener);
  b.mux.refuse(Code::permission_denied, "not you");
  move(b, a);
  CHECK(a.said() == "refused permission_denied not you");
  CHECK_FALSE(b.mux.has_output());
  CHECK_FALSE(a.has_settings);
}

TEST_CASE("frames that crossed a reset are dropped without a word") {
  MuxPair pair;
  const ChannelId id = pair.a.open();
  pair.settle();
  (void)(pair.a.said() + pair.b.said());
  CHECK(pair.a.send(id, "late"));
  pair.a.mux.close(id);
  const auto crossing = flush(pair.a);
  pair.b.mux.reset(id, Code::aborted, "enough");
  pair.b.mux.release(id);
  for (const Bytes& record : crossing) CHECK(pair.b.mux.on_record(record));
  pair.settle();
  CHECK(pair.b.count == 0);
  CHECK(pair.b.said() == "");
  CHECK(pair.a.said() == "reset 1 aborted enough");
  CHECK(pair.a.mux.try_send(id, {}).code() == Code::reset);
  pair.a.mux.release(id);
  CHECK(pair.a.mux.channels() + pair.b.mux.channels() == 0);
}

TEST_CASE("two resets that cross end the channel once on each side") {
  MuxPair pair;
  const ChannelId id = pair.a.open();
  pair.settle();
  (void)(pair.a.said() + pair.b.said());
  pair.a.mux.reset(id, Code::cancelled, "");
  pair.b.mux.reset(id, Code::internal, "");
  const auto from_a = flush(pair.a);
  move(pair.b, pair.a);
  for (const Bytes& record : from_a) CHECK(pair.b.mux.on_record(record));
  CHECK(pair.a.said() == "");
  CHECK(pair.b.said() == "");
  pair.a.mux.release(id);
  pair.b.mux.release(id);
  CHECK(pair.a.mux.channels() + pair.b.mux.channels() == 0);
}

TEST_CASE("a refused open is told by a reset and its early messages are dropped") {
  MuxPair pair;
  pair.b.capacity = 0;
  const ChannelId id = pair.a.open();
  CHECK(pair.a.send(id, "early"));
  move(pair.a, pair.b);
  pair.b.mux.reset(id, Code::not_found, "no such service");
  pair.b.mux.release(id);
  CHECK(pair.a.send(id, "more"));
  pair.settle();
  CHECK(pair.a.said() == "reset 1 not_found no such service");
  CHECK(pair.b.mux.channels() == 0);
  CHECK(pair.a.mux.has_output() == false);
}

TEST_CASE("an opener that drops all its channels may open as many at once") {
  const MuxLimits limits = small_limits();
  MuxPair pair(limits, limits);
  const ChannelId first = pair.a.open();
  const ChannelId second = pair.a.open();
  pair.settle();
  CHECK(pair.a.mux.open({.service = "chat"}).code() == Code::resource_exhausted);
  for (const ChannelId id : {first, second}) pair.a.mux.release(id);
  (void)pair.a.open();
  (void)pair.a.open();
  pair.settle();
  CHECK(pair.b.said() ==
        "open 1 chat | open 3 chat | reset 1 cancelled | reset 3 cancelled | "
        "open 5 chat | open 7 chat");
  CHECK(pair.a.said() == "accept 1 | accept 3 | accept 5 | accept 7");
}

TEST_CASE("a channel that was dropped takes a place until the other side released it") {
  const MuxLimits limits = small_limits();
  MuxPair pair(limits, limits);
  for (int i = 0; i < 4; ++i) pair.a.mux.release(pair.a.open());
  pair.settle();
  auto refused = pair.a.mux.open({.service = "chat"});
  CHECK(refused.code() == Code::resource_exhausted);
  CHECK(refused.error().detail() ==
        "the peer's application still holds too many of 4 channels that have ended; open later");
  CHECK(pair.a.mux.next_open(0).code() == Code::resource_exhausted);
  pair.b.mux.release(channel(1));
  pair.settle();
  CHECK(number(*pair.a.mux.next_open(0)) == 9);
  CHECK(pair.a.mux.next_open(1).code() == Code::resource_exhausted);
  CHECK(number(pair.a.open()) == 9);
  pair.settle();
  CHECK(pair.a.said().ends_with("accept 9"));
}

TEST_CASE("a peer that opens and resets faster than its channels end is refused more") {
  Victim victim;
  for (std::uint64_t id = 3; id <= 9; id += 2) {
    CHECK(victim.fault(open_frame(id), ResetFrame{channel(id), Code::cancelled, ""}) == "");
  }
  CHECK(victim.end.said() ==
        "open 3 chat | reset 3 cancelled | open 5 chat | reset 5 cancelled | "
        "open 7 chat | reset 7 cancelled");
  CHECK(victim.end.mux.channels() == 5);
  const auto records = flush(victim.end);
  REQUIRE(records.size() == 1);
  const Bytes refusal =
      record_of(ResetFrame{channel(9), Code::resource_exhausted, "too many channels are open"});
  CHECK(as_text(records[0]).contains(as_text(refusal)));
}

TEST_CASE("a blocked that no grant explains breaks the protocol") {
  Victim victim;
  CHECK(victim.fault(BlockedFrame{channel(1)}) == "");
  CHECK(victim.fault(BlockedFrame{channel(1)})
            .starts_with("blocked on channel 1 came more often than credit"));
  CHECK(fault(BlockedFrame{channel(2)}) == "blocked on channel 2 before its accept");
  CHECK(fault(CloseFrame{channel(1)}, BlockedFrame{channel(1)}) ==
        "blocked on channel 1 after its close");
}

TEST_CASE("frames on a channel that has ended are taken only as far as they were under way") {
  for (const bool by_reset : {true, false}) {
    CAPTURE(by_reset);
    Victim victim;
    if (by_reset) {
      victim.end.mux.reset(channel(1), Code::aborted, "");
    } else {
      victim.end.mux.close(channel(1));
      CHECK(victim.fault(CloseFrame{channel(1)}) == "");
      victim.end.mux.release(channel(1));
    }
    (void)flush(victim.end);
    const std::string most(16'000, 'x');
    if (by_reset) CHECK(victim.fault(DataFrame{channel(1), as_bytes(most)}) == "");
    CHECK(victim.fault(StopFrame{channel(1)}, ResetFrame{channel(1), Code::aborted, ""}) == "");
    const auto refused = [&](const auto& frame, int most_frames) {
      std::string fault;
      for (int i = 0; fault.empty() && i < most_frames; ++i) fault = victim.fault(frame);
      return fault;
    };
    CHECK(refused(DataFrame{channel(1), as_bytes(most)}, by_reset ? 40 : 1)
              .starts_with("data on channel 1, which has ended, is more than was under way"));
    CHECK(refused(StopFrame{channel(1)}, by_reset ? 16'001 : 100)
              .starts_with("stop on channel 1, which has ended"));
  }
}

TEST_CASE("a peer that resets a channel says no more on it") {
  Victim victim;
  CHECK(victim.fault(ResetFrame{channel(1), Code::aborted, ""}) == "");
  CHECK(victim.fault(ResetFrame{channel(1), Code::aborted, ""})
            .starts_with("reset on channel 1, which has ended"));
}

TEST_CASE("places that do not rise or that nothing explains break the protocol") {
  CHECK(fault(PlacesFrame{8}) == "places are 8 where 8 were given and 1 were opened");
  CHECK(fault(PlacesFrame{10}) == "places are 10 where 8 were given and 1 were opened");
  CHECK(fault(PlacesFrame{9}) == "");
}

TEST_CASE("a certificate is shown once and the last one counts") {
  MuxPair pair;
  pair.a.mux.certificate(as_bytes("older"));
  pair.a.mux.certificate(as_bytes("newer"));
  pair.settle();
  CHECK(pair.b.said() == "certificate newer");
  CHECK_FALSE(pair.a.mux.has_output());
  pair.a.mux.certificate(as_bytes(std::string(kRenewalBytesMax, 'r')));
  pair.settle(kRecordBytesMin);
  CHECK(pair.b.said().size() == 12 + kRenewalBytesMax);
}

TEST_CASE("a flood of certificates breaks the protocol") {
  Victim victim;
  const CertificateFrame one{as_bytes("new")};
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 8; ++i) CHECK(victim.fault(one) == "");
    (void)flush(victim.end);
  }
  for (int i = 0; i < 8; ++i) CHECK(victim.fault(one) == "");
  CHECK(victim.fault(one).starts_with("certificate came 9 times in a row"));
}

TEST_CASE("records are padded to a multiple of the size that was asked for") {
  MuxLimits limits;
  limits.pad_to_bytes = 512;
  MuxPair pair(limits);
  const ChannelId id = pair.a.open();
  pair.settle();
  for (const std::size_t size : {1, 300, 505, 506, 507, 508, 509, 510, 2000}) {
    CAPTURE(size);
    CHECK(pair.a.send(id, std::string(size, 'x')));
    const auto records = flush(pair.a);
    REQUIRE(records.size() == 1);
    CHECK(records[0].size() % 512 == 0);
    CHECK(records[0].size() < size + 5 + 512);
    CHECK(pair.b.mux.on_record(records[0]));
    move(pair.b, pair.a);
  }
  CHECK(pair.b.count == 9);
  pair.a.mux.goodbye();
  pair.settle();
  CHECK(pair.b.said().ends_with("goodbye"));
  CHECK(fault(PaddingFrame{9}) == "padding comes alone in a record");
  CHECK(fault(PingFrame{1}, PaddingFrame{9}) == "");
}

TEST_CASE("settings carry the keepalive that was chosen and no other makes sense") {
  MuxLimits limits;
  limits.ping_after_ms = 700;
  limits.dead_after_ms = 900;
  MuxPair pair({}, limits);
  CHECK(pair.a.settings.ping_after_ms == 700);
  CHECK(pair.a.settings.dead_after_ms == 900);
  CHECK(pair.b.settings.ping_after_ms == 15'000);
  const auto first = [](std::uint64_t ping, std::uint64_t dead) {
    SettingsFrame settings = good_settings();
    settings.ping_after_ms = ping;
    settings.dead_after_ms = dead;
    MuxEnd end(Side::listener);
    auto taken = end.mux.on_record(record_of(settings));
    return taken ? "" : std::string(taken.error().detail());
  };
  CHECK(first(0, 0) == "");
  CHECK(first(5, 0) == "");
  CHECK(first(0, 5) == "");
  CHECK(first(5, 5).starts_with("settings asks for pings after 5 ms and gives up after 5 ms"));
  CHECK(first(1ULL << 32, 0).starts_with("settings asks for pings after 4294967296 ms"));
}

TEST_CASE("a flood of opens whose answers cannot leave breaks the protocol") {
  for (const bool refused_by_mux : {true, false}) {
    Victim victim;
    std::string fault;
    std::uint64_t id = 3;
    for (; fault.empty() && id < 200; id += 2) {
      fault = victim.fault(open_frame(id));
      if (refused_by_mux) continue;
      victim.end.mux.reset(channel(id), Code::not_found, "");
      victim.end.mux.release(channel(id));
    }
    CHECK(fault.find("comes while 16 answers to earlier ones wait") != std::string::npos);
  }
}

}  // namespace
}  // namespace tubing::rpc
