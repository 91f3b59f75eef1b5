#include "tubing/sim/judges/lease_judge.h"

#include <doctest/doctest.h>

#include "tests/sim/judged.h"
#include "tubing/channel/base/prng.h"

using namespace tubing;
using namespace tubing::sim;

namespace {

using Span = std::pair<std::int64_t, std::int64_t>;

Operation hold(std::uint64_t client, Span span, std::int64_t epoch) {
  return done(client, "lease.hold", span, {{"resource", "r"}, {"epoch", epoch}});
}
Operation fence(std::uint64_t client, Span span, std::int64_t token, bool accepted) {
  return done(client, "fence", span, {{"resource", "r"}, {"token", token}, {"accepted", accepted}});
}
Operation over(std::uint64_t client, Span span, std::int64_t epoch) {
  return done(client, "lease.end", span, {{"resource", "r"}, {"epoch", epoch}});
}
Operation put(std::uint64_t client, Span span, std::int64_t epoch, Value value) {
  return done(client, "lease.put", span,
              {{"resource", "r"}, {"epoch", epoch}, {"key", "k"}, {"value", std::move(value)}});
}
Operation get(std::uint64_t client, Span span, Value value) {
  return done(client, "lease.get", span, {{"key", "k"}, {"value", std::move(value)}});
}
Operation remove(std::uint64_t client, Span span) {
  return done(client, "lease.delete", span, {{"key", "k"}});
}

// A service of one lease as it should be, with clients that count carefully, and one of each wrong
// that it could do.
class DrawnLeases {
 public:
  enum class Wrong {
    none,
    two_holders,
    epoch_again,
    stale_token,
    needless_refusal,
    early_end,
    key_outlives,
    key_lost
  };

  DrawnLeases(std::uint64_t seed, Wrong wrong) : prng_(seed), wrong_(wrong) {}

  History run() {
    for (std::int64_t epoch = 1; epoch <= 6; ++epoch) live(epoch);
    return std::move(history_);
  }

 private:
  std::int64_t drawn(std::uint64_t below) { return static_cast<std::int64_t>(prng_.below(below)); }
  bool is_wrong(Wrong wrong, std::int64_t epoch) const { return wrong_ == wrong && epoch == 4; }

  // One holder's time, from `now_` on; behind it nobody holds the lease for a while.
  void live(std::int64_t epoch) {
    const auto holder = static_cast<std::uint64_t>(1 + epoch % 3);
    const std::int64_t begin = now_;
    const std::int64_t end = begin + 40 + drawn(40);
    const std::string value = "v" + std::to_string(epoch);
    const std::int64_t told = is_wrong(Wrong::epoch_again, epoch) ? 1 : epoch;
    history_.push_back(
        hold(holder, {begin, end + (is_wrong(Wrong::two_holders, epoch) ? 60 : 0)}, told));
    history_.push_back(put(holder + 10, {begin + 1, begin + 5}, epoch, value));
    const bool lost = is_wrong(Wrong::key_lost, epoch);
    for (std::int64_t at = begin + 6; at < end - 4; at += 4 + drawn(9))
      history_.push_back(get(20, {at, at + 3}, lost ? Value() : Value(value)));
    history_.push_back(fence(holder + 30, {begin + 6, begin + 8}, epoch,
                             !is_wrong(Wrong::needless_refusal, epoch)));
    // A message of an earlier holder comes late.
    if (const std::int64_t stale = drawn(static_cast<std::uint64_t>(epoch)); stale > 0)
      history_.push_back(fence(50, {begin + 10, begin + 12 + drawn(9)}, stale, false));
    if (is_wrong(Wrong::stale_token, epoch))
      history_.push_back(fence(51, {begin + 10, begin + 12}, 2, true));
    if (prng_.chance(1, 3)) {
      const std::int64_t early = is_wrong(Wrong::early_end, epoch) ? 20 : 0;
      history_.push_back(over(60, {end - early - 5, end - early + 4}, epoch));
    } else if (is_wrong(Wrong::early_end, epoch)) {
      history_.push_back(over(60, {end - 30, end - 20}, epoch));
    }
    now_ = end + 20 + drawn(20);
    const bool outlives = is_wrong(Wrong::key_outlives, epoch);
    history_.push_back(over(61, {now_ - 8, now_ - 6}, epoch));
    history_.push_back(get(21, {now_ - 5, now_ - 1}, outlives ? Value(value) : Value()));
  }

