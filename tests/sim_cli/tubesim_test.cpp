#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/tube/process.h"
#include "tubing/sim/campaign.h"
#include "tubing/sim/schedule.h"

using tubing::cli::Finished;
using tubing::sim::CampaignOptions;
using tubing::sim::Outcome;
using tubing::sim::Scenario;
using tubing::sim::ScenarioOptions;
using tubing::sim::ScenarioSinks;
using tubing::sim::SeedOutcome;
using tubing::sim::TraceFile;

namespace {

Finished tubesim(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), TUBESIM_PROGRAM);
  return tubing::cli::run_process(arguments, {});
}

std::string content_of(const std::string& path) {
  std::stringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

// A scenario of which some seeds go wrong.
Outcome run_troubled(std::uint64_t seed, const ScenarioOptions&, const ScenarioSinks& sinks) {
  if (sinks.trace) sinks.trace->on_event({.number = seed});
  TUBING_ASSERT(seed != 13 && "thirteen");
  return {.violation = seed == 7 ? "seven" : "",
          .hash = "h" + std::to_string(seed),
          .operations = seed,
          .begun = seed,
          .known = seed / 2,
          .faults = {{.name = "cut", .count = seed == 3 ? 1U : 0U}}};
}
std::vector<std::string> troubled_faults(const ScenarioOptions&) { return {"cut", "drop"}; }
constexpr Scenario kTroubled{.name = "troubled",
                             .summary = "",
                             .options = "",
                             .run = run_troubled,
                             .check = nullptr,
                             .faults = troubled_faults};

// One that tells what it plans, has the campaign stop, and never ends.
const std::array<int, 2>& stop_of_endless() {
  static const std::array<int, 2> kEnds = [] {
    std::array<int, 2> ends{};
    TUBING_ASSERT(::pipe(ends.data()) == 0);
    return ends;
  }();
  return kEnds;
}
Outcome run_endless(std::uint64_t, const ScenarioOptions&, const ScenarioSinks& sinks) {
  // More than fits between two processes: it is through when the campaign has begun to read it.
  (*sinks.planned)({.schedule = std::string(4 << 20, '#')});
  TUBING_ASSERT(::write(stop_of_endless()[1], "x", 1) == 1);
  for (;;) ::pause();
}
constexpr Scenario kEndless{.name = "endless",
                            .summary = "",
                            .options = "",
                            .run = run_endless,
                            .check = nullptr,
                            .faults = troubled_faults};

}  // namespace

TEST_CASE("a campaign tells of every seed in order, and one whose process dies is a violation") {
  std::vector<std::uint64_t> seeds;
  std::string died;
  const auto report = run_campaign(kTroubled, {.seeds = {{1, 20}, {30, 30}}, .jobs = 3},
                                   [&](const SeedOutcome& seed) {
                                     seeds.push_back(seed.seed);
                                     if (seed.seed == 13) died = seed.outcome.violation;
                                     return true;
                                   });
  REQUIRE(report);
  REQUIRE(seeds.size() == 21);
  CHECK(std::is_sorted(seeds.begin(), seeds.end()));
  CHECK(died.contains("signal 6"));
  CHECK(died.contains("thirteen"));
  CHECK(report->violations_total == 2);
  REQUIRE(report->violations.size() == 2);
  CHECK(report->violations[0].outcome.violation == "seven");
  CHECK(report->operations == 210 - 13 + 30);
  CHECK(report->operations_median == 10);
  CHECK(report->operations_p5 == 1);
  CHECK_FALSE(report->passed());
}

TEST_CASE("a campaign fails where a fault never took effect or a seed did nothing") {
  const auto gates = [](CampaignOptions options) {
    const auto report = run_campaign(kTroubled, options, [](const SeedOutcome&) { return true; });
    REQUIRE(report);
    CHECK(report->violations_total == 0);
    CHECK(report->passed() == report->closed_gates.empty());
    return report->closed_gates;
  };
  CHECK(gates({.seeds = {{2, 5}}}).empty());
  CHECK(gates({.seeds = {{2, 5}}, .fault_gate_seeds = 4}) ==
        std::vector<std::string>{"the fault 'drop' never took effect"});
  CHECK(gates({.seeds = {{4, 6}}, .fault_gate_seeds = 3}).size() == 2);
  CHECK(gates({.seeds = {{0, 2}}}) == std::vector<std::string>{"seed 0 did no operation at all"});
  CHECK(gates({.seeds = {{1, 1}}}) ==
        std::vector<std::string>{"no operation had an outcome that was known"});
}

