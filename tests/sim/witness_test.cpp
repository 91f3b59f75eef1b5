#include "tubing/sim/judges/witness.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include "tests/sim/judged.h"
#include "tests/sim/revisions.h"
#include "tests/sim/touching_histories.h"
#include "tests/sim/witness_by_force.h"
#include "tubing/sim/judges/cas_model.h"
#include "tubing/sim/judges/linearizability.h"
#include "tubing/sim/judges/map_model.h"
#include "tubing/sim/judges/register_model.h"

using namespace tubing;
using namespace tubing::sim;

namespace {

using Span = std::pair<std::int64_t, std::int64_t>;

// Of a history drawn from a small plan some answers and revisions become others.
void disturb(History& history, Prng& prng) {
  for (std::uint64_t i = prng.below(3); i > 0; --i) mutate(history, prng);
  if (!prng.chance(1, 3)) return;
  for (Operation& operation : history)
    if (operation.revision && prng.chance(1, 8)) operation.revision = prng.below(8);
}

template <Model M>
void agree_with_force(std::string_view model, const HistoryPlan& plan, int histories) {
  int legal = 0;
  for (int seed = 1; seed <= histories; ++seed) {
    CAPTURE(model);
    CAPTURE(seed);
    Prng prng(static_cast<std::uint64_t>(seed));
    History history = draw_revisions(model, plan, prng, prng.below(3));
    if (prng.chance(3, 4)) disturb(history, prng);
    CAPTURE(history_text(history));
    M forced;
    if constexpr (requires { forced.survey(history); }) forced.survey(history);
    const bool exists = WitnessByForce<M>(forced, history).exists();
    const auto ruling = judge_by_witness(M(), history);
    REQUIRE(ruling);
    CAPTURE(told(*ruling, history));
    REQUIRE(ruling->verdict == (exists ? Verdict::legal : Verdict::illegal));
    legal += exists ? 1 : 0;
  }
  CAPTURE(legal);
  CHECK(legal > histories / 10);
  CHECK(legal < histories * 19 / 20);
}

constexpr HistoryPlan kSmall{.operations = 8,
                             .clients = 4,
                             .keys = 2,
                             .values = 2,
                             .unknown_per_million = 300'000,
                             .failed_per_million = 50'000,
                             .span_max_ns = 8,
                             .pause_max_ns = 8};

}  // namespace

TEST_CASE("the witness checker agrees with brute force on drawn histories") {
  HistoryPlan one_key = kSmall;
  one_key.keys = 1;
  agree_with_force<RegisterModel>("register", one_key, 1000);
  agree_with_force<MapModel>("map", kSmall, 1000);
  agree_with_force<MapModel>("map ranges", kSmall, 1000);
  agree_with_force<MapModel>("map tables", kSmall, 1000);
}

TEST_CASE("the witness checker agrees with brute force on every small history of a coarse clock") {
  const std::vector<Question> questions{
      {.op = "write", .arguments = {{"value", 0}}},
      {.op = "read", .answers = {{{"value", Value()}}, {{"value", 0}}}, .may_be_unknown = false}};
  int legal = 0;
  int illegal = 0;
  const auto agree = [&](const History& history) {
    RegisterModel model;
    const bool exists = WitnessByForce<RegisterModel>(model, history).exists();
    const auto ruling = judge_by_witness(RegisterModel(), history);
    CAPTURE(history_text(history));
    REQUIRE(ruling);
    REQUIRE(ruling->verdict == (exists ? Verdict::legal : Verdict::illegal));
    (exists ? legal : illegal) += 1;
  };
  // Each with all revisions that its answers may carry.
  std::function<void(History, std::size_t)> give = [&](History history, std::size_t from) {
    while (from < history.size() && history[from].ending != Ending::ok) ++from;
    if (from == history.size()) return agree(history);
    for (history[from].revision = 0; history[from].revision <= 3; ++*history[from].revision)
      give(history, from + 1);
  };
  const auto visit = [&](const History& history) { give(history, 0); };
  TouchingHistories(questions, {.clients = 1, .instants = 2}, visit).show(3);
  CAPTURE(legal);
  CAPTURE(illegal);
  CHECK(legal > 200);
  CHECK(illegal > 200);
}