  Prng prng_;
  const Wrong wrong_;
  History history_;
  std::int64_t now_ = 0;
};

void check_all(const std::vector<JudgedRow>& rows) {
  for (const JudgedRow& row : rows) {
    CAPTURE(row.name);
    const std::string said = why(judge_leases(row.history));
    CAPTURE(said);
    CHECK(fits(said, row.expected));
  }
}

}  // namespace

TEST_CASE("leases have one holder at a time, and a resource accepts no token that was overtaken") {
  check_all(
      {{"one behind the other", {hold(1, {0, 10}, 1), hold(2, {10, 20}, 2)}, ""},
       {"two at once", {hold(1, {0, 11}, 1), hold(2, {10, 20}, 2)}, "two clients believe at 10 ns"},
       {"one inside another", {hold(1, {0, 50}, 1), hold(2, {10, 20}, 2)}, "two clients believe"},
       {"behind a short one of its own",
        {hold(1, {0, 50}, 1), hold(1, {5, 6}, 1), hold(2, {10, 20}, 2)},
        "two clients believe at 10 ns"},
       {"behind a long one of another, itself in between",
        {hold(2, {0, 50}, 1), hold(1, {5, 6}, 1)},
        "two clients believe at 5 ns"},
       {"one that never ends",
        {lost(1, "lease.hold", 0, {{"resource", "r"}, {"epoch", 1}}), hold(2, {10, 20}, 2)},
        "two clients believe"},
       {"an empty belief", {hold(1, {0, 50}, 1), hold(2, {10, 10}, 2)}, ""},
       {"renewed", {hold(1, {0, 10}, 1), hold(1, {8, 20}, 1)}, ""},
       {"the same epoch for another", {hold(1, {0, 10}, 1), hold(2, {10, 20}, 1)}, "must rise"},
       {"a lower epoch", {hold(1, {0, 10}, 2), hold(1, {10, 20}, 1)}, "must rise"},
       {"tokens rise", {fence(1, {0, 5}, 1, true), fence(2, {6, 9}, 2, true)}, ""},
       {"a lower token later",
        {fence(1, {0, 5}, 2, true), fence(2, {6, 9}, 1, true)},
        "accepted token 1 after it had accepted token 2"},
       {"a lower token at the same time",
        {fence(1, {0, 6}, 2, true), fence(2, {6, 9}, 1, true)},
        ""},
       {"a refusal for a higher one", {fence(1, {0, 5}, 2, true), fence(2, {6, 9}, 1, false)}, ""},
       {"a refusal for one that may have come",
        {lost(1, "fence", 3, {{"resource", "r"}, {"token", 2}}), fence(2, {0, 9}, 1, false)},
        ""},
       {"accepted behind its own refusal",
        {lost(1, "fence", 0, {{"resource", "r"}, {"token", 7}}), fence(2, {20, 30}, 6, false),
         fence(3, {40, 50}, 6, true)},
        "accepted token 6 after it had refused one for token 7"},
       {"accepted beside its own refusal",
        {lost(1, "fence", 0, {{"resource", "r"}, {"token", 7}}), fence(2, {20, 30}, 6, false),
         fence(3, {30, 50}, 6, true)},
        ""},
       {"refused for one that is above another that is accepted then",
        {lost(1, "fence", 0, {{"resource", "r"}, {"token", 9}}), fence(2, {20, 30}, 6, false),
         fence(3, {40, 50}, 8, true)},
        "accepted token 8 after it had refused one for token 9"},
       {"refused for the lowest that will do",
        {lost(1, "fence", 0, {{"resource", "r"}, {"token", 9}}),
         lost(4, "fence", 30, {{"resource", "r"}, {"token", 7}}), fence(2, {20, 30}, 6, false),
         fence(3, {40, 50}, 8, true)},
        ""},
       {"refused for one that was granted", {hold(1, {0, 5}, 7), fence(2, {6, 8}, 6, false)}, ""},
       {"a refusal for nothing",
        {fence(1, {10, 15}, 2, true), fence(2, {6, 9}, 1, false)},
        "refused token 1"},
       {"told to be over while it is held",
        {hold(1, {0, 10}, 1), over(2, {5, 9}, 1)},
        "told to be over at 9 ns"},
       {"told to be over behind it", {hold(1, {0, 10}, 1), over(2, {5, 10}, 1)}, ""}});
}

