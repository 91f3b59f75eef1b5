#include "tubing/sim/judges/watch_judge.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "tests/sim/judged.h"
#include "tubing/channel/base/prng.h"

using namespace tubing;
using namespace tubing::sim;

namespace {

using Span = std::pair<std::int64_t, std::int64_t>;

Value shown(std::string_view key, Value value) {
  return value == Value() ? Values{"delete", "", std::string(key)}
                          : Values{"put", "", std::string(key), std::move(value)};
}

Operation put(Span span, std::string key, Value value, std::uint64_t revision) {
  return done(1, "put", span, {{"key", std::move(key)}, {"value", std::move(value)}}, revision);
}
Operation lost_put(std::int64_t called, std::string key, Value value) {
  return lost(2, "put", called, {{"key", std::move(key)}, {"value", std::move(value)}});
}
Operation open(std::int64_t at, std::int64_t after, Fields more = {}) {
  more.push_back({"watch", 1});
  more.push_back({"after", after});
  return done(9, "watch.open", {at, at}, std::move(more));
}
Operation open_now(Span span, std::uint64_t revision) {
  return done(9, "watch.open", span, {{"watch", 1}}, revision);
}
Operation batch(std::int64_t at, std::int64_t previous, std::uint64_t revision, Values events,
                std::int64_t watch = 1) {
  return done(9, "watch.batch", {at, at},
              {{"watch", watch}, {"previous", previous}, {"events", std::move(events)}}, revision);
}
Operation mark(std::int64_t at, std::uint64_t revision) {
  return done(9, "watch.progress", {at, at}, {{"watch", 1}}, revision);
}
Operation compacted(std::int64_t at, std::int64_t oldest) {
  return done(9, "watch.compacted", {at, at}, {{"watch", 1}, {"oldest", oldest}});
}
Operation lagging(std::int64_t at, std::int64_t resume) {
  return done(9, "watch.lagging", {at, at}, {{"watch", 1}, {"resume", resume}});
}

const Fields kFromB{{"from", "b"}, {"to", "d"}};

std::vector<JudgedRow> rows_of_batches() {
  return {
      {"whole",
       {put({0, 5}, "a", 1, 3), put({6, 9}, "b", 2, 5), open(0, 0), batch(5, 0, 3, {shown("a", 1)}),
        batch(9, 3, 5, {shown("b", 2)})},
       ""},
      {"a gap",
       {put({0, 5}, "a", 1, 3), put({6, 9}, "b", 2, 5), open(0, 0),
        batch(9, 0, 5, {shown("b", 2)})},
       "passed over revision 3, which changed key a"},
      {"a gap that it names",
       {put({0, 5}, "a", 1, 3), put({6, 9}, "b", 2, 5), open(0, 0),
        batch(9, 3, 5, {shown("b", 2)})},
       "goes on from revision 3"},
      {"not yet",
       {put({0, 5}, "a", 1, 3), put({6, 9}, "b", 2, 5), open(0, 0),
        batch(5, 0, 3, {shown("a", 1)})},
       ""},
      {"again",
       {put({0, 5}, "a", 1, 3), open(0, 0), batch(5, 0, 3, {shown("a", 1)}),
        batch(6, 3, 3, {shown("a", 1)})},
       "shown again"},
      {"another value",
       {put({0, 5}, "a", 1, 3), open(0, 0), batch(5, 0, 3, {shown("a", 2)})},
       "did something else to key a"},
      {"more than there was",
       {put({0, 5}, "a", 1, 3), open(0, 0), batch(5, 0, 3, {shown("a", 1), shown("b", 1)})},
       "did not do to key b"},
      {"nothing", {put({0, 5}, "a", 1, 3), open(0, 0), batch(5, 0, 3, {})}, "shows no event"},
      {"before its time",
       {put({6, 9}, "a", 1, 3), open(0, 0), batch(5, 0, 3, {shown("a", 1)})},
       "told before the other was called"},
      {"keys beside the range",
       {put({0, 5}, "a", 1, 3), put({6, 9}, "b", 2, 5), open(0, 0, kFromB),
        batch(9, 0, 5, {shown("b", 2)})},
       ""},
      {"a key beside the range",
       {put({0, 5}, "a", 1, 3), open(0, 0, kFromB), batch(9, 0, 3, {shown("a", 1)})},
       "was not asked for"},
  };
}

std::vector<JudgedRow> rows_of_effects() {
  return {
      {"half of a transaction",
       {done(1, "txn", {0, 5},
             {{"if", Values{}},
              {"then", Values{Values{"put", "", "a", 1}, Values{"put", "", "b", 2}}},
              {"else", Values{}},
              {"held", true}},
             3),
        open(0, 0), batch(5, 0, 3, {shown("b", 2)})},
       "did something else to key a"},
      {"one in two batches",
       {done(1, "txn", {0, 5},
             {{"if", Values{}},
              {"then", Values{Values{"put", "", "a", 1}, Values{"put", "", "b", 2}}},
              {"else", Values{}},
              {"held", true}},
             3),
        open(0, 0, kFromB), batch(5, 0, 3, {shown("b", 2)})},
       ""},
      {"a delete that found nothing, or did not say",
       {done(1, "delete", {0, 5}, {{"key", "a"}, {"found", false}}, 3),
        done(1, "delete", {5, 9}, {{"key", "a"}}, 4), open(0, 0), mark(10, 9)},
       ""},
      {"beside a delete that did not say",
       {done(1, "txn", {0, 5},
             {{"if", Values{}},
              {"then", Values{Values{"delete", "", "a"}, Values{"put", "", "b", 2}}},
              {"else", Values{}},
              {"held", true}},
             3),
        open(0, 0), batch(5, 0, 3, {shown("b", 2)})},
       ""},
      {"in the instant in which it was called",
       {put({5, 9}, "a", 1, 3), open(0, 0), batch(5, 0, 3, {shown("a", 1)})},
       ""},
      {"a delete that found its key",
       {done(1, "delete", {0, 5}, {{"key", "a"}, {"found", true}}, 3), open(0, 0), mark(10, 9)},
       "passed over revision 3"},
      {"a swap",
       {done(1, "cas", {0, 5}, {{"key", "a"}, {"from", 1}, {"to", Value()}, {"swapped", true}}, 3),
        open(0, 0), batch(9, 0, 3, {shown("a", Value())})},
       ""},
      {"a swap that failed",
       {done(1, "cas", {0, 5}, {{"key", "a"}, {"from", 1}, {"to", 2}, {"swapped", false}}, 3),
        open(0, 0), batch(9, 0, 3, {shown("a", 2)})},
       "no operation explains"},
      {"a dropped table",
       {done(1, "drop_table", {0, 5}, {{"table", "t"}, {"dropped", true}}, 3),
        open(0, 0, {{"table", "t"}}), batch(9, 0, 3, {Value(Values{"delete", "t", "a"})})},
       ""},
  };
}

std::vector<JudgedRow> rows_of_ends() {
  return {
      {"a mark that holds",
       {put({0, 5}, "a", 1, 3), open(0, 0), batch(5, 0, 3, {shown("a", 1)}), mark(6, 4),
        put({7, 8}, "a", 2, 5), batch(9, 4, 5, {shown("a", 2)})},
       ""},
      {"a mark over a change",
       {put({0, 5}, "a", 1, 3), open(0, 0), mark(6, 4)},
       "passed over revision 3"},
      {"a mark first, of a watch opened nobody knows where",
       {put({0, 5}, "a", 1, 3), lost(9, "watch.open", 6, {{"watch", 1}}), mark(7, 4)},
       ""},
      {"a mark that goes back", {open(0, 7), mark(6, 4)}, "goes back to revision 4"},
      {"a change below a mark",
       {open(0, 0), mark(6, 4), put({7, 8}, "a", 2, 4)},
       "revision 4 had been told"},
      {"resumed",
       {put({0, 5}, "a", 1, 3), put({6, 9}, "b", 2, 5), open(9, 3),
        batch(9, 3, 5, {shown("b", 2)})},
       ""},
      {"resumed too late",
       {put({0, 5}, "a", 1, 3), put({6, 9}, "b", 2, 5), open(9, 2),
        batch(9, 2, 5, {shown("b", 2)})},
       "passed over revision 3"},
      {"resumed too early",
       {put({0, 5}, "a", 1, 3), put({6, 9}, "b", 2, 5), open(9, 3),
        batch(9, 0, 3, {shown("a", 1)})},
       "shown again"},
      {"opened now",
       {put({0, 5}, "a", 1, 3), put({6, 9}, "b", 2, 5), open_now({6, 8}, 3),
        batch(9, 3, 5, {shown("b", 2)})},
       ""},
      {"opened in the past", {put({0, 5}, "a", 1, 3), open_now({6, 8}, 2)}, "had been told"},
      {"compacted", {open(0, 3), compacted(1, 5)}, ""},
      {"compacted in vain", {open(0, 3), compacted(1, 4)}, "was told `compacted`"},
      {"lagging",
       {put({0, 5}, "a", 1, 3), open(0, 0), batch(5, 0, 3, {shown("a", 1)}), lagging(9, 3),
        open(10, 3), mark(11, 4)},
       ""},
      {"lagging over a change",
       {put({0, 5}, "a", 1, 3), open(0, 0), lagging(9, 3)},
       "passed over revision 3"},
      {"lagging back", {open(0, 3), lagging(9, 2)}, "see again"},
      {"behind its end", {open(0, 3), lagging(9, 3), mark(10, 4)}, "behind its end"},
      {"not opened", {mark(10, 4)}, "malformed: line 1: watch.progress: watch 1 was not opened"},
      {"no previous",
       {open(0, 0), done(9, "watch.batch", {1, 1}, {{"watch", 1}}, 2)},
       "malformed: line 2: watch.batch: \"previous\" is missing"},
      {"no event",
       {open(0, 0), batch(1, 0, 2, {7})},
       "malformed: line 2: watch.batch: an event is 7"},
      {"no revision",
       {done(1, "put", {0, 1}, {{"key", "a"}, {"value", 1}})},
       "malformed: line 1: \"rev\" is missing"},
      {"one revision twice", {put({0, 5}, "a", 1, 3), put({0, 5}, "b", 1, 3)}, "two changes took"},
  };
}

std::vector<JudgedRow> rows_of_unknown() {
  return {
      {"one explains it", {lost_put(0, "a", 1), open(0, 0), batch(5, 0, 3, {shown("a", 1)})}, ""},
      {"one is called too late",
       {lost_put(6, "a", 1), open(0, 0), batch(5, 0, 3, {shown("a", 1)})},
       "no operation explains what revision 3 did"},
      {"one put another value",
       {lost_put(0, "a", 2), open(0, 0), batch(5, 0, 3, {shown("a", 1)})},
       "no operation explains"},
      {"one explains one",
       {lost_put(0, "a", 1), open(0, 0), batch(5, 0, 3, {shown("a", 1)}),
        batch(6, 3, 4, {shown("a", 1)})},
       "what revision 4 did"},
      {"two explain two, whichever was there first",
       {lost_put(0, "a", 1), lost_put(6, "a", 1), open(0, 0), batch(5, 0, 3, {shown("a", 1)}),
        batch(7, 3, 4, {shown("a", 1)})},
       ""},
      {"one goes to whom no other helps",
       {lost(2, "txn", 0,
             {{"if", Values{}}, {"then", Values{shown("a", 1)}}, {"else", Values{shown("b", 1)}}}),
        lost_put(0, "a", 1), open(0, 0), batch(5, 0, 3, {shown("a", 1)}),
        batch(6, 3, 4, {shown("b", 1)})},
       ""},
      {"one may have dropped the table",
       {lost(2, "drop_table", 0, {{"table", "t"}}), open(0, 0, {{"table", "t"}}),
        batch(9, 0, 3, {Value(Values{"delete", "t", "a"})})},
       ""},
      {"one lies behind what was told before",
       {open(0, 0), mark(1, 3), lost_put(2, "a", 1), open(3, 2), batch(5, 2, 3, {shown("a", 1)})},
       "no operation explains"},
      {"watches disagree",
       {lost_put(0, "a", 1), lost_put(0, "a", 2), open(0, 0), batch(5, 0, 3, {shown("a", 1)}),
        done(8, "watch.open", {0, 0}, {{"watch", 2}, {"after", 0}}),
        batch(5, 0, 3, {shown("a", 2)}, 2)},
       "no operation explains"},
      {"another watch passed over it",
       {lost_put(0, "a", 1), open(0, 0), mark(4, 3),
        done(8, "watch.open", {0, 0}, {{"watch", 2}, {"after", 0}}),
        batch(5, 0, 3, {shown("a", 1)}, 2)},
       "no operation explains"},
  };
}

std::vector<JudgedRow> rows_of_branches() {
  return {
      {"one goes on where none is left of what it could do",
       {lost_put(6, "a", 1),
        lost(2, "txn", 0,
             {{"if", Values{}}, {"then", Values{shown("a", 1)}}, {"else", Values{shown("b", 1)}}}),
        lost(3, "txn", 0,
             {{"if", Values{}}, {"then", Values{shown("b", 1)}}, {"else", Values{shown("c", 1)}}}),
        open(0, 0), batch(5, 0, 3, {shown("a", 1)}), batch(7, 3, 4, {shown("b", 1)}),
        batch(8, 4, 5, {shown("a", 1)}), batch(9, 5, 6, {shown("c", 1)})},
       "what revision 6 did"},
      {"a delete that may have found nothing",
       {lost(2, "txn", 0,
             {{"if", Values{}},
              {"then", Values{shown("a", 1), shown("b", Value())}},
              {"else", Values{}}}),
        open(0, 0), batch(5, 0, 3, {shown("a", 1)})},
       ""},
      {"a delete that found its key for one watch alone",
       {lost(2, "txn", 0,
             {{"if", Values{}},
              {"then", Values{shown("a", 1), shown("b", Value())}},
              {"else", Values{}}}),
        open(0, 0), batch(5, 0, 3, {shown("a", 1)}),
        done(8, "watch.open", {0, 0}, {{"watch", 2}, {"after", 0}}),
        batch(5, 0, 3, {shown("a", 1), shown("b", Value())}, 2)},
       "no operation explains"},
      {"a key that another watch should have seen as well",
       {lost(
            2, "txn", 0,
            {{"if", Values{}}, {"then", Values{shown("a", 1), shown("b", 1)}}, {"else", Values{}}}),
        done(8, "watch.open", {0, 0}, {{"watch", 2}, {"after", 0}, {"to", "b"}}),
        batch(5, 0, 3, {shown("a", 1)}, 2), open(0, 0, kFromB), mark(5, 3)},
       "no operation explains"},
  };
}

// Transactions of unknown end that did one thing or another, and a watch that may have seen them.
class DrawnBranches {
 public:
  explicit DrawnBranches(std::uint64_t seed) : prng_(seed) {}

