#include "tubing/sim/judges/map_model.h"

#include <doctest/doctest.h>

#include "tests/sim/judged.h"
#include "tests/sim/revisions.h"
#include "tubing/sim/judges/witness.h"

using namespace tubing;
using namespace tubing::sim;

namespace {

// Answers one behind another, each at the next revision.
History told_in_turn(const std::vector<std::pair<std::string, Fields>>& answers) {
  History history;
  std::int64_t now = 0;
  for (const auto& [op, values] : answers) {
    now += 10;
    history.push_back(done(1, op, {now, now + 5}, values, static_cast<std::uint64_t>(now / 10)));
  }
  return history;
}

std::string judged(const std::vector<std::pair<std::string, Fields>>& answers) {
  return why(judge_by_witness(MapModel(), told_in_turn(answers)));
}

Fields key(std::string name, Fields more) {
  more.insert(more.begin(), {"key", std::move(name)});
  return more;
}
Fields table(std::string name, Fields more) {
  more.insert(more.begin(), {"table", std::move(name)});
  return more;
}
Value row(std::string key, Value value) { return Values{std::move(key), std::move(value)}; }
Values list(std::vector<Value> values) { return Values(values.begin(), values.end()); }

struct Answers {
  std::string_view name;
  std::vector<std::pair<std::string, Fields>> answers;
  std::string_view expected;
};

void check_all(const std::vector<Answers>& rows) {
  for (const Answers& row : rows) {
    CAPTURE(row.name);
    const std::string said = judged(row.answers);
    CAPTURE(said);
    CHECK(fits(said, row.expected));
  }
}

const std::pair<std::string, Fields> kPut{"put", key("a", {{"value", 1}})};
constexpr std::string_view kWrong = "that answer cannot be";

}  // namespace

TEST_CASE("a map holds each key to what was put, deleted and swapped") {
  check_all({
      {"absent", {{"get", key("a", {{"value", Value()}})}}, ""},
      {"never put", {{"get", key("a", {{"value", 1}})}}, "key a is nothing before revision 1"},
      {"put", {kPut, {"get", key("a", {{"value", 1}})}}, ""},
      {"another key", {kPut, {"get", key("b", {{"value", 1}})}}, kWrong},
      {"another value", {kPut, {"get", key("a", {{"value", 2}})}}, "a = 1"},
      {"deleted",
       {kPut, {"delete", key("a", {{"found", true}})}, {"get", key("a", {{"value", Value()}})}},
       ""},
      {"still there",
       {kPut, {"delete", key("a", {{"found", true}})}, {"get", key("a", {{"value", 1}})}},
       kWrong},
      {"found nothing", {kPut, {"delete", key("a", {{"found", false}})}}, kWrong},
      {"found what was not there", {{"delete", key("a", {{"found", true}})}}, kWrong},
      {"swapped",
       {kPut,
        {"cas", key("a", {{"from", 1}, {"to", 2}, {"swapped", true}})},
        {"get", key("a", {{"value", 2}})}},
       ""},
      {"swapped something else",
       {kPut, {"cas", key("a", {{"from", 2}, {"to", 3}, {"swapped", true}})}},
       kWrong},
      {"did not swap",
       {kPut, {"cas", key("a", {{"from", 1}, {"to", 3}, {"swapped", false}})}},
       kWrong},
      {"made by a swap, and deleted by one",
       {{"cas", key("a", {{"from", Value()}, {"to", 3}, {"swapped", true}})},
        {"cas", key("a", {{"from", 3}, {"to", Value()}, {"swapped", true}})},
        {"get", key("a", {{"value", Value()}})}},
       ""},
  });
}