TEST_CASE("a key put with a lease is there while somebody counts on it and gone when it is over") {
  check_all(
      {{"a key of a lease", {hold(1, {0, 90}, 1), put(2, {1, 4}, 1, "v"), get(3, {5, 9}, "v")}, ""},
       {"a key that is gone too early",
        {hold(1, {0, 90}, 1), put(2, {1, 4}, 1, "v"), get(3, {5, 9}, Value())},
        "is gone at 9 ns"},
       {"a key that may not be there yet",
        {hold(1, {0, 90}, 1), put(2, {1, 4}, 1, "v"), get(3, {4, 9}, Value())},
        ""},
       {"a key that was deleted",
        {hold(1, {0, 90}, 1), put(2, {1, 4}, 1, "v"), remove(4, {5, 7}), get(3, {8, 9}, Value())},
        ""},
       {"a key that may have been deleted",
        {hold(1, {0, 90}, 1), put(2, {1, 4}, 1, "v"), lost(4, "lease.delete", 0, {{"key", "k"}}),
         get(3, {8, 9}, Value())},
        ""},
       {"a key of a lease that is over",
        {hold(1, {0, 20}, 1), put(2, {1, 4}, 1, "v"), over(4, {21, 22}, 1), get(3, {23, 25}, "v")},
        "its lease was over at 22 ns"},
       {"a key whose lease another has",
        {hold(1, {0, 20}, 1), put(2, {1, 4}, 1, "v"), hold(4, {21, 40}, 2), get(3, {23, 25}, "v")},
        "its lease was over at 21 ns"},
       {"the same value put again",
        {put(2, {1, 4}, 1, "v"), over(4, {21, 22}, 1), put(2, {22, 23}, 2, "v"),
         get(3, {23, 25}, "v")},
        ""},
       {"what was put before the last",
        {put(2, {1, 4}, 1, "v"), put(2, {5, 6}, 1, "w"), get(3, {7, 9}, "v")},
        "replaced or gone before"},
       {"what was put beside the last",
        {put(2, {1, 5}, 1, "v"), put(4, {5, 6}, 1, "w"), get(3, {7, 9}, "v")},
        ""},
       {"what was put before one that is put now",
        {put(2, {1, 4}, 1, "v"), put(2, {5, 7}, 1, "w"), get(3, {7, 9}, "v")},
        ""},
       {"put again behind the other",
        {put(2, {1, 4}, 1, "v"), put(2, {5, 6}, 1, "w"), put(2, {7, 8}, 1, "v"),
         get(3, {9, 10}, "v")},
        ""},
       {"put again with a lease that is over",
        {put(2, {1, 2}, 2, "v"), put(2, {3, 4}, 1, "v"), over(4, {5, 6}, 1), get(3, {9, 10}, "v")},
        "replaced or gone before"},
       {"shown behind its delete",
        {put(2, {1, 4}, 1, "v"), remove(4, {5, 6}), get(3, {7, 9}, "v")},
        "replaced or gone before"},
       {"shown behind a delete that may come later",
        {put(2, {1, 4}, 1, "v"), lost(4, "lease.delete", 5, {{"key", "k"}}), get(3, {7, 9}, "v")},
        ""},
       {"gone, and there again",
        {put(2, {1, 4}, 1, "v"), get(3, {5, 6}, Value()), get(3, {7, 9}, "v")},
        "replaced or gone before"},
       {"another, and back again",
        {put(2, {1, 4}, 1, "v"),
         lost(4, "lease.put", 1, {{"resource", "r"}, {"epoch", 1}, {"key", "k"}, {"value", "w"}}),
         get(3, {5, 6}, "w"), get(5, {6, 7}, "v"), get(3, {8, 9}, "v")},
        "replaced or gone before"},
       {"another that began earlier than a look at the same",
        {put(2, {1, 4}, 1, "v"),
         lost(4, "lease.put", 1, {{"resource", "r"}, {"epoch", 1}, {"key", "k"}, {"value", "w"}}),
         get(3, {6, 8}, "v"), get(5, {5, 9}, "w"), get(3, {10, 11}, "v")},
        "replaced or gone before"},
       {"put late by one that nobody knows of",
        {lost(4, "lease.put", 0, {{"resource", "r"}, {"epoch", 1}, {"key", "k"}, {"value", "v"}}),
         put(2, {1, 4}, 1, "w"), get(3, {5, 6}, "w"), get(3, {7, 9}, "v")},
        ""},
       {"a value of nobody", {get(3, {23, 25}, "v"), put(2, {26, 27}, 1, "v")}, "nobody put"},
       {"a refused one counts for nothing",
        {refused(put(2, {1, 4}, 1, "v")), get(3, {5, 9}, "v")},
        "nobody put"}});
}