  History run() {
    History history{open(0, 0)};
    const std::int64_t batches = 3 + drawn(5);
    for (std::int64_t i = 1; i <= batches; ++i) {
      seen_.push_back(key());
      history.push_back(
          batch(10 * i, i - 1, static_cast<std::uint64_t>(i), {shown(seen_.back(), 1)}));
    }
    for (std::int64_t i = batches + drawn(2); i > 0; --i) {
      const std::int64_t told = drawn(static_cast<std::uint64_t>(batches));
      asked_.push_back({told, key(), key()});
      history.push_back(lost(static_cast<std::uint64_t>(20 + i), "txn", 10 * told + 5,
                             {{"if", Values{}},
                              {"then", Values{shown(asked_.back().then, 1)}},
                              {"else", Values{shown(asked_.back().otherwise, 1)}}}));
    }
    return history;
  }

  // By trying all.
  bool is_legal(std::size_t from = 0) {
    if (from == seen_.size()) return true;
    return std::ranges::any_of(asked_, [&](Asked& asked) {
      const bool fits = asked.told < static_cast<std::int64_t>(from) + 1 &&
                        (asked.then == seen_[from] || asked.otherwise == seen_[from]);
      if (asked.used || !fits) return false;
      asked.used = true;
      const bool legal = is_legal(from + 1);
      asked.used = false;
      return legal;
    });
  }