TEST_CASE("versions of a key rise with every change, deletions too") {
  const auto put = [](std::int64_t version) {
    return std::pair<std::string, Fields>("put", key("a", {{"value", 1}, {"version", version}}));
  };
  const auto get = [](Value value, std::int64_t version) {
    return std::pair<std::string, Fields>(
        "get", key("a", {{"value", std::move(value)}, {"version", version}}));
  };
  const auto swap = [](std::int64_t version, bool swapped) {
    return std::pair<std::string, Fields>(
        "cas", key("a", {{"if_version", version}, {"to", 2}, {"swapped", swapped}}));
  };
  const std::pair<std::string, Fields> remove{"delete", key("a", {{"found", true}})};
  check_all({
      {"rise", {put(3), get(1, 3), put(9), get(1, 9)}, ""},
      {"the same again", {put(3), put(3)}, kWrong},
      {"another than was told", {put(3), get(1, 4)}, kWrong},
      {"absent", {get(Value(), 0)}, ""},
      {"absent with a version", {get(Value(), 1)}, kWrong},
      {"there without one", {put(3), get(1, 0)}, kWrong},
      {"again behind a deletion", {put(3), remove, put(3)}, kWrong},
      {"not told, then seen", {put(3), kPut, get(1, 7), get(1, 7)}, ""},
      {"not told, and not higher", {put(3), kPut, get(1, 3)}, kWrong},
      {"seen twice in two ways", {put(3), kPut, get(1, 7), get(1, 8)}, kWrong},
      {"swapped by version", {put(3), swap(3, true), get(2, 4)}, ""},
      {"swapped by an old version", {put(3), put(4), swap(3, true)}, kWrong},
      {"not swapped by its version", {put(3), swap(3, false)}, kWrong},
      {"made by version 0", {swap(0, true), get(2, 1)}, ""},
      {"made, though there", {put(3), swap(0, true)}, kWrong},
      {"may not be the one that nobody was told", {put(3), kPut, swap(5, false)}, ""},
  });
}

TEST_CASE("a range scan shows the keys between its bounds, in its direction, up to its limit") {
  const std::vector<std::pair<std::string, Fields>> puts{
      {"put", key("a", {{"value", 1}})}, {"put", key("b", {{"value", 2}})},
      {"put", key("c", {{"value", 3}})}, {"put", key("d", {{"value", 4}})},
      {"delete", key("c", {})},          {"get", key("e", {{"value", Value()}})}};
  const auto scan = [&](Fields values) {
    auto answers = puts;
    answers.emplace_back("range", std::move(values));
    return judged(answers);
  };
  const Value a = row("a", 1);
  const Value b = row("b", 2);
  const Value d = row("d", 4);
  CHECK(scan({{"rows", list({a, b, d})}}).empty());
  CHECK(scan({{"from", "b"}, {"rows", list({b, d})}}).empty());
  CHECK(scan({{"from", "b"}, {"to", "d"}, {"rows", list({b})}}).empty());
  CHECK(scan({{"from", "aa"}, {"to", "dd"}, {"reverse", true}, {"rows", list({d, b})}}).empty());
  CHECK(scan({{"limit", 2}, {"rows", list({a, b})}}).empty());
  CHECK(scan({{"limit", 2}, {"reverse", true}, {"rows", list({d, b})}}).empty());
  CHECK(scan({{"from", "x"}, {"rows", list({})}}).empty());
  CHECK(scan({{"rows", list({a, b})}}).contains(kWrong));
  CHECK(scan({{"rows", list({a, b, row("c", 3), d})}}).contains(kWrong));
  CHECK(scan({{"rows", list({b, a, d})}}).contains(kWrong));
  CHECK(scan({{"limit", 2}, {"rows", list({a, b, d})}}).contains(kWrong));
  CHECK(scan({{"to", "d"}, {"rows", list({a, b, d})}}).contains(kWrong));
  CHECK(scan({{"reverse", true}, {"rows", list({a, b, d})}}).contains(kWrong));
  CHECK(scan({{"rows", list({a, row("b", 7), d})}}).contains(kWrong));
  CHECK(scan({{"rows", list({a, b, d, row("never", 7)})}}).contains(kWrong));
}

