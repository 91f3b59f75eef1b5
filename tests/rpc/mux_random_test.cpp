// Two muxes under random orders: what arrives is a prefix of what was accepted, credit is kept, and
// everybody who waits is told. An application here tries again only when it was told to.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>

#include "tests/rpc/mux_pair.h"
#include "tubing/channel/base/prng.h"

namespace tubing::rpc {
namespace {

/// What one application knows of one channel.
struct Talk {
  std::uint64_t sent = 0;      ///< Messages that the mux accepted.
  std::uint64_t plan = 0;      ///< Messages that are to be sent in all.
  std::uint64_t received = 0;  ///< Messages that came.
  std::deque<std::size_t> untaken;
  bool may_talk = false;
  bool waits = false;     ///< Refused; on_writable is owed.
  bool closed = false;    ///< By us.
  bool ended = false;     ///< The peer's close came.
  bool stopped = false;   ///< By the peer, or reset by either.
  bool discards = false;  ///< Stopped by us.
};

class RandomEnd : public MuxEvents {
 public:
  RandomEnd(Side side, const MuxLimits& limits, Prng& prng)
      : mux(side, limits, *this), prng_(prng), side_(side) {}

  void on_settings(const SettingsFrame&) override {}
  void on_open(ChannelId id, const OpenRequest&) override { opened_.push_back(id); }
  void on_accept(ChannelId) override {}
  void on_message(ChannelId id, ByteView message) override {
    Talk& talk = talks[id];
    const Bytes expected = peer->message(id, talk.received++);
    CHECK(std::ranges::equal(message, expected));
    talk.untaken.push_back(message.size());
  }
  void on_writable(ChannelId id) override {
    talks[id].waits = false;
    ready_.push_back(id);
  }
  void on_close(ChannelId id) override {
    talks[id].ended = true;
    CHECK(talks[id].received == peer->talks[id].sent);
  }
  void on_stop(ChannelId id) override { talks[id].stopped = true; }
  void on_reset(ChannelId id, Code, std::string_view) override { talks[id].stopped = true; }
  void on_taken_by_peer(ChannelId id, std::uint64_t messages) override {
    CHECK(messages > told_taken[id]);
    CHECK(messages <= mux.accepted(id));
    CHECK(messages <= peer->talks[id].received);
    told_taken[id] = messages;
  }
  void on_certificate(ByteView) override {}
  void on_pong(std::uint64_t) override {}
  void on_goaway() override {}
  void on_goodbye() override {}
  void on_refused(Code, std::string_view) override {}

  /// The `index`th message of this side: its size and its content follow from the numbers.
  Bytes message(ChannelId id, std::uint64_t index) const {
    Prng content(number(id) * 1'000'003 + index * 2 + (side_ == Side::dialler ? 0 : 1));
    const std::uint64_t draw = content.below(100);
    const std::size_t size = draw < 70   ? content.below(100)
                             : draw < 95 ? content.below(9000)
                                         : content.below(150'000);
    Bytes bytes(size);
    for (std::size_t at = 0; at < size; at += 97)
      bytes[at] = static_cast<std::byte>(content.next());
    return bytes;
  }

  void open() {
    const auto id =
        mux.open({.service = "s", .capacity = 1 + static_cast<std::uint32_t>(prng_.below(20))});
    if (!id) return;
    talks[*id].may_talk = true;
    talks[*id].plan = prng_.below(60);
    try_send(*id);
  }
  void answer(std::size_t count) {
    while (count-- > 0 && !opened_.empty()) answer_one();
  }
  void answer_one() {
    const ChannelId id = opened_.front();
    opened_.pop_front();
    mux.accept(id, 1 + static_cast<std::uint32_t>(prng_.below(20)));
    talks[id].may_talk = true;
    talks[id].plan = prng_.below(60);
    try_send(id);
  }
  /// Sends what was refused and may go now.
  void resume() {
    for (const ChannelId id : std::exchange(ready_, {})) try_send(id);
  }
  void try_send(ChannelId id) {
    Talk& talk = talks[id];
    while (!talk.waits && !talk.stopped && !talk.closed && talk.sent < talk.plan) {
      auto accepted = mux.try_send(id, message(id, talk.sent));
      REQUIRE_MESSAGE(accepted.has_value(), (accepted ? "" : accepted.error().text()));
      talk.waits = !*accepted;
      talk.sent += *accepted ? 1 : 0;
    }
    if (talk.sent == talk.plan && !talk.closed && talk.may_talk) {
      talk.closed = true;
      mux.close(id);
    }
  }
  void take(std::uint64_t chance) {
    for (auto& [id, talk] : talks) {
      while (!talk.untaken.empty() && prng_.chance(chance, 100)) {
        mux.taken(id, 1, talk.untaken.front());
        talk.untaken.pop_front();
      }
    }
  }
  /// Breaks off or stops some channel.
  void trouble() {
    if (talks.empty()) return;
    auto at = talks.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(prng_.below(talks.size())));
    auto& [id, talk] = *at;
    if (!talk.may_talk || talk.stopped) return;
    if (prng_.chance(1, 2)) {
      talk.stopped = true;
      mux.reset(id, Code::aborted, "trouble");
    } else {
      talk.untaken.clear();
      talk.discards = true;
      mux.stop(id);
    }
  }
  /// Something is left to do for the application or its mux.
  bool busy() const {
    const auto holds = [](const auto& entry) { return !entry.second.untaken.empty(); };
    return mux.has_output() || !opened_.empty() || !ready_.empty() ||
           std::ranges::any_of(talks, holds);
  }
  void release_all() {
    for (const auto& [id, talk] : talks) mux.release(id);
  }

