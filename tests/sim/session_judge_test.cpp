#include "tubing/sim/judges/session_judge.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/sim/judged.h"
#include "tubing/channel/base/prng.h"

using namespace tubing;
using namespace tubing::sim;

namespace {

using Span = std::pair<std::int64_t, std::int64_t>;

Operation call(Span span, std::int64_t serial, std::optional<std::uint64_t> revision = {},
               Value sum = 0) {
  return done(1, "add", span,
              {{"session", "s"}, {"serial", serial}, {"by", 1}, {"sum", std::move(sum)}}, revision);
}
Operation attempt(std::int64_t called, std::int64_t serial) {
  return lost(1, "add", called, {{"session", "s"}, {"serial", serial}, {"by", 1}});
}
Operation applied(std::int64_t at, std::int64_t serial,
                  std::optional<std::uint64_t> revision = {}) {
  return done(99, "session.applied", {at, at}, {{"session", "s"}, {"serial", serial}}, revision);
}
Operation failed(std::int64_t called, std::int64_t serial) {
  Operation operation = refused(attempt(called, serial));
  operation.returned = called + 1;
  return operation;
}

// Sessions of a service as it should be: each call is tried until it is answered, or given up with
// its session.
History draw_sessions(std::uint64_t seed) {
  Prng prng(seed);
  const auto drawn = [&](std::uint64_t below) {
    return static_cast<std::int64_t>(prng.below(below));
  };
  History history;
  std::int64_t now = 0;
  std::uint64_t revision = 0;
  std::int64_t sum = 0;
  for (const char* session : {"a", "b"}) {
    for (std::int64_t serial = 1; serial <= 4; ++serial) {
      const Fields arguments{{"session", session}, {"serial", serial}, {"by", 1}};
      const bool given_up = prng.chance(1, 8);
      const std::int64_t tries = 1 + drawn(3);
      std::optional<Operation> effect;
      const std::int64_t effective =
          given_up ? drawn(2) * drawn(9) : drawn(static_cast<std::uint64_t>(tries));
      for (std::int64_t i = 0; i < tries; ++i) {
        history.push_back(lost(1, "add", now, arguments));
        if (i == effective) {
          revision += 1 + prng.below(2);
          effect = done(99, "session.applied", {now + 2, now + 2},
                        {{"session", session}, {"serial", serial}}, revision);
          history.push_back(*effect);
          sum += 1;
        }
        now += 5 + drawn(5);
      }
      if (given_up) break;
      for (std::int64_t again = drawn(2); again >= 0; --again) {
        Fields values = arguments;
        values.push_back({"sum", sum});
        history.push_back(done(1, "add", {now, now + 4}, values, effect->revision));
        now += 5;
      }
    }
  }
  return history;
}

}  // namespace