TEST_CASE("a transaction takes the branch that its conditions say, all of it or nothing") {
  const Value is_one = Values{"", "a", "value", 1};
  const Value set_b = Values{"put", "", "b", 5};
  const Value get_b = Values{"get", "", "b"};
  const Value drop_a = Values{"delete", "", "a"};
  const auto txn = [&](Values then, Values otherwise, Fields results) {
    Fields fields{
        {"if", list({is_one})}, {"then", std::move(then)}, {"else", std::move(otherwise)}};
    fields.insert(fields.end(), results.begin(), results.end());
    return std::pair<std::string, Fields>("txn", fields);
  };
  const std::pair<std::string, Fields> see_b{"get", key("b", {{"value", 5}})};
  const std::pair<std::string, Fields> no_a{"get", key("a", {{"value", Value()}})};
  check_all({
      {"then",
       {kPut, txn({set_b, get_b, drop_a}, {}, {{"held", true}, {"got", list({5})}}), see_b, no_a},
       ""},
      {"else", {txn({}, {set_b}, {{"held", false}}), see_b}, ""},
      {"should have held", {kPut, txn({}, {set_b}, {{"held", false}})}, kWrong},
      {"should not have held", {txn({set_b, drop_a}, {}, {{"held", true}})}, kWrong},
      {"half of it",
       {kPut, txn({set_b, drop_a}, {}, {{"held", true}}), see_b, {"get", key("a", {{"value", 1}})}},
       kWrong},
      {"got something else",
       {kPut, txn({set_b, get_b}, {}, {{"held", true}, {"got", list({4})}})},
       kWrong},
      {"got too little",
       {kPut, txn({set_b, get_b}, {}, {{"held", true}, {"got", list({})}})},
       kWrong},
  });
}

TEST_CASE("tables are made, renamed with their keys, dropped with them, and listed") {
  const std::pair<std::string, Fields> make{"make_table", table("t", {{"made", true}})};
  const std::pair<std::string, Fields> put{"put", table("t", key("a", {{"value", 1}}))};
  const auto get = [](std::string name, Value value) {
    return std::pair<std::string, Fields>(
        "get", table(std::move(name), key("a", {{"value", std::move(value)}})));
  };
  const auto tables = [](std::vector<Value> names) {
    return std::pair<std::string, Fields>("tables", {{"tables", list(std::move(names))}});
  };
  const std::pair<std::string, Fields> rename{"rename_table",
                                              table("t", {{"to", "u"}, {"renamed", true}})};
  const std::pair<std::string, Fields> drop{"drop_table", table("t", {{"dropped", true}})};
  const std::pair<std::string, Fields> none{"get", table("t", key("a", {{"no_table", true}}))};
  check_all({
      {"made", {none, make, put, get("t", 1), tables({"t"})}, ""},
      {"put into none", {put, make}, kWrong},
      {"told there is none", {make, none}, kWrong},
      {"made twice", {make, make}, kWrong},
      {"renamed", {make, put, rename, get("u", 1), none, tables({"u"})}, ""},
      {"its keys stayed behind", {make, put, rename, get("u", Value())}, kWrong},
      {"renamed nothing", {rename}, kWrong},
      {"dropped", {make, put, drop, none, make, get("t", Value())}, ""},
      {"its keys came back", {make, put, drop, make, get("t", 1)}, kWrong},
      {"dropped nothing", {drop}, kWrong},
      {"listed too many", {make, tables({"t", "u"})}, kWrong},
      {"the table without a name", {make, kPut, {"get", key("a", {{"value", 1}})}}, ""},
  });
}

