// Classes of channels: who goes first, and who never waits for ever. Counted in bytes.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "tests/rpc/mux_seen.h"

namespace tubing::rpc {
namespace {

constexpr std::uint64_t kKiB = 1024;

/// One channel of each class, the most urgent first; what is taken is taken at once.
struct ClassPair : MuxPair {
  explicit ClassPair(const MuxLimits& limits = {}) : MuxPair(limits) {
    b.capacity = 10'000;
    b.keeps = false;
    for (const auto urgency : {ChannelClass::control, ChannelClass::normal, ChannelClass::bulk}) {
      ids.push_back(a.open(8, urgency));
    }
    settle();
  }
  void fill(std::size_t which) {
    static const std::string text(1000, 'x');
    while (a.send(ids[which], text)) {
    }
  }
  /// One flush, which arrives, and what it makes the other side say.
  std::vector<Seen> turn() {
    const auto records = flush(a);
    for (const Bytes& record : records) CHECK(b.mux.on_record(record));
    move(b, a);
    return data_frames(records);
  }

  std::vector<ChannelId> ids;
};

TEST_CASE("a more urgent class sends all that it has before the next one") {
  ClassPair pair;
  for (const std::size_t which : {2, 1, 0}) pair.fill(which);
  const auto seen = pair.turn();
  CHECK(std::ranges::is_sorted(seen, {}, &Seen::id));
  for (const ChannelId id : pair.ids) CHECK(bytes_of(seen, id) == 65'000);
}

/// What each class sent while the classes of `busy` always had something to send.
std::array<std::uint64_t, 3> share(std::initializer_list<std::size_t> busy, int turns) {
  MuxLimits limits;
  limits.flush_bytes_max = 32 * kKiB;
  ClassPair pair(limits);
  std::array<std::uint64_t, 3> sent{};
  for (int i = 0; i < turns; ++i) {
    for (const std::size_t which : busy) pair.fill(which);
    const auto seen = pair.turn();
    for (std::size_t c = 0; c < 3; ++c) sent[c] += bytes_of(seen, pair.ids[c]);
  }
  return sent;
}

TEST_CASE("a class that waits gets one byte in seventeen of what a more urgent one sends") {
  for (const bool normal_first : {false, true}) {
    const auto sent = normal_first ? share({1, 2}, 300) : share({0, 2}, 300);
    const std::uint64_t urgent = sent[normal_first ? 1 : 0];
    CHECK(urgent > 8000 * kKiB);
    CHECK(sent[2] * 16 > urgent - 300 * kKiB);
    CHECK(sent[2] * 16 < urgent + 300 * kKiB);
  }
}

TEST_CASE("each class gets its share where all three are busy") {
  const auto sent = share({0, 1, 2}, 600);
  CHECK(sent[0] > 15'000 * kKiB);
  CHECK(sent[1] * 16 > sent[0] - 300 * kKiB);
  CHECK(sent[2] * 16 > sent[0] + sent[1] - 600 * kKiB);
}

TEST_CASE("a class waits for 256 KiB of more urgent ones at most") {
  MuxLimits limits;
  limits.flush_bytes_max = 8 * kKiB;
  ClassPair pair(limits);
  pair.fill(2);
  std::uint64_t urgent = 0;
  std::vector<Seen> seen;
  while (bytes_of(seen, pair.ids[2]) == 0) {
    pair.fill(0);
    seen = pair.turn();
    urgent += bytes_of(seen, pair.ids[0]);
    REQUIRE(urgent < 1000 * kKiB);
  }
  CHECK(urgent >= 240 * kKiB);
  CHECK(urgent <= 256 * kKiB + 2 * 16 * kKiB);
}

TEST_CASE("a class that is told to wait less waits less") {
  MuxLimits limits;
  limits.flush_bytes_max = 32 * kKiB;
  limits.class_wait_bytes_max = 0;
  limits.class_ratio = 1;
  ClassPair pair(limits);
  std::array<std::uint64_t, 3> sent{};
  for (int i = 0; i < 100; ++i) {
    for (const std::size_t which : {0, 2}) pair.fill(which);
    const auto seen = pair.turn();
    for (std::size_t c = 0; c < 3; ++c) sent[c] += bytes_of(seen, pair.ids[c]);
  }
  CHECK(sent[2] + 64 * kKiB > sent[0]);
}

}  // namespace
}  // namespace tubing::rpc
