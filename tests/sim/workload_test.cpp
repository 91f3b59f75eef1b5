#include "tubing/sim/workload.h"

#include <doctest/doctest.h>

#include <array>
#include <chrono>

using namespace std::chrono_literals;
using namespace tubing;
using namespace tubing::sim;

namespace {

constexpr std::array<std::string_view, 1> kRead{"KEY"};
constexpr std::array<std::string_view, 2> kWrite{"KEY", "VALUE"};
constexpr std::array kOps{WorkloadOp{.name = "read", .arguments = kRead},
                          WorkloadOp{.name = "write", .arguments = kWrite}};
constexpr WorkloadRules kRules{.clients = 3, .ops = kOps, .steps_max = 4, .argument_bytes_max = 5};

std::string complaint(std::string_view text) {
  const Result<Workload> read = read_workload(text, kRules);
  return std::string(read ? "none" : read.error().detail());
}

}  // namespace

TEST_CASE("a workload is read back as it was written") {
  const Workload workload{
      {.client = 3, .due = 12ms, .op = "write", .arguments = {"a", "7"}},
      {.client = 1, .due = 1500us, .at_time = true, .op = "read", .arguments = {"b"}},
      {.client = 3, .op = "read", .arguments = {"a"}}};
  const std::string text = workload_text(workload);
  CHECK(text == "c3 +12ms write a 7\nc1 1500us read b\nc3 +0s read a\n");
  const Result<Workload> read = read_workload(text, kRules);
  REQUIRE(read);
  CHECK(*read == workload);
  const auto commented = read_workload("# by hand\n\n  c1 +1ms read a # why\r\n", kRules);
  REQUIRE(commented);
  CHECK(workload_text(*commented) == "c1 +1ms read a\n");
  const auto signs = read_workload("c1 +1ms write a#b 7# #why\n", kRules);
  REQUIRE(signs);
  CHECK(workload_text(*signs) == "c1 +1ms write a#b 7#\n");
}

TEST_CASE("a workload that cannot be read names its line and what would do") {
  CHECK(complaint("c1 +1ms read a\nc4 +1ms read a\n") ==
        "line 2: no client is called 'c4'; there are c1 to c3");
  CHECK(complaint("\nc0 +1ms read a").starts_with("line 2: no client is called 'c0'"));
  CHECK(complaint("c +1ms read a").starts_with("line 1: no client is called 'c'"));
  CHECK(complaint("c1 1 read a").starts_with("line 1: '1' should be +12ms behind"));
  CHECK(complaint("c1 -1ms read a").starts_with("line 1: '-1ms' should be"));
  CHECK(complaint("c1 +99999999999999s read a") ==
        "line 1: '99999999999999s' is more than time can count; take less");
  CHECK(
      complaint("c1 +1ms re\x1b[2Jad a").starts_with("line 1: there is no operation 're\\x1b[2J"));
  CHECK(complaint("\xef\xbb\xbf"
                  "c1 +1ms read a")
            .starts_with("line 1: no client is called '\\xef"));
  CHECK(complaint("c1 +1ms push a") ==
        "line 1: there is no operation 'push'; write read KEY, or write KEY VALUE");
  CHECK(complaint("c1 +1ms write a") ==
        "line 1: write takes 2 arguments and got 1; write KEY VALUE does");
  CHECK(
      complaint("c1 +1ms") ==
      "line 1: a line is a client, when, and what: c1 +12ms read KEY, or c1 +12ms write KEY VALUE");
  CHECK(complaint("c1 +1ms read abcdef") == "line 1: an argument has 6 bytes; 5 are the most");
  CHECK(complaint("c1 +1ms read a\x1b") == "line 1: 'a\\x1b' is not of printable ASCII alone");
  CHECK(complaint("c1 +1ms read \xff") == "line 1: '\\xff' is not of printable ASCII alone");
  CHECK(complaint("c1 +0s read a\nc1 +0s read a\nc1 +0s read a\nc1 +0s read a\nc1 +0s read a\n") ==
        "line 5: 4 operations are the most");
}