TEST_CASE("a belief that lasts for no time binds nobody, and one instant is at once for leases") {
  const Operation first = put(2, {1, 4}, 1, "v");
  check_all(
      {{"an empty belief with a lower epoch", {hold(1, {0, 50}, 2), hold(2, {10, 10}, 1)}, ""},
       {"an empty belief behind its end", {over(2, {30, 40}, 1), hold(1, {50, 50}, 1)}, ""},
       {"a refusal in the instant of a higher one",
        {fence(2, {6, 9}, 1, false), fence(1, {9, 15}, 2, true)},
        ""},
       {"a refusal for the highest, and another in between later",
        {fence(1, {0, 5}, 4, true), fence(2, {6, 8}, 2, false),
         lost(3, "fence", 60, {{"resource", "r"}, {"token", 3}})},
        ""},
       {"over since the end of a later one was told",
        {first, over(4, {5, 10}, 3), over(5, {80, 90}, 1), get(3, {50, 60}, "v")},
        "its lease was over at 10 ns"},
       {"over since it was told first",
        {first, over(5, {80, 90}, 1), over(4, {5, 10}, 1), get(3, {50, 60}, "v")},
        "its lease was over at 10 ns"},
       {"there in the instant of its end",
        {first, over(4, {21, 22}, 1), get(3, {22, 25}, "v")},
        ""},
       {"gone in the instant of its end",
        {hold(1, {0, 9}, 1), first, get(3, {5, 9}, Value())},
        ""}});
}

TEST_CASE("lines of leases that lack a field or have a wrong one are refused") {
  check_all({
      {"no epoch",
       {done(1, "lease.hold", {0, 1}, {{"resource", "r"}})},
       "malformed: line 1: lease.hold: \"epoch\" is missing"},
      {"an epoch below nothing", {hold(1, {0, 1}, -1)}, "must not be negative"},
      {"a put without its lease", {put(2, {1, 4}, 1, 7)}, "\"value\" is 7, and must be a text"},
      {"other operations", {done(1, "write", {0, 1}, {{"key", "k"}})}, ""},
  });
}

TEST_CASE("drawn leases are legal, and illegal with each wrong of the service or its clients") {
  using Wrong = DrawnLeases::Wrong;
  const std::vector<std::pair<Wrong, std::string_view>> wrongs{
      {Wrong::none, ""},
      {Wrong::two_holders, "two clients"},
      {Wrong::epoch_again, "must rise"},
      {Wrong::stale_token, "accepted token 2"},
      {Wrong::needless_refusal, "refused token 4"},
      {Wrong::early_end, "told to be over"},
      {Wrong::key_outlives, "still there"},
      {Wrong::key_lost, "is gone"}};
  for (const auto& [wrong, expected] : wrongs)
    for (std::uint64_t seed = 1; seed <= (wrong == Wrong::none ? 10'000U : 200U); ++seed) {
      const History history = DrawnLeases(seed, wrong).run();
      const std::string said = why(judge_leases(history));
      if (fits(said, expected)) continue;
      CAPTURE(seed);
      CAPTURE(said);
      CAPTURE(history_text(history));
      REQUIRE(fits(said, expected));
    }
}