 private:
  struct Asked {
    std::int64_t told;
    std::string then;
    std::string otherwise;
    bool used = false;
  };

  std::int64_t drawn(std::uint64_t below) { return static_cast<std::int64_t>(prng_.below(below)); }
  std::string key() { return std::string(1, static_cast<char>('a' + drawn(4))); }

  Prng prng_;
  std::vector<std::string> seen_;
  std::vector<Asked> asked_;
};

// A store that changes keys, some of them by operations whose end nobody knows, and watches that
// are told of it as they should be.
class DrawnWatches {
 public:
  explicit DrawnWatches(std::uint64_t seed) : prng_(seed) {}

  History run() {
    for (int i = 0; i < 14; ++i) change();
    for (std::int64_t watch = 1; watch <= 3; ++watch) follow(watch);
    return std::move(history_);
  }

 private:
  struct Change {
    std::int64_t told;
    std::uint64_t revision;
    std::string key;
    std::int64_t value;
  };

  std::int64_t drawn(std::uint64_t below) { return static_cast<std::int64_t>(prng_.below(below)); }

  void change() {
    revision_ += 1 + prng_.below(2);
    const std::string key(1, static_cast<char>('a' + drawn(4)));
    const std::int64_t value = drawn(3);
    const std::int64_t called = now_;
    now_ += 4 + drawn(8);
    if (prng_.chance(1, 5)) {
      history_.push_back(lost_put(called, key, value));
      if (prng_.chance(1, 3)) return;  // It never comes.
    } else {
      history_.push_back(put({called, now_}, key, value, revision_));
    }
    changes_.push_back({now_, revision_, key, value});
  }

