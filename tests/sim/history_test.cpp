#include "tubing/sim/judges/history.h"

#include <doctest/doctest.h>

using tubing::Code;
using tubing::Time;
using tubing::sim::Ending;
using tubing::sim::History;
using tubing::sim::HistoryLimits;
using tubing::sim::Operation;
using tubing::sim::read_history;
using tubing::sim::Recorder;
using tubing::sim::Value;
using tubing::sim::Values;

namespace {

Time at(std::int64_t ns) { return Time(tubing::Duration(ns)); }

constexpr std::string_view kPut =
    R"({"client":3,"op":"put","table":"base","key":"a","value":"7","call":1200,"return":1450,)"
    R"("ok":true,"rev":17})";

// What is wrong with a text; empty where nothing is.
std::string problem_of(std::string_view lines, const HistoryLimits& limits = {}) {
  const auto history = read_history(lines, limits);
  return history ? "" : std::string(history.error().detail());
}

// A good line with other fields behind the first ones.
std::string line_with(std::string_view fields) {
  return R"({"client":1,"op":"read",)" + std::string(fields) + "}";
}

}  // namespace

TEST_CASE("a recorded operation is written as one line and told in one sentence") {
  Recorder recorder;
  const auto put =
      recorder.call(at(1200), 3, "put", {{"table", "base"}, {"key", "a"}, {"value", "7"}});
  recorder.ok(put, at(1450), {}, 17);
  REQUIRE(recorder.history().size() == 1);
  const Operation& operation = recorder.history()[0];
  CHECK(history_line(operation) == kPut);
  CHECK(told(operation) ==
        "client 3: put table base key a value 7, from 1200 ns to 1450 ns: ok, at revision 17");
  CHECK(operation.text("key") == "a");
  CHECK(operation.text("none").empty());
  CHECK(operation.find("none") == nullptr);
}

TEST_CASE("an operation ends ok, failed, or in a way that nobody knows") {
  Recorder recorder;
  const auto read = recorder.call(at(5), 1, "read", {});
  recorder.call(at(6), 2, "write", {{"value", 4}});
  const auto failed = recorder.call(at(7), 3, "write", {{"value", "a b"}});
  recorder.failed(failed, at(9));
  recorder.ok(read, at(8), {{"value", Value()}, {"rows", Values{1, true, Values{"x"}}}});
  const History history = recorder.take();
  CHECK(recorder.history().empty());
  CHECK(
      history_text(history) ==
      R"({"client":1,"op":"read","value":null,"rows":[1,true,["x"]],"call":5,"return":8,"ok":true})"
      "\n"
      R"({"client":2,"op":"write","value":4,"call":6,"return":null})"
      "\n"
      R"({"client":3,"op":"write","value":"a b","call":7,"return":9,"ok":false})"
      "\n");
  CHECK(told(history[1]) == "client 2: write value 4, from 6 ns on: nobody knows how it ended");
  CHECK(told(history[2]) == R"(client 3: write value "a b", from 7 ns to 9 ns: failed)");
  CHECK(history[0].ending == Ending::ok);
  CHECK(history[1].ending == Ending::unknown);
  CHECK(history[1].returned == Operation::kNever);
  CHECK(history[2].ending == Ending::failed);
}

TEST_CASE("a history that was written is read back as it was") {
  Recorder recorder;
  const auto put = recorder.call(at(-4), ~std::uint64_t{0}, "put",
                                 {{"key", "a\"\\\n\x01 ü"}, {"null", Value()}, {"off", false}});
  recorder.ok(put, at(0), {{"rows", Values{Values{}, INT64_MIN, INT64_MAX, "7"}}},
              ~std::uint64_t{0});
  recorder.call(at(1), 1, "read", {});
  recorder.failed(recorder.call(at(1), 2, "read", {}), at(1));
  const auto read = read_history(history_text(recorder.history()));
  REQUIRE(read);
  CHECK(*read == recorder.history());
  CHECK(read_history("")->empty());
}

TEST_CASE("the fields of a line stand in any order, and its end may be that of another system") {
  const auto history = read_history(
      "{\"rev\": 17, \"ok\": true, \"value\": \"7\", \"call\": 1, \"op\": \"put\", "
      "\"return\": 2, \"client\": 3}\r\n");
  REQUIRE(history);
  CHECK(history_line(history->at(0)) ==
        R"({"client":3,"op":"put","value":"7","call":1,"return":2,"ok":true,"rev":17})");
}