  std::map<ChannelId, Talk> talks;
  std::map<ChannelId, std::uint64_t> told_taken;  ///< By on_taken_by_peer.
  RandomEnd* peer = nullptr;
  Mux mux;

 private:
  Prng& prng_;
  Side side_;
  std::deque<ChannelId> opened_;
  std::vector<ChannelId> ready_;
};

/// What is under way in one direction, and what the frames in it said of credit.
struct Wire {
  std::deque<Bytes> records;

  void fill(RandomEnd& from, Prng& prng) {
    from.mux.begin_flush();
    for (std::uint64_t left = prng.below(6); left > 0; --left) {
      Bytes record(kRecordBytesMin + prng.below(40'000));
      record.resize(from.mux.fill_record(record));
      if (record.empty()) return;
      record.shrink_to_fit();
      records.push_back(std::move(record));
    }
  }
  void deliver(RandomEnd& to) {
    if (records.empty()) return;
    auto taken = to.mux.on_record(records.front());
    CHECK_MESSAGE(taken.has_value(), (taken ? "" : taken.error().text()));
    records.pop_front();
  }
};

MuxLimits random_limits(Prng& prng) {
  MuxLimits limits;
  limits.frame_bytes_max = 100 + prng.below(16'000);
  limits.flush_bytes_max = kRecordBytesMin + prng.below(200'000);
  limits.outbox_bytes_max = 20'000 + prng.below(1'000'000);
  limits.channel_outbox_bytes = 1000 + prng.below(limits.outbox_bytes_max - 1000);
  limits.receive_bytes_max = 400'000 + prng.below(2'000'000);
  limits.message_bytes_max = 150'000 + prng.below(50'000);
  limits.window_bytes_min = 500 + prng.below(4000);
  limits.window_bytes_max = limits.window_bytes_min + prng.below(200'000);
  limits.spare_bytes_max = prng.below(500'000);
  limits.channels_max = 1 + static_cast<std::uint32_t>(prng.below(30));
  return limits;
}

struct RandomPair {
  explicit RandomPair(std::uint64_t seed)
      : prng(seed),
        a(Side::dialler, random_limits(prng), prng),
        b(Side::listener, random_limits(prng), prng) {
    a.peer = &b;
    b.peer = &a;
  }

  void step(bool with_trouble) {
    RandomEnd& end = prng.chance(1, 2) ? a : b;
    Wire& out = &end == &a ? a_to_b : b_to_a;
    switch (prng.below(8)) {
      case 0: return end.open();
      case 1: return end.answer(1);
      case 2: return end.resume();
      case 3: return end.take(prng.below(100));
      case 4:
        if (with_trouble && prng.chance(1, 4)) end.trouble();
        return;
      case 5:
      case 6: return out.fill(end, prng);
      default: return out.deliver(&end == &a ? b : a);
    }
  }
  /// Both applications take everything until nothing moves.
  void settle() {
    for (int rounds = 0; a.busy() || b.busy() || !a_to_b.records.empty() || !b_to_a.records.empty();
         ++rounds) {
      REQUIRE(rounds < 100'000);
      for (RandomEnd* end : {&a, &b}) {
        end->answer(~std::size_t{0});
        end->resume();
        end->take(100 - prng.below(50));
      }
      a_to_b.fill(a, prng);
      b_to_a.fill(b, prng);
      a_to_b.deliver(b);
      b_to_a.deliver(a);
    }
  }

  Prng prng;
  RandomEnd a;
  RandomEnd b;
  Wire a_to_b;
  Wire b_to_a;
};

void check_delivered(RandomEnd& from, RandomEnd& to) {
  for (const auto& [id, talk] : from.talks) {
    CAPTURE(number(id));
    CHECK(talk.received <= to.talks[id].sent);
    const Talk& other = to.talks[id];
    if (talk.stopped || other.stopped || talk.discards || other.discards) continue;
    CHECK(talk.sent == talk.plan);
    CHECK(to.talks[id].received == talk.plan);
    CHECK(talk.ended);
    CHECK(to.mux.accepted(id) == other.sent);
    CHECK(to.told_taken[id] == to.mux.accepted(id));
  }
}

void run_seed(std::uint64_t seed, bool with_trouble) {
  CAPTURE(seed);
  RandomPair pair(seed);
  for (int i = 0; i < 1500; ++i) pair.step(with_trouble);
  pair.settle();
  check_delivered(pair.a, pair.b);
  check_delivered(pair.b, pair.a);
  pair.a.release_all();
  pair.b.release_all();
  pair.settle();
  CHECK(pair.a.mux.channels() == 0);
  CHECK(pair.b.mux.channels() == 0);
}

TEST_CASE("under any order of events two muxes deliver everything that they accepted") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) run_seed(seed, false);
}

TEST_CASE("under resets and stops at any time two muxes deliver prefixes and forget all channels") {
  for (std::uint64_t seed = 1001; seed <= 1040; ++seed) run_seed(seed, true);
}

}  // namespace
}  // namespace tubing::rpc