  void follow(std::int64_t watch) {
    Fields fields{{"watch", watch}, {"after", 0}};
    const bool narrow = prng_.chance(1, 2);
    if (narrow) fields.push_back({"from", "b"});
    if (narrow) fields.push_back({"to", "d"});
    std::int64_t stands_at = 0;
    history_.push_back(done(9, "watch.open", {0, 0}, fields));
    std::int64_t now = 0;
    for (const Change& change : changes_) {
      now = std::max(now + 1, change.told);
      if (!narrow || (change.key >= "b" && change.key < "d")) {
        history_.push_back(
            batch(now, stands_at, change.revision, {shown(change.key, change.value)}, watch));
        stands_at = static_cast<std::int64_t>(change.revision);
      }
      if (!prng_.chance(1, 6)) continue;
      stands_at = static_cast<std::int64_t>(change.revision);
      const bool resumes = prng_.chance(1, 2);
      history_.push_back(
          resumes ? done(9, "watch.lagging", {now, now}, {{"watch", watch}, {"resume", stands_at}})
                  : done(9, "watch.progress", {now, now}, {{"watch", watch}}, change.revision));
      if (!resumes) continue;
      fields[1].value = stands_at;
      history_.push_back(done(9, "watch.open", {now, now}, fields));
    }
  }