TEST_CASE("operations of a map that lack a field or have a wrong one are refused by name") {
  const std::vector<std::pair<std::pair<std::string, Fields>, std::string_view>> rows{
      {{"put", {}}, "put: \"key\" is missing"},
      {{"put", key("a", {})}, "put: \"value\" is missing"},
      {{"put", key("a", {{"value", Value()}})}, "use delete for that"},
      {{"put", key("a", {{"value", 1}, {"version", -1}})}, "\"version\" must be a whole number"},
      {{"get", key("a", {})}, "get: \"value\" is missing"},
      {{"get", table("t", {{"key", 7}, {"value", 1}})}, "\"key\" is 7, and must be a text"},
      {{"cas", key("a", {{"from", 1}, {"to", 2}})}, "\"swapped\" is missing"},
      {{"cas", key("a", {{"to", 2}, {"swapped", true}})}, "either \"from\" or \"if_version\""},
      {{"cas", key("a", {{"if_version", "x"}, {"to", 2}, {"swapped", true}})},
       "\"if_version\" must"},
      {{"range", {}}, "\"rows\" is missing"},
      {{"range", {{"limit", 0}, {"rows", list({})}}}, "\"limit\" must be"},
      {{"range", {{"rows", list({7})}}}, "\"rows\" has 7, and must have [key, value]"},
      {{"txn", {{"if", list({7})}, {"then", list({})}, {"else", list({})}, {"held", true}}},
       "\"if\" has 7"},
      {{"txn", {{"if", list({})}, {"then", list({7})}, {"else", list({})}, {"held", true}}},
       "an action is 7"},
      {{"txn", {{"if", list({})}, {"then", list({})}, {"else", list({})}}}, "\"held\" is missing"},
      {{"make_table", {{"made", true}}}, "\"table\" is missing"},
      {{"rename_table", table("t", {{"renamed", true}})}, "\"to\" is missing"},
      {{"tables", {{"tables", list({7})}}}, "must hold texts alone"},
      {{"move", {}}, "no operation 'move' is known to this model; it knows: put, get"},
  };
  for (const auto& [answer, expected] : rows) {
    CAPTURE(expected);
    const std::string said = judged({answer});
    CAPTURE(said);
    CHECK(said.starts_with("malformed: line 1: "));
    CHECK(said.contains(expected));
  }
  History unknown{lost(1, "txn", 0,
                       {{"if", list({Value(Values{"", "a", "version", 1})})},
                        {"then", list({})},
                        {"else", list({Value(Values{"delete", "", "a"})})}})};
  CHECK(why(judge_by_witness(MapModel(), unknown)).contains("nobody can tell which way it went"));
}

TEST_CASE("keys are judged by themselves, with their transactions, or with their table") {
  const auto part = [](const History& history) {
    MapModel model;
    model.survey(history);
    return *model.part(history[0]);
  };
  const Operation get = lost(1, "get", 0, table("t", key("b", {})));
  CHECK(part({get}) == "key b of table t");
  CHECK(part({lost(1, "get", 0, key("b", {}))}) == "key b");
  const Operation both = lost(1, "txn", 0,
                              {{"if", list({Value(Values{"t", "a", "value", 1})})},
                               {"then", list({Value(Values{"get", "t", "b"})})},
                               {"else", list({})}});
  CHECK(part({get, both}) == "key a of table t");
  CHECK(part({both}) == "key a of table t");
  CHECK(part({get, lost(1, "range", 0, table("t", {}))}) == "table t");
  CHECK(part({get, lost(1, "range", 0, {})}) == "key b of table t");
  CHECK(part({get, lost(1, "tables", 0, {})}).empty());
}

TEST_CASE("drawn histories of maps, ranges and tables are legal") {
  const HistoryPlan plan{.operations = 40,
                         .clients = 5,
                         .keys = 4,
                         .values = 4,
                         .unknown_per_million = 50'000,
                         .failed_per_million = 20'000,
                         .span_max_ns = 30,
                         .pause_max_ns = 8};
  for (const std::string_view words : {"map", "map ranges", "map tables"})
    for (std::uint64_t seed = 1; seed <= 3'400; ++seed) {
      Prng prng(seed);
      const History history = draw_revisions(words, plan, prng, seed % 3);
      const std::string said = why(judge_by_witness(MapModel(), history));
      if (said.empty()) continue;
      CAPTURE(words);
      CAPTURE(seed);
      CAPTURE(history_text(history));
      REQUIRE(said == "");
    }
}
