#include "judge_rows.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdlib>

#include "tests/sim/history_generator.h"
#include "tubing/sim/judges/linearizability.h"
#include "tubing/sim/judges/register_model.h"

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

}  // namespace

void add_judge_rows(Report& report) {
  for (const std::uint64_t clients : {5, 30, 100}) {
    for (const bool legal : {true, false}) {
      const sim::History history = drawn(clients, legal);
      report.row(fmt::format("checker_ops_per_s_{}_{}", clients, legal ? "legal" : "illegal"),
                 "1/s", "", [&] { return operations_per_s(history, legal); });
    }
  }
}

}  // namespace tubing::bench
