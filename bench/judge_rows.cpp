#include "judge_rows.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

#include "tests/sim/history_generator.h"
#include "tests/sim/revisions.h"
#include "tubing/sim/judges/linearizability.h"
#include "tubing/sim/judges/map_model.h"
#include "tubing/sim/judges/register_model.h"
#include "tubing/sim/judges/witness.h"

namespace tubing::bench {
namespace {

constexpr std::size_t kOperations = 10'000;

/// Registers under 10 keys, of 5 values, 2% of the operations of unknown end; where it is not to be
/// legal, a value comes back behind its end that nobody can have written.
sim::History drawn(std::uint64_t clients, bool legal) {
  Prng prng(clients);
  const auto object = sim::atomic_object("register");
  sim::History history = sim::draw_history(
      {.operations = kOperations, .clients = clients, .keys = 10, .pause_max_ns = 5}, *object,
      prng);
  if (!legal) sim::add_stale_reads(history, 1, 2);
  return history;
}

double operations_per_s(const sim::History& history, bool legal) {
  const auto begin = std::chrono::steady_clock::now();
  const auto report = sim::check_linearizable(sim::RegisterModel(), history);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  if (!report || report->verdict != (legal ? sim::Verdict::legal : sim::Verdict::illegal)) {
    fmt::print(stderr, "the judge was wrong\n");
    std::exit(1);
  }
  return static_cast<double>(history.size()) / seconds.count();
}

/// The same, whose answers carry revisions; where it is not to be legal, the last read of all sees
/// a value that nobody wrote.
sim::History drawn_revisions(const char* model, std::size_t operations, bool legal) {
  Prng prng(operations);
  sim::History history = sim::draw_revisions(
      model, {.operations = operations, .clients = 100, .keys = 10, .pause_max_ns = 5}, prng);
  for (std::size_t at = history.size(); !legal && at-- > 0;)
    if (history[at].op == "read" && history[at].ending == sim::Ending::ok) {
      history[at].values.back().value = "nobody's";
      break;
    }
  return history;
}

template <sim::Model M>
double witness_operations_per_s(const sim::History& history, bool legal) {
  const auto begin = std::chrono::steady_clock::now();
  const auto ruling = sim::judge_by_witness(M(), history);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  if (!ruling || ruling->verdict != (legal ? sim::Verdict::legal : sim::Verdict::illegal)) {
    fmt::print(stderr, "the witness was wrong\n");
    std::exit(1);
  }
  return static_cast<double>(history.size()) / seconds.count();
}

void add_witness_rows(Report& report) {
  for (const std::size_t operations : {10'000, 100'000, 1'000'000}) {
    const sim::History history = drawn_revisions("register", operations, true);
    report.row(fmt::format("witness_ops_per_s_{}", operations), "1/s", "",
               [&] { return witness_operations_per_s<sim::RegisterModel>(history, true); });
  }
  const sim::History illegal = drawn_revisions("register", 100'000, false);
  report.row("witness_ops_per_s_100000_illegal", "1/s", "",
             [&] { return witness_operations_per_s<sim::RegisterModel>(illegal, false); });
  const sim::History map = drawn_revisions("map", 10'000, true);
  report.row("witness_ops_per_s_10000_map", "1/s", "",
             [&] { return witness_operations_per_s<sim::MapModel>(map, true); });
}

}  // namespace

void add_judge_rows(Report& report) {
  add_witness_rows(report);
  for (const std::uint64_t clients : {5, 30, 100}) {
    for (const bool legal : {true, false}) {
      const sim::History history = drawn(clients, legal);
      report.row(fmt::format("checker_ops_per_s_{}_{}", clients, legal ? "legal" : "illegal"),
                 "1/s", "", [&] { return operations_per_s(history, legal); });
    }
  }
}

}  // namespace tubing::bench
