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
  CHECK(check(kPuts, {"--judge", "watches"}).status == 0);
  CHECK(check(kPuts, {"--judge", "sessions"}).status == 0);
  const Finished illegal = check(kHolds, {"--judge", "leases", "--json"});
  CHECK(illegal.status == 1);
  CHECK(illegal.out.starts_with(R"({"verdict":"illegal","judge":"leases","operations":2,"why":)"));
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