namespace {

Operation write(Span span, std::int64_t value, std::uint64_t revision) {
  return done(1, "write", span, {{"value", value}}, revision);
}
Operation read(Span span, Value value, std::uint64_t revision) {
  return done(2, "read", span, {{"value", std::move(value)}}, revision);
}
Operation lost_write(std::int64_t called, std::int64_t value, std::string key = "") {
  Fields values{{"value", value}};
  if (!key.empty()) values.insert(values.begin(), {"key", std::move(key)});
  return lost(3, "write", called, std::move(values));
}
Operation read_of(std::string key, Span span, Value value, std::uint64_t revision) {
  return done(2, "read", span, {{"key", std::move(key)}, {"value", std::move(value)}}, revision);
}

}  // namespace

TEST_CASE(
    "the witness checker says which two operations contradict each other, or what replay says") {
  const std::vector<JudgedRow> rows{
      {"in order", {write({0, 5}, 1, 3), read({6, 9}, 1, 3), write({10, 12}, 2, 5)}, ""},
      {"at once, by revision", {write({0, 9}, 1, 4), write({0, 9}, 2, 3), read({5, 20}, 1, 7)}, ""},
      {"one revision twice",
       {write({0, 5}, 1, 3), write({6, 9}, 2, 3)},
       "two changes took revision 3"},
      {"a change at the beginning", {write({0, 5}, 1, 0)}, "revision 0"},
      {"a stale read",
       {write({0, 5}, 1, 3), read({6, 9}, Value(), 2)},
       "returned with revision 3 before the other was called, which read at revision 2"},
      {"a change in the past",
       {read({0, 5}, Value(), 3), write({6, 9}, 1, 3)},
       "before the other was called, which took revision 3"},
      {"a read at the revision of another",
       {read({0, 5}, Value(), 3), read({6, 9}, Value(), 3)},
       ""},
      {"of one client, one behind another in a moment",
       {write({0, 5}, 1, 3), write({5, 9}, 2, 2)},
       "took revision 2"},
      {"of two, in a moment", {write({0, 5}, 1, 3), read({5, 9}, Value(), 2)}, ""},
      {"a wrong answer",
       {write({0, 5}, 1, 3), read({6, 9}, 2, 4)},
       "the whole is 1 before revision 4: that answer cannot be"},
      {"the state behind its revision, not before", {write({0, 9}, 1, 3), read({0, 9}, 1, 3)}, ""},
      {"the state before its revision",
       {write({0, 9}, 1, 3), read({0, 9}, Value(), 3)},
       "that answer cannot be"},
      {"no revision",
       {done(1, "read", {0, 1}, {{"value", 1}})},
       "malformed: line 1: \"rev\" is missing"},
      {"a failed one counts for nothing",
       {refused(write({0, 5}, 1, 3)), read({6, 9}, 1, 3)},
       "that answer cannot be"},
  };
  for (const JudgedRow& row : rows) {
    CAPTURE(row.name);
    const std::string said = why(judge_by_witness(RegisterModel(), row.history));
    CAPTURE(said);
    CHECK(fits(said, row.expected));
  }
}

