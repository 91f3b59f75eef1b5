// The replicated register: correct as it is built, and caught in each of its mistakes.
#include "tubing/sim/scenarios/register.h"

#include <doctest/doctest.h>

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

TEST_CASE("a register refuses what no seed of it can be given") {
  const auto complaint = [](const ScenarioOptions& options) {
    const Result<> checked = check_register(options);
    return std::string(checked ? "none" : checked.error().detail());
  };
  CHECK(complaint({}) == "none");
  CHECK(complaint({.hosts = 6}) == "the register has 3 to 5 replicas");
  CHECK(complaint({.schedule = "1s crash n5"}).starts_with("line 1: no host is called 'n5'"));
  CHECK(complaint({.workload = "c1 +0s read"}).starts_with("line 1: read takes 1 arguments"));
  CHECK(run(1, {.workload = "c1 +0s read d"}).failure == "bad options");
  CHECK(run(1, {.workload = "c1 +0s read d"}).violation.contains("there is no key 'd'"));
}