TEST_CASE("the judge of sessions tells a right service from each wrong one") {
  const std::vector<JudgedRow> rows{
      {"answered", {call({0, 5}, 1, 7), call({6, 9}, 2, 8)}, ""},
      {"retried", {attempt(0, 1), call({6, 9}, 1, 7), call({10, 12}, 1, 7)}, ""},
      {"another answer", {call({0, 5}, 1, 7, 1), call({6, 9}, 1, 7, 2)}, "answered in two ways"},
      {"another revision",
       {call({0, 5}, 1, 7), call({6, 9}, 1, 8)},
       "took effect twice, at revisions 7 and 8"},
      {"out of order", {call({0, 5}, 1, 8), call({0, 5}, 2, 7)}, "not behind revision 8"},
      {"at one revision", {call({0, 5}, 1, 8), call({0, 5}, 2, 8)}, "not behind revision 8"},
      {"behind a call that failed", {failed(0, 1), call({6, 9}, 2, 7)}, "took no effect"},
      {"behind one that failed once", {failed(0, 1), call({2, 5}, 1, 7), call({6, 9}, 2, 8)}, ""},
      {"behind one that nobody made",
       {call({0, 5}, 1, 7), call({6, 9}, 3, 8)},
       "call 2 was never made"},
      {"behind one that nobody knows of", {attempt(0, 1), call({6, 9}, 2, 8)}, ""},
      {"applied", {call({0, 5}, 1, 7), applied(3, 1, 7)}, ""},
      {"applied twice", {call({0, 5}, 1), applied(3, 1), applied(4, 1)}, "took effect twice"},
      {"applied with a gap",
       {attempt(0, 1), attempt(0, 2), applied(3, 2)},
       "took effect where call 1 was the next"},
      {"applied without a call", {attempt(0, 1), applied(3, 1), applied(4, 2)}, "nobody made it"},
      {"applied before the call", {attempt(5, 1), applied(3, 1)}, "before it was made"},
      {"applied behind the answer", {call({0, 5}, 1), applied(6, 1)}, "answered before it took"},
      {"applied though it failed", {failed(0, 1), applied(3, 1)}, "every attempt was told"},
      {"applied at another revision", {call({0, 5}, 1, 7), applied(3, 1, 8)}, "and was told 7"},
      {"lost", {call({0, 5}, 1), call({6, 9}, 2), applied(3, 1)}, "never took effect"},
      {"not lost where nobody knows", {call({0, 5}, 1), attempt(6, 2), applied(3, 1)}, ""},
      {"by revision, not by time",
       {attempt(0, 1), attempt(0, 2), applied(9, 1, 3), applied(4, 2, 4)},
       ""},
      {"with and without revisions",
       {attempt(0, 1), attempt(0, 2), applied(3, 1, 3), applied(4, 2)},
       "malformed: line 4"},
      {"without a serial",
       {done(1, "add", {0, 1}, {{"session", "s"}})},
       "malformed: line 1: add: \"serial\" is missing"},
      {"another request",
       {attempt(0, 1), lost(1, "add", 3, {{"session", "s"}, {"serial", 1}, {"by", 2}})},
       "malformed: line 2: add: its serial was used for another request"},
      {"other operations", {done(1, "read", {0, 1}, {})}, ""},
  };
  for (const JudgedRow& row : rows) {
    CAPTURE(row.name);
    const std::string said = why(judge_sessions(row.history));
    CAPTURE(said);
    CHECK(fits(said, row.expected));
  }
}

TEST_CASE("the judge of sessions goes by times and serials, not by the order of the lines") {
  const std::vector<JudgedRow> rows{
      {"applied in the instant of the answer", {call({0, 5}, 1), applied(5, 1)}, ""},
      {"applied in the instant of the call", {call({0, 5}, 1), applied(0, 1)}, ""},
      {"by time", {attempt(0, 1), attempt(0, 2), applied(9, 2), applied(4, 1)}, ""},
      {"the first attempt last", {attempt(5, 1), attempt(0, 1), applied(3, 1)}, ""},
      {"the first answer last",
       {call({6, 20}, 1), call({0, 5}, 1), applied(10, 1)},
       "answered before it took"},
      {"far behind one that nobody made",
       {attempt(0, 1), attempt(1, 3), call({6, 9}, 4, 8)},
       "call 2 was never made"},
  };
  for (const JudgedRow& row : rows) {
    CAPTURE(row.name);
    const std::string said = why(judge_sessions(row.history));
    CAPTURE(said);
    CHECK(fits(said, row.expected));
  }
}

TEST_CASE("drawn sessions are legal, and illegal where an effect is missing, doubled or moved") {
  int missing_caught = 0;
  int moved_caught = 0;
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    CAPTURE(seed);
    const History history = draw_sessions(seed);
    const std::string said = why(judge_sessions(history));
    CAPTURE(said);
    CAPTURE(history_text(history));
    REQUIRE(said.empty());
    if (seed > 300) continue;
    Prng prng(seed);
    std::vector<std::size_t> effects;
    for (std::size_t i = 0; i < history.size(); ++i)
      if (history[i].op == "session.applied") effects.push_back(i);
    if (effects.size() < 3) continue;
    const std::size_t one = effects[prng.below(effects.size() - 1)];
    // Only what was answered must be there; at least the first of two is.
    History missing = history;
    missing.erase(missing.begin() + static_cast<std::ptrdiff_t>(effects[0]));
    missing_caught += judge_sessions(missing)->legal() ? 0 : 1;
    History doubled = history;
    doubled.push_back(history[one]);
    *doubled.back().revision += 1000;
    REQUIRE_FALSE(judge_sessions(doubled)->legal());
    History moved = history;
    std::swap(moved[effects[0]].revision, moved[effects[1]].revision);
    moved_caught += judge_sessions(moved)->legal() ? 0 : 1;
  }
  CHECK(missing_caught > 150);
  CHECK(moved_caught > 150);
}