TEST_CASE("operations of unknown end fill free revisions, each one, where an answer needs them") {
  const std::vector<JudgedRow> rows{
      {"one", {lost_write(0, 7), read({1, 5}, 7, 1)}, ""},
      {"called too late", {read({1, 5}, 7, 1), lost_write(6, 7)}, "whatever became of"},
      {"no free revision",
       {write({0, 5}, 1, 1), lost_write(0, 7), read({1, 5}, 7, 1)},
       "whatever became of 1 operation of unknown end"},
      {"a free one before the next change",
       {write({0, 5}, 1, 1), lost_write(0, 7), read({1, 5}, 7, 2), write({6, 9}, 2, 3)},
       ""},
      {"above what was told before it was called",
       {write({0, 5}, 1, 5), lost_write(6, 7), read({0, 9}, 7, 4)},
       "whatever became of"},
      {"of two alike the one that was called first, in whatever order they stand",
       {write({0, 5}, 1, 5), lost_write(6, 7), lost_write(0, 7), read({0, 9}, 7, 4)},
       ""},
      {"one for two reads", {lost_write(0, 7), read({1, 5}, 7, 1), read({6, 9}, 7, 2)}, ""},
      {"one comes back",
       {lost_write(0, 7), read({1, 5}, 7, 1), write({6, 9}, 1, 2), read({10, 12}, 7, 3)},
       "whatever became of 1 operation"},
      {"two for one revision",
       {lost_write(0, 7, "a"), lost_write(0, 7, "b"), read_of("a", {1, 5}, 7, 1),
        read_of("b", {6, 9}, 7, 1)},
       "these 2 operations of unknown end took effect above revision 0 and not above 1, where only "
       "1 is left"},
      {"two for two revisions, the later deadline later",
       {lost_write(0, 7, "a"), lost_write(0, 7, "b"), read_of("b", {1, 5}, 7, 1),
        read_of("a", {6, 9}, 7, 2)},
       ""},
  };
  for (const JudgedRow& row : rows) {
    CAPTURE(row.name);
    const std::string said = why(judge_by_witness(RegisterModel(), row.history));
    CAPTURE(said);
    CHECK(fits(said, row.expected));
  }
}

TEST_CASE("a part that can do with another revision makes room for a part that cannot") {
  const auto get = [](Span span, std::string table, std::string key, Value value,
                      std::uint64_t revision) {
    return done(2, "get", span,
                {{"table", std::move(table)}, {"key", std::move(key)}, {"value", std::move(value)}},
                revision);
  };
  const auto put = [](std::string table, std::string key) {
    return lost(3, "put", 0, {{"table", std::move(table)}, {"key", std::move(key)}, {"value", 5}});
  };
  // c may have come before revision 2 or behind it; x came behind it, where revision 4 alone is
  // free.
  History history{
      get({10, 15}, "t", "a", Value(), 2),
      put("t", "c"),
      done(4, "range", {20, 25}, {{"table", "t"}, {"rows", Values(1, Values{"c", 5})}}, 4),
      get({16, 18}, "u", "x", Value(), 2),
      put("u", "x"),
      get({20, 25}, "u", "x", 5, 4),
      done(5, "put", {16, 18}, {{"key", "z"}, {"value", 0}}, 3)};
  CHECK(why(judge_by_witness(MapModel(), history)) == "");
  WitnessOptions no_alternatives;
  no_alternatives.alternatives_max = 1;
  CHECK(why(judge_by_witness(MapModel(), history, no_alternatives)).starts_with("undecided: "));
  // Two others fill the revisions before.
  for (const std::uint64_t revision : {1, 2}) {
    const std::string key = "y" + std::to_string(revision);
    history.push_back(put("u", key));
    history.push_back(get({30, 31}, "u", key, 5, revision));
    history.back().called = 0;
    history.back().client = 10 + revision;
  }
  CHECK(why(judge_by_witness(MapModel(), history)).contains("of unknown end took effect above"));
}

namespace {

Operation put_of_k(std::string value, std::uint64_t revision) {
  return done(1, "put", {0, 99}, {{"key", "k"}, {"value", std::move(value)}}, revision);
}
Operation lost_swap(std::string from, std::string to) {
  return lost(3, "cas", 0, {{"key", "k"}, {"from", std::move(from)}, {"to", std::move(to)}});
}
// That k held something else at the revision.
Operation was_not(std::string value, std::uint64_t revision) {
  return done(2, "cas", {0, 99},
              {{"key", "k"}, {"from", std::move(value)}, {"to", "other"}, {"swapped", false}},
              revision);
}

}  // namespace

