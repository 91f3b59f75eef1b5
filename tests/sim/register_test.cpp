// The replicated register: correct as it is built, and caught in each of its mistakes.
#include "tubing/sim/scenarios/register.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

#include "tests/sim/register_zones.h"
#include "tubing/sim/judges/history.h"

using namespace tubing;
using namespace tubing::sim;

namespace {

Outcome run(std::uint64_t seed, ScenarioOptions options = {}) {
  return run_register(seed, options, {});
}

constexpr const char* kWrongs[] = {"no_sync", "no_tie_break", "no_write_back", "one_replica_reads",
                                   "small_quorum"};

}  // namespace

TEST_CASE("the register is linearizable and available under every fault that it must bear") {
  std::uint64_t begun = 0;
  std::uint64_t known = 0;
  for (std::uint64_t seed = 1; seed <= 150; ++seed) {
    const Outcome outcome = run(seed);
    CHECK_MESSAGE(outcome.violation.empty(), "seed " << seed << ": " << outcome.violation);
    begun += outcome.begun;
    known += outcome.known;
  }
  CHECK(begun > 10'000);
  CHECK(known > begun * 97 / 100);
}

TEST_CASE("each mistake of the register is caught within two hundred seeds") {
  for (const char* wrong : kWrongs) {
    CAPTURE(wrong);
    std::string failure;
    for (std::uint64_t seed = 1; seed <= 200 && failure.empty(); ++seed)
      failure = run(seed, {.wrong = wrong}).failure;
    CHECK(failure == "linearizability");
  }
}

// Of three replicas n1 and n2 do not store what c1 writes at 200 ms: their disks hang, then their
// power goes. c1 gives up; what it wrote is on n0 alone.
constexpr std::string_view kHalfAWrite =
    "100ms disk n1,n2 hung 1000000ppm for 2s\n"
    "1300ms power n1,n2 for 100ms\n";

void check_script(const std::string& schedule, std::string_view workload) {
  std::uint64_t lost = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    const Outcome outcome = run(seed, {.hosts = 3,
                                       .schedule = std::string(kHalfAWrite) + schedule,
                                       .workload = std::string(workload),
                                       .history = true});
    CHECK_MESSAGE(outcome.violation.empty(), outcome.violation << outcome.story);
    lost += outcome.known < outcome.begun ? 1 : 0;
  }
  CHECK(lost > 20);
}

// Whoever of n0, n1 and n2 c2 reads from, it must not see two writes in turns.
constexpr std::string_view kReadsInTurns =
    "5s cut c2 -> n0 for 500ms\n"
    "6s cut c2 -> n2 for 500ms\n"
    "6s slow n1 -> c2 200ms for 500ms\n"
    "7s cut c2 -> n0 for 500ms\n";
constexpr std::string_view kTwoWrites =
    "c1 200ms write a 1\n"
    "c1 2600ms write a 2\n"
    "c2 5100ms read a\n"
    "c2 6100ms read a\n"
    "c2 7100ms read a\n";

TEST_CASE("a client of the register uses no counter twice though nobody knows of the first") {
  check_script("2500ms cut c1 -> n0 for 2s\n" + std::string(kReadsInTurns), kTwoWrites);
}

TEST_CASE("a client of the register that was killed is another one when it writes again") {
  check_script(
      "2300ms crash c1 for 100ms\n2500ms cut c1 -> n0 for 2s\n" + std::string(kReadsInTurns),
      kTwoWrites);
}

TEST_CASE("a replica of the register tells of nothing that a loss of power would take") {
  check_script(
      "100ms disk n0 sync_error 1000000ppm for 200ms\n"
      "2500ms cut c2 -> n2 for 500ms\n"
      "3500ms power n0 for 100ms\n"
      "4500ms cut c2 -> n1 for 500ms\n",
      "c1 200ms write a 1\nc2 2600ms read a\nc2 4600ms read a\n");
}

TEST_CASE("a judge of another kind finds the same registers wrong") {
  int wrong = 0;
  for (const char* mistake : {"", "no_tie_break", "one_replica_reads", "small_quorum"}) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      CAPTURE(seed);
      CAPTURE(mistake);
      const Outcome outcome = run(seed, {.wrong = mistake, .history = true});
      const Result<History> history = read_history(outcome.history);
      REQUIRE(history);
      CHECK(outcome.failure.empty() == find_crossed_zones(*history).empty());
      wrong += outcome.failure.empty() ? 0 : 1;
    }
  }
  CHECK(wrong > 20);
}

TEST_CASE("a register whose schedule and workload are given back runs as it did") {
  for (const bool byte_mode : {false, true}) {
    for (std::uint64_t seed = 3; seed <= 6; ++seed) {
      const Outcome drawn = run(seed, {.byte_mode = byte_mode, .history = true});
      ScenarioOptions options{.byte_mode = byte_mode, .schedule = drawn.schedule, .history = true};
      CHECK(run(seed, options).hash == drawn.hash);
      options.workload = drawn.workload;
      const Outcome given = run(seed, options);
      CHECK(given.hash == drawn.hash);
      CHECK(given.workload == drawn.workload);
      CHECK(given.history == drawn.history);
      options.workload = "c1 +1ms read a\n";
      CHECK(run(seed, options).begun == 1);
    }
  }
}

TEST_CASE("a register's history has a line for each operation that clients began") {
  const Outcome outcome = run(7, {.history = true});
  const Result<History> history = read_history(outcome.history);
  REQUIRE(history);
  CHECK(history->size() == outcome.begun);
  CHECK(outcome.begun > 20);
  CHECK(run(7).history.empty());
  CHECK(run(7).hash == outcome.hash);
}

TEST_CASE("a register's failure is told as a story unless it is too long to be read") {
  const auto story = [](int operations) {
    std::string workload;
    for (int i = 0; i < operations; ++i)
      workload += i % 2 == 0 ? fmt::format("c1 +0s write a {}\n", i) : "c2 +1ms read a\n";
    const Outcome outcome = run(2, {.hosts = 3,
                                    .schedule = "1ms cut c1 -> n0 for 9s\n",
                                    .workload = workload,
                                    .wrong = "one_replica_reads",
                                    .history = true});
    CHECK(outcome.failure == "linearizability");
    return outcome.story;
  };
  CHECK(story(400).starts_with("3 replicas, n0, n1 and n2, keep a; c1 and c2 use them.\n"));
  CHECK(story(600) == "After 1ms, nothing passes from c1 to n0, for 9s.\n");
}

TEST_CASE("a register refuses what no seed of it can be given") {
  const auto complaint = [](const ScenarioOptions& options) {
    const Result<> checked = check_register(options);
    return std::string(checked ? "none" : checked.error().detail());
  };
  CHECK(complaint({}) == "none");
  CHECK(complaint({.hosts = 6}) == "the register has 3 to 5 replicas");
  CHECK(complaint({.schedule = "1s crash n5"}).starts_with("line 1: no host is called 'n5'"));
  CHECK(complaint({.workload = "c1 +0s read"}).starts_with("line 1: read takes 1 arguments"));
  CHECK(run(1, {.workload = "c1 +0s read d"}).failure == kRefused);
  CHECK(run(1, {.workload = "c1 +0s read d"}).violation.contains("there is no key 'd'"));
}