TEST_CASE("a seed that is asked for twice is run twice and told of in its places") {
  std::vector<std::uint64_t> seeds;
  const auto report =
      run_campaign(kTroubled, {.seeds = {{1, 3}, {2, 4}, {2, 2}}, .jobs = 4},
                   [&](const SeedOutcome& seed) { return seeds.push_back(seed.seed), true; });
  REQUIRE(report);
  CHECK(seeds == std::vector<std::uint64_t>{1, 2, 3, 2, 3, 4, 2});
}

TEST_CASE("a seed whose process dies has that as its violation, and its trace up to there") {
  const std::string path = TUBING_BINARY_DIR "/trace_of_a_dead_seed.txt";
  for (const std::uint64_t seed : {12U, 13U}) {
    auto trace = TraceFile::create(path);
    REQUIRE(trace);
    const auto outcome = run_seed_apart(kTroubled, seed, {}, &*trace);
    REQUIRE(outcome);
    CHECK(outcome->violation.contains("thirteen") == (seed == 13));
    CHECK(outcome->operations == (seed == 13 ? 0 : seed));
    const std::string written = content_of(path);
    CHECK(written.contains(fmt::format("{} ", seed)));
    CHECK(written.ends_with("]\n"));
  }
  std::filesystem::remove(path);
  auto full = TraceFile::create("/dev/full");
  REQUIRE(full);
  const auto untraced = run_seed_apart(kTroubled, 12, {}, &*full);
  REQUIRE_FALSE(untraced);
  CHECK(untraced.error().code() == tubing::Code::resource_exhausted);
  CHECK(run_seed_apart(kTroubled, 7, {})->violation == "seven");
}