TEST_CASE("what was tried and given up does not leave its operations to be placed once more") {
  // x was seen, so z, put behind it, is settled. From there a and z again explain what was not at
  // 4 and 5, and b and c alone what was not at 6; then nothing is left to explain 7. A second a
  // would do, behind the z that was given up.
  History history{
      lost(3, "put", 0, {{"key", "k"}, {"value", "x"}}),
      done(2, "get", {0, 99}, {{"key", "k"}, {"value", "x"}}, 2),
      put_of_k("z", 3),
      lost_swap("z", "a"),
      lost_swap("a", "z"),
      lost_swap("z", "b"),
      lost_swap("b", "c"),
      was_not("z", 4),
      was_not("a", 5),
      was_not("b", 6),
      was_not("z", 6),
  };
  CHECK(why(judge_by_witness(MapModel(), history)) == "");
  history.push_back(was_not("c", 7));
  CHECK(why(judge_by_witness(MapModel(), history)).contains("whatever became of 5 operations"));
  history.push_back(lost_swap("z", "a"));
  CHECK(why(judge_by_witness(MapModel(), history)) == "");
}

namespace {

Operation lost_put(std::string value) {
  return lost(3, "put", 0, {{"key", "k"}, {"value", std::move(value)}});
}
Operation get_of_k(std::string value, std::uint64_t revision) {
  return done(2, "get", {0, 99}, {{"key", "k"}, {"value", std::move(value)}}, revision);
}
Operation was_there(std::uint64_t revision) {
  Operation operation = was_not("", revision);
  operation.values[1].value = Value();
  return operation;
}

// At 1 and 2, p or else q and s; at 4, behind the z that settles, p alone.
History two_ways_to_begin() {
  return {lost_put("p"),   lost_put("q"),    lost_put("s"),   was_there(1),    was_not("s", 1),
          was_not("q", 2), put_of_k("z", 3), was_not("q", 4), was_not("s", 4), was_not("z", 4)};
}

}  // namespace

TEST_CASE("what explained an answer is given back where another answer needs it more") {
  History history = two_ways_to_begin();
  CHECK(why(judge_by_witness(MapModel(), history)) == "");
  // Both q and s were needed before z.
  history.push_back(was_not("p", 5));
  CHECK(why(judge_by_witness(MapModel(), history)).contains("whatever became of 3 operations"));
  history.push_back(lost_put("s"));
  CHECK(why(judge_by_witness(MapModel(), history)) == "");
}

TEST_CASE("a state that is met again with other operations left, or more room, is another") {
  Operation first = lost_swap("", "b");
  first.values[1].value = Value();
  // The put is needed behind z, so that the swap came before.
  CHECK(why(judge_by_witness(MapModel(), {lost_put("b"), first, get_of_k("b", 2), put_of_k("z", 3),
                                          get_of_k("b", 5)})) == "");
  // b came at 1 already, unseen, and left 2 to c.
  CHECK(why(judge_by_witness(MapModel(), {lost_put("b"), lost_swap("b", "c"), was_not("x", 1),
                                          get_of_k("c", 2)})) == "");
}

TEST_CASE("the witness checker stops at each of its bounds and says so") {
  History history{write({0, 5}, 100, 1)};
  for (std::int64_t i = 0; i < 12; ++i) history.push_back(lost_write(6, i));
  history.push_back(read({6, 9}, 11, 40));
  CHECK(why(judge_by_witness(RegisterModel(), history)) == "");
  WitnessOptions few_steps;
  few_steps.steps_max = 3;
  CHECK(why(judge_by_witness(RegisterModel(), history, few_steps)).starts_with("undecided: "));
  WitnessOptions few_configurations;
  few_configurations.configurations_max = 3;
  History nobodys = history;
  nobodys.back().values.back().value = 77;
  CHECK(why(judge_by_witness(RegisterModel(), nobodys)).contains("whatever became of 12"));
  CHECK(why(judge_by_witness(RegisterModel(), nobodys, few_configurations))
            .starts_with("undecided: "));
  WitnessOptions few_states;
  few_states.memory_bytes_max = 3;
  CHECK(why(judge_by_witness(RegisterModel(), history, few_states)).starts_with("undecided: "));
}