  Prng prng_;
  History history_;
  std::vector<Change> changes_;
  std::uint64_t revision_ = 0;
  std::int64_t now_ = 0;
};

}  // namespace

TEST_CASE("the judge of watches tells what was shown from what should have been") {
  for (const auto& rows : {rows_of_batches(), rows_of_effects(), rows_of_ends(), rows_of_unknown(),
                           rows_of_branches()})
    for (const JudgedRow& row : rows) {
      CAPTURE(row.name);
      const std::string said = why(judge_watches(row.history));
      CAPTURE(said);
      CHECK(fits(said, row.expected));
    }
}

TEST_CASE("drawn watches are legal, and illegal with a batch missing, doubled, late or another's") {
  std::map<std::string_view, int> caught;
  for (std::uint64_t seed = 1; seed <= 10'000; ++seed) {
    CAPTURE(seed);
    const History history = DrawnWatches(seed).run();
    const std::string said = why(judge_watches(history));
    CAPTURE(said);
    CAPTURE(history_text(history));
    REQUIRE(said.empty());
    if (seed > 300) continue;
    std::vector<std::size_t> batches;
    for (std::size_t i = 0; i + 1 < history.size(); ++i)
      if (history[i].op == "watch.batch" && history[i + 1].op == "watch.batch" &&
          *history[i].find("watch") == *history[i + 1].find("watch"))
        batches.push_back(i);
    if (batches.empty()) continue;
    const std::size_t one = batches[Prng(seed).below(batches.size())];
    const auto judge = [&](std::string_view name, const auto& disturb) {
      History wrong = history;
      disturb(wrong);
      caught[name] += judge_watches(wrong)->legal() ? 0 : 1;
    };
    judge("missing",
          [&](History& wrong) { wrong.erase(wrong.begin() + static_cast<std::ptrdiff_t>(one)); });
    judge("doubled", [&](History& wrong) {
      wrong.insert(wrong.begin() + static_cast<std::ptrdiff_t>(one), wrong[one]);
    });
    judge("late", [&](History& wrong) {
      std::swap(wrong[one].revision, wrong[one + 1].revision);
      std::swap(wrong[one].values, wrong[one + 1].values);
    });
    judge("another's",
          [&](History& wrong) { wrong[one].values.back().value = Values{shown("c", 77)}; });
  }
  for (const auto& [name, times] : caught) {
    CAPTURE(name);
    CHECK(times > 250);
  }
  CHECK(caught.size() == 4);
}