TEST_CASE("a campaign that is to stop ends with what was done until then") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  std::uint64_t told = 0;
  const auto report = run_campaign(
      kTroubled, {.seeds = {{20, 200'000}}, .jobs = 2, .fault_gate_seeds = 5, .stop_file = ends[0]},
      [&](const SeedOutcome& seed) {
        CHECK(seed.seed == 20 + told);
        if (++told == 10) CHECK(::write(ends[1], "x", 1) == 1);
        return true;
      });
  REQUIRE(report);
  CHECK(report->stopped);
  CHECK(report->seeds == told);
  CHECK(told >= 10);
  CHECK(told < 100'000);
  CHECK(report->closed_gates.empty());
  for (const int end : ends) ::close(end);
}

TEST_CASE("a campaign ends where whoever is told of it wants no more") {
  std::uint64_t told = 0;
  const auto report = run_campaign(kTroubled, {.seeds = {{20, 200'000}}, .jobs = 2},
                                   [&](const SeedOutcome&) { return ++told < 10; });
  REQUIRE(report);
  CHECK(told == 10);
  CHECK(report->stopped);
  CHECK(report->seeds == 10);
}

TEST_CASE("a campaign stops while a seed that told its plan goes on") {
  const int stop = stop_of_endless()[0];
  const auto report = run_campaign(kEndless, {.seeds = {{1, 3}}, .jobs = 1, .stop_file = stop},
                                   [](const SeedOutcome&) {
                                     FAIL("none ends");
                                     return false;
                                   });
  REQUIRE(report);
  CHECK(report->stopped);
  CHECK_FALSE(report->passed());
  CHECK(report->seeds == 0);
}

TEST_CASE("tubesim interrupted tells what was done, in whole lines, with status 130") {
  tubing::cli::Process running({TUBESIM_PROGRAM, "run", "grid", "--seeds", "1..1000000000"}, {});
  running.await_out("seed=3 ");
  running.kill(SIGINT);
  const Finished ended = running.finish();
  CHECK(ended.status == 130);
  CHECK(ended.err.contains("tubesim: interrupted behind "));
  std::stringstream lines(ended.out);
  std::uint64_t seeds = 0;
  std::string line;
  while (std::getline(lines, line) && line.starts_with("grid seed=")) {
    ++seeds;
    CHECK(line.ends_with(" ok"));
  }
  CHECK(line == fmt::format("{} seeds, 0 with a violation", seeds));
  CHECK(ended.out.ends_with("\n"));
}

TEST_CASE("tubesim says what it could not write, with status 2") {
  const auto told = [](const char* trace) {
    const Finished ended = tubesim({"run", "files", "--seed", "1", "--trace", trace});
    CHECK(ended.status == 2);
    return ended.err;
  };
  CHECK(told("/dev/full").contains("/dev/full could not be written to its end"));
  CHECK(told("/no/folder/t").contains("/no/folder/t cannot be written: No such file"));
  const std::pair<const char*, const char*> schedules[] = {
      {"/dev/full", "/dev/full could not be written to its end: No space left"},
      {"/no/folder/s", "/no/folder/s cannot be written: No such file"}};
  for (const auto& [path, advice] : schedules) {
    const Finished ended = tubesim({"run", "grid", "--seed", "1", "--keep-schedule", path});
    CHECK(ended.status == 2);
    CHECK_MESSAGE(ended.err.contains(advice), ended.err);
    // Of a file that cannot be written nothing is known before it is.
    CHECK(ended.out.contains("grid seed=1 ") == (path == std::string_view("/dev/full")));
  }
  tubing::cli::Process full({TUBESIM_PROGRAM, "list"}, {}, {.out = "/dev/full"});
  const Finished ended = full.finish();
  CHECK(ended.status == 2);
  CHECK(ended.err.contains("standard output could not be written"));
}

TEST_CASE("tubesim quotes a path in the command that repeats a seed") {
  const std::string path = TUBING_BINARY_DIR "/it's a schedule.txt";
  std::ofstream(path).close();
  const Finished one = tubesim({"run", "grid", "--seed", "3", "--schedule", path, "--json"});
  CHECK(one.status == 0);
  CHECK_MESSAGE(one.out.contains("/it'\\\\''s a schedule.txt'\"}"), one.out);
  std::filesystem::remove(path);
}

TEST_CASE("tubesim without a command, or with one that it does not know, says which there are") {
  CHECK(tubesim({}).err.contains("tubesim: say what to do: list, run"));
  CHECK(tubesim({"bogus"}).err.contains("tubesim: there is no command 'bogus'; there are: list"));
  CHECK(tubesim({}).status == 2);
  CHECK(tubesim({"bogus"}).status == 2);
  const Finished help = tubesim({"--help"});
  CHECK(help.status == 0);
  CHECK(help.out.contains("tubesim run grid --seeds 1..1000 --check"));
  CHECK(help.err.empty());
}

TEST_CASE("tubesim takes an empty schedule for one without faults") {
  const std::string path = TUBING_BINARY_DIR "/empty_schedule.txt";
  std::ofstream(path).close();
  const std::string empty = tubesim({"run", "grid", "--seed", "3", "--schedule", path}).out;
  CHECK(empty != tubesim({"run", "grid", "--seed", "3"}).out);
  CHECK(empty.contains("known=100.00%"));
  std::filesystem::remove(path);
  CHECK(tubesim({"run", "grid", "--seed", "3", "--schedule", "/tmp"}).status == 2);
}

TEST_CASE("tubesim lists its scenarios with their options, and the hosts that a schedule names") {
  const Finished list = tubesim({"list"});
  CHECK(list.status == 0);
  for (const char* name : {"echo", "files", "grid", "register"}) CHECK(list.out.contains(name));
  CHECK(list.out.contains("options: --no-faults, --schedule, --keep-schedule\n"));
  CHECK(list.out.contains("mistakes, for --wrong: no_sync"));
  struct Row {
    const char* scenario;
    const char* hosts;
    std::vector<std::string> named;
    std::string beyond;
  };
  const Row rows[] = {
      {"echo", "n0 to n3", {"n0", "n3"}, "n4"},
      {"files", "n0", {"n0"}, "n1"},
      {"grid", "n0 to n4", {"n0", "n4"}, "n5"},
      {"register", "c1 to c5, clients, and n0 to n4", {"c1", "c5", "n0", "n4"}, "c6"}};
  CHECK(std::size(rows) == tubing::sim::scenarios().size());
  for (const Row& row : rows) {
    CAPTURE(row.scenario);
    CHECK(list.out.contains(fmt::format("hosts: {}", row.hosts)));
    const Scenario* const scenario = tubing::sim::find_scenario(row.scenario);
    REQUIRE(scenario != nullptr);
    const auto takes = [&](const std::string& host) {
      return !!scenario->check({.schedule = "1ms crash " + host + " for 1ms"});
    };
    for (const std::string& host : row.named) CHECK(takes(host));
    CHECK_FALSE(takes(row.beyond));
  }
}

TEST_CASE("tubesim run says in its help how each line of a schedule goes") {
  const Finished help = tubesim({"run", "--help"});
  CHECK(help.status == 0);
  CHECK(help.out.contains("1500ms cut n0 -> n1 for 2s"));
  std::stringstream forms(tubing::sim::schedule_forms());
  for (std::string form; std::getline(forms, form);) CHECK(help.out.contains("  " + form + "\n"));
}

TEST_CASE("tubesim prints a line with the hash of each seed, the same each time") {
  const Finished one = tubesim({"run", "grid", "--seeds", "5..8", "--jobs", "2"});
  CHECK(one.status == 0);
  CHECK(one.out.contains("grid seed=5 hash="));
  CHECK(one.out.contains("grid seed=8 hash="));
  CHECK(one.out.contains("4 seeds, 0 with a violation"));
  CHECK(one.out.contains("operations: "));
  const Finished again = tubesim({"run", "grid", "--seeds", "5..8", "--jobs", "1", "--check"});
  CHECK(again.out == one.out);
}

TEST_CASE("tubesim keeps a schedule, and runs it again to the same hash") {
  const std::string path = TUBING_BINARY_DIR "/kept_schedule.txt";
  const auto run = [](std::vector<std::string> chosen, std::vector<std::string> more) {
    chosen.insert(chosen.begin(), "run");
    chosen.insert(chosen.end(), {"--seed", "6"});
    chosen.insert(chosen.end(), more.begin(), more.end());
    const Finished done = tubesim(chosen);
    CHECK_MESSAGE(done.status == 0, done.err);
    return done.out;
  };
  const std::vector<std::string> choices[] = {
      {"echo"},     {"files"},
      {"grid"},     {"grid", "--mode", "byte", "--hosts", "3"},
      {"register"}, {"register", "--mode", "byte"}};
  for (const std::vector<std::string>& chosen : choices) {
    CAPTURE(chosen);
    const std::string drawn = run(chosen, {"--keep-schedule", path});
    CHECK(content_of(path).contains(" heal"));
    CHECK(run(chosen, {"--schedule", path}) == drawn);
    const std::string calm = run(chosen, {"--no-faults", "--keep-schedule", path});
    CHECK(calm != drawn);
    CHECK(content_of(path).empty());
    CHECK(run(chosen, {"--schedule", path}) == calm);
    std::filesystem::remove(path);
  }
}

TEST_CASE("tubesim reads no more of a file than a schedule or a workload may have") {
  for (const char* option : {"--schedule", "--workload"}) {
    const Finished endless = tubesim({"run", "register", "--seed", "1", option, "/dev/zero"});
    CHECK(endless.status == 2);
    CHECK(endless.err.contains("/dev/zero has more than 64 MiB; is it the file that was meant?"));
  }
}

TEST_CASE("tubesim writes a trace whose last hash is that of the run") {
  const std::string path = TUBING_BINARY_DIR "/run_trace.txt";
  const Finished run = tubesim({"run", "files", "--seed", "3", "--trace", path});
  CHECK(run.status == 0);
  const std::string trace = content_of(path);
  REQUIRE(trace.size() > 34);
  const std::string hash = trace.substr(trace.size() - 34, 32);
  CHECK(run.out.contains("hash=" + hash));
  std::filesystem::remove(path);
}

TEST_CASE("tubesim refuses what it cannot do with advice and status 2") {
  struct Row {
    std::vector<std::string> arguments;
    std::string advice;
  };
  const Row rows[] = {
      {{"run", "nothing", "--seed", "1"}, "there is no scenario 'nothing'; tubesim list shows"},
      {{"run", "grid", "--seed", "x"}, "'x' names no seeds; write 5, or 1..1000"},
      {{"run", "grid", "--seeds", "9..1"}, "'9..1' is empty; write the smaller seed first"},
      {{"run", "files", "--seed", "1", "--hosts", "3"}, "files does not know hosts"},
      {{"run", "grid", "--seeds", "1..2", "--trace", "t"}, "use --seed N --trace FILE"},
      {{"run", "grid", "--seed", "1", "--schedule", "/no/file"}, "/no/file cannot be read"},
      {{"run", "grid", "--seed", "1", "--mode", "odd"}, "--mode"},
      {{"run", "grid"}, "--seed"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.advice);
    const Finished refused = tubesim(row.arguments);
    CHECK(refused.status == 2);
    CHECK_MESSAGE(refused.err.contains(row.advice), refused.err);
  }
}