TEST_CASE("a line that is wrong is refused by its number, with what would do") {
  struct Row {
    std::string line;
    std::string problem;
  };
  const Row rows[] = {
      {"", "it is empty; leave it out"},
      {"  \t\r", "it is empty"},
      {"{", "it is no JSON at byte 2"},
      {line_with(R"("call":1,"return":2,"ok":true)") + " 1", "it is no JSON"},
      {"[]", "a line is an object; begin it with {"},
      {"7", "a line is an object"},
      {R"({"op":"read","call":1,"return":null})", R"("client" is missing)"},
      {R"({"client":1,"call":1,"return":null})", R"("op" is missing)"},
      {R"({"client":1,"op":"read","return":null})", R"("call" is missing)"},
      {line_with(R"("call":1)"), R"("return" is missing; write null)"},
      {line_with(R"("call":1,"return":2)"), R"("ok" is missing; write false)"},
      {line_with(R"("call":1,"return":null,"ok":true)"), R"("ok" is there without a "return")"},
      {line_with(R"("call":1,"return":null,"rev":1)"), R"("rev" is there without a "return")"},
      {line_with(R"("call":1,"return":2,"ok":false,"rev":1)"), R"("rev" is there with "ok":false)"},
      {line_with(R"("call":3,"return":2,"ok":true)"), "it returned at 2 and was called at 3"},
      {line_with(R"("call":"1","return":2,"ok":true)"), R"("call" must be a time)"},
      {line_with(R"("call":1,"return":true,"ok":true)"), R"("return" must be a time)"},
      {line_with(R"("call":1,"return":9223372036854775807,"ok":true)"), "must be a time"},
      {line_with(R"("call":1,"return":2,"ok":1)"), R"("ok" must be true or false)"},
      {line_with(R"("call":1,"return":2,"ok":true,"rev":-1)"), R"("rev" must be a whole number)"},
      {line_with(R"("call":1,"return":2,"ok":true,"rev":null)"), R"("rev" must be a whole)"},
      {line_with(R"("call":1.5,"return":2,"ok":true)"), "1.5 is not a whole number"},
      {line_with(R"("value":1e999,"call":1,"return":2,"ok":true)"), "no JSON"},
      {line_with(R"("value":9223372036854775808,"call":1,"return":null)"), "is above 2^63 - 1"},
      {line_with(R"("value":{"a":1},"call":1,"return":null)"), "an object stands in the line's"},
      {line_with(R"("value":[[[[[[[[[1]]]]]]]]],"call":1,"return":null)"), "more than 8 deep"},
      {line_with(R"("call":1,"call":1,"return":null)"), R"("call" is there twice; keep one)"},
      {line_with("\"value\":\"\xff\",\"call\":1,\"return\":null"), "it is no JSON"},
      {R"({"client":-1,"op":"read","call":1,"return":null})", R"("client" must be a whole)"},
      {R"({"client":[1],"op":"read","call":1,"return":null})", R"("client" must be a whole)"},
      {R"({"client":1,"op":"","call":1,"return":null})", R"("op" must be a text)"},
      {R"({"client":1,"op":7,"call":1,"return":null})", R"("op" must be a text)"},
  };
  for (const Row& row : rows) {
    const auto history = read_history(std::string(kPut) + "\n" + row.line + "\n");
    CAPTURE(row.line);
    REQUIRE_FALSE(history);
    CAPTURE(history.error().detail());
    CHECK(history.code() == Code::invalid_argument);
    CHECK(history.error().detail().starts_with("line 2: "));
    CHECK(history.error().detail().contains(row.problem));
  }
}

TEST_CASE("a client that asks for two things at once is refused") {
  const auto lines = [](std::string_view other) {
    return line_with(R"("call":10,"return":20,"ok":true)") + "\n" + line_with(other) + "\n";
  };
  CHECK(problem_of(lines(R"("call":19,"return":30,"ok":true)")).starts_with("line 2: client 1 "));
  CHECK(problem_of(lines(R"("call":5,"return":11,"ok":false)")).starts_with("line 1: client 1 "));
  CHECK(problem_of(lines(R"("call":19,"return":null)")).contains("that of line 1 returned at 20"));
  // One that it gave up it does not wait for; and it may call in the moment in which it heard.
  CHECK(problem_of(lines(R"("call":5,"return":null)")).empty());
  CHECK(problem_of(lines(R"("call":20,"return":20,"ok":true)")).empty());
  CHECK(problem_of(lines(R"("call":5,"return":10,"ok":true)")).empty());
  CHECK(problem_of(lines(R"("call":10,"return":10,"ok":true)")).empty());
  CHECK(problem_of(lines(R"("call":10,"return":null)")).empty());
}

TEST_CASE("a line has at most a hundred fields") {
  std::string fields = R"("call":1,"return":null)";
  for (std::size_t i = 4; i < HistoryLimits::kFieldsMax; ++i)
    fields += R"(,"f)" + std::to_string(i) + R"(":1)";
  CHECK(problem_of(line_with(fields) + "\n").empty());
  CHECK(problem_of(line_with(fields + R"(,"more":1)") + "\n").contains("more than 100 fields"));
}

TEST_CASE("each limit of a history that is read is named where it is passed") {
  const std::string line = line_with(R"("a":[1,2],"call":1,"return":null)");
  const std::string two = line + "\n" + line + "\n";
  const auto refused = [&](const HistoryLimits& limits, std::string_view what) {
    const auto history = read_history(two, limits);
    REQUIRE_FALSE(history);
    CHECK(history.code() == Code::resource_exhausted);
    CHECK(history.error().detail().contains(what));
  };
  refused({.bytes_max = two.size() - 1}, "bytes, more than");
  refused({.line_bytes_max = line.size() - 1}, "line 1: more than");
  refused({.operations_max = 1}, "line 2: more than 1 operations");
  refused({.values_max = 5}, "line 2: more than 5 values");
  CHECK(problem_of(two, {.bytes_max = two.size(),
                         .line_bytes_max = line.size(),
                         .operations_max = 2,
                         .values_max = 6})
            .empty());
}