TEST_CASE("what watches have seen of transactions of unknown end is explained where it can be") {
  std::map<bool, int> times;
  for (std::uint64_t seed = 1; seed <= 5'000; ++seed) {
    CAPTURE(seed);
    DrawnBranches drawn(seed);
    const History history = drawn.run();
    CAPTURE(history_text(history));
    const bool legal = drawn.is_legal();
    ++times[legal];
    REQUIRE(judge_watches(history)->legal() == legal);
  }
  CHECK(times[true] > 300);
  CHECK(times[false] > 500);
}

TEST_CASE("twenty thousand changes of unknown end that look alike are found within few steps") {
  History history{open(0, 0)};
  constexpr std::int64_t kChanges = 20'000;
  for (std::int64_t i = 0; i < kChanges; ++i) {
    history.push_back(lost_put(10 * i, "a", 1));
    history.push_back(batch(10 * i + 5, i, static_cast<std::uint64_t>(i) + 1, {shown("a", 1)}));
  }
  const WatchOptions options{.work_max = std::uint64_t{kChanges} * 20};
  CHECK(why(judge_watches(history, options)).empty());
  // The last one lacks its own; nobody else can help.
  history.erase(history.end() - 2);
  CHECK(why(judge_watches(history, options)).contains("what revision 20000 did"));
}

TEST_CASE("the judge of watches gives up at its limit, and says so") {
  History history{open(0, 0)};
  for (std::int64_t i = 0; i < 100; ++i) history.push_back(lost_put(0, "a", 1));
  for (std::int64_t i = 0; i < 100; ++i)
    history.push_back(batch(5 + i, i, static_cast<std::uint64_t>(i) + 1, {shown("a", 1)}));
  CHECK(why(judge_watches(history, {.work_max = 300})) ==
        "undecided: 300 steps were not enough (work_max); raise it, or check a shorter history");
  History passed{open(0, 0, kFromB)};
  for (std::int64_t i = 0; i < 100; ++i)
    passed.push_back(put({2 * i, 2 * i + 1}, "a", 1, static_cast<std::uint64_t>(i) + 1));
  passed.push_back(mark(300, 100));
  CHECK(why(judge_watches(passed, {.work_max = 100})).starts_with("undecided"));
  CHECK(why(judge_watches(passed, {.work_max = 400})).empty());
}
