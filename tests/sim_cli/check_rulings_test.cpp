#include <doctest/doctest.h>

#include <utility>

#include "tests/sim_cli/history_file.h"

using tubing::cli::Finished;
using tubing::cli::HistoryFile;

namespace {

Finished check(const std::string& text, std::vector<std::string> options) {
  return HistoryFile(text).check(std::move(options));
}

const std::string kPuts =
    R"({"client":1,"op":"put","key":"a","value":1,"call":100,"return":200,"ok":true,"rev":3})"
    "\n"
    R"({"client":2,"op":"put","key":"a","value":2,"call":300,"return":400,"ok":true,"rev":5})"
    "\n";
const std::string kStaleGet =
    R"({"client":3,"op":"get","key":"a","value":1,"call":500,"return":600,"ok":true,"rev":4})"
    "\n";
const std::string kHolds =
    R"({"client":1,"op":"lease.hold","resource":"r","epoch":1,"call":100,"return":300,"ok":true})"
    "\n"
    R"({"client":2,"op":"lease.hold","resource":"r","epoch":2,"call":200,"return":400,"ok":true})"
    "\n";
const std::string kWatched =
    R"({"client":3,"op":"watch.open","watch":1,"after":0,"from":"b","call":9,"return":9,"ok":true})"
    "\n"
    R"({"client":3,"op":"watch.progress","watch":1,"call":250,"return":250,"ok":true,"rev":3})"
    "\n";
const std::string kCalled =
    R"({"client":3,"op":"add","session":"s","serial":1,"call":90,"return":95,"ok":true})"
    "\n";

}  // namespace

TEST_CASE("tubesim check judges maps by their times and by their revisions") {
  CHECK(check(kPuts, {"--model", "map"}).out == "legal: 2 operations in 1 part\n");
  CHECK(check(kPuts + kStaleGet, {"--model", "map"}).status == 1);
  const Finished legal = check(kPuts, {"--model", "map", "--judge", "witness"});
  CHECK(legal.status == 0);
  CHECK(legal.out == "legal: 2 operations\n");
  const Finished illegal = check(kPuts + kStaleGet, {"--model", "map", "--judge", "witness"});
  CHECK(illegal.status == 1);
  CHECK(illegal.out ==
        "illegal: 3 operations\n"
        "one operation returned with revision 5 before the other was called, which read at "
        "revision 4\n"
        "  client 2: put key a value 2, from 300 ns to 400 ns: ok, at revision 5\n"
        "  client 3: get key a value 1, from 500 ns to 600 ns: ok, at revision 4\n");
}

TEST_CASE("tubesim check judges watches, leases and sessions by their lines") {
  const Finished watched = check(kPuts + kWatched + kStaleGet, {"--judge", "watches"});
  CHECK(watched.status == 0);
  CHECK(watched.out == "legal: 4 of 5 operations\n");
  const Finished called = check(kPuts + kCalled, {"--judge", "sessions"});
  CHECK(called.status == 0);
  CHECK(called.out == "legal: 1 of 3 operations\n");
  const Finished illegal = check(kHolds, {"--judge", "leases", "--json"});
  CHECK(illegal.status == 1);
  CHECK(illegal.out.starts_with(
      R"({"verdict":"illegal","judge":"leases","operations":2,"judged":2,"why":)"));
  CHECK(illegal.out.contains(R"("lines":[1,2],"told":["client 1: lease.hold resource r epoch 1,)"));
  const Finished malformed =
      check(R"({"client":1,"op":"lease.hold","epoch":1,"call":1,"return":3,"ok":true})"
            "\n",
            {"--judge", "leases"});
  CHECK(malformed.status == 2);
  CHECK(malformed.err.contains(": line 1: lease.hold: \"resource\" is missing"));
}

TEST_CASE("tubesim check asks for the model that a judge needs") {
  for (const char* judge : {"witness", "linearizability"}) {
    const Finished refused = check(kPuts, {"--judge", judge});
    CHECK(refused.status == 2);
    CHECK(refused.err.contains("--model is missing; the judge by " + std::string(judge)));
    CHECK(refused.err.contains("register, cas, map, list, lock, queue"));
  }
}

TEST_CASE("tubesim check calls nothing legal of which it judged nothing") {
  for (const char* judge : {"watches", "sessions", "leases"}) {
    CAPTURE(judge);
    const Finished refused = check(kPuts, {"--judge", judge});
    CHECK(refused.status == 2);
    CHECK(refused.err.contains(": none of its 2 operations is for the judge of " +
                               std::string(judge)));
    const Finished empty = check("", {"--judge", judge});
    CHECK(empty.status == 2);
    CHECK(empty.err.contains(": there is no operation to judge"));
  }
  CHECK(check("", {"--model", "register"}).status == 2);
}

TEST_CASE("tubesim check refuses what a judge has no use for") {
  const std::vector<std::vector<std::string>> refused{
      {"--judge", "leases", "--model", "register"},
      {"--judge", "leases", "--work-max", "5"},
      {"--judge", "sessions", "--memory-max", "5"},
      {"--judge", "watches", "--configurations-max", "5"}};
  for (const std::vector<std::string>& options : refused) {
    CAPTURE(options[2]);
    const Finished finished = check(kHolds, options);
    CHECK(finished.status == 2);
    CHECK(finished.err.contains(options[2] + " is given, and --judge " + options[1]));
  }
  const Finished undecided = check(kPuts + kWatched, {"--judge", "watches", "--work-max", "1"});
  CHECK(undecided.status == 3);
  CHECK(undecided.out.starts_with("undecided: 4 operations\n1 steps were not enough (work_max)"));
}

TEST_CASE("tubesim check refuses a name that is none of its judge's own") {
  const std::vector<std::pair<std::string, std::string>> rows{
      {"lease.hodl", "leases"}, {"watch.bach", "watches"}, {"session.aplied", "sessions"}};
  for (const auto& [op, judge] : rows)
    for (const char* end : {R"("return":90,"ok":true})", R"("return":90,"ok":false})"}) {
      CAPTURE(op);
      const Finished refused =
          check(kHolds + R"({"client":3,"session":"s","serial":1,"call":90,"op":")" + op + "\"," +
                    end + "\n",
                {"--judge", judge});
      CHECK(refused.status == 2);
      CHECK(refused.err.contains(": line 3: no operation '" + op + "' is known"));
    }
}

TEST_CASE("tubesim check shows no control byte of a history, and none that is no text") {
  const Finished told = check(R"({"client":1,"op":"lease.get","key":"\u001b[31mä\u009b",)"
                              R"("value":"y","call":3,"return":4,"ok":true})"
                              "\n",
                              {"--judge", "leases"});
  CHECK(told.status == 1);
  CHECK(told.out.contains("key \\x1b[31mä\\xc2\\x9b shows a value that nobody put\n"));
  CHECK_FALSE(told.out.contains('\x1b'));
  const Finished refused = check("{\"client\":1,\"op\":\"\xff\"}\n", {"--judge", "leases"});
  CHECK(refused.status == 2);
  CHECK(refused.err.contains("\\xff"));
  CHECK_FALSE(refused.err.contains('\xff'));
}
