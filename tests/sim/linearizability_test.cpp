#include "tubing/sim/judges/linearizability.h"

#include <doctest/doctest.h>

#include "tests/sim/history_generator.h"
#include "tests/sim/order_by_force.h"
#include "tubing/sim/judges/cas_model.h"
#include "tubing/sim/judges/list_model.h"
#include "tubing/sim/judges/lock_model.h"
#include "tubing/sim/judges/queue_model.h"
#include "tubing/sim/judges/register_model.h"

using namespace tubing;
using namespace tubing::sim;

namespace {

// The judge and brute force on drawn histories of one model, some of them broken.
template <Model M>
void agree_on_drawn(std::string_view name, HistoryPlan plan, int histories) {
  int legal = 0;
  for (int seed = 1; seed <= histories; ++seed) {
    CAPTURE(seed);
    Prng prng(static_cast<std::uint64_t>(seed));
    History history = draw_history(plan, *atomic_object(name), prng);
    for (std::uint64_t i = prng.below(5); i > 0; --i) mutate(history, prng);
    CAPTURE(history_text(history));
    REQUIRE(read_history(history_text(history)));
    M model;
    const bool exists = OrderByForce<M>(model, history).exists();
    const auto report = check_linearizable(M(), history);
    REQUIRE(report);
    REQUIRE(report->verdict == (exists ? Verdict::legal : Verdict::illegal));
    legal += exists ? 1 : 0;
  }
  CAPTURE(legal);
  CHECK(legal > histories / 20);
  CHECK(legal < histories * 19 / 20);
}

}  // namespace

TEST_CASE("the judge agrees with brute force on drawn histories of every model") {
  const HistoryPlan plan{.operations = 8,
                         .clients = 4,
                         .keys = 1,
                         .values = 2,
                         .unknown_per_million = 200'000,
                         .failed_per_million = 50'000,
                         .span_max_ns = 8,
                         .pause_max_ns = 8};
  agree_on_drawn<RegisterModel>("register", plan, 1000);
  agree_on_drawn<CasModel>("cas", plan, 1000);
  agree_on_drawn<ListModel>("list", plan, 1000);
  agree_on_drawn<LockModel>("lock", plan, 1000);
  agree_on_drawn<QueueModel>("queue", plan, 1000);
}

TEST_CASE("ten thousand operations of many clients are decided, legal or not") {
  for (const std::uint64_t clients : {30, 100}) {
    CAPTURE(clients);
    const HistoryPlan plan{.operations = 10'000, .clients = clients, .keys = 10, .pause_max_ns = 5};
    Prng prng(7);
    History registers = draw_history(plan, *atomic_object("register"), prng);
    CHECK(check_linearizable(RegisterModel(), registers)->verdict == Verdict::legal);
    add_stale_reads(registers, 1, 2);
    const auto report = check_linearizable(RegisterModel(), registers);
    CHECK(report->verdict == Verdict::illegal);
    CHECK(report->illegal_parts == 1);
    CHECK(report->parts == 10);
    CHECK(report->configurations_peak < 100'000);
    REQUIRE(report->illegal);
    CHECK(report->illegal->part == "key k0");
    CHECK(report->illegal->cut_down);
    CHECK(report->illegal->operations.size() <= 4);
    History swaps = draw_history(plan, *atomic_object("cas"), prng);
    CHECK(check_linearizable(CasModel(), swaps)->verdict == Verdict::legal);
    add_stale_reads(swaps, 1, 2);
    CHECK(check_linearizable(CasModel(), swaps)->verdict == Verdict::illegal);
  }
}

TEST_CASE("large histories of lists, locks and queues are decided") {
  const HistoryPlan plan{
      .operations = 1'000, .clients = 10, .keys = 3, .values = 1'000'000, .pause_max_ns = 5};
  Prng prng(3);
  const History list = draw_history(plan, *atomic_object("list"), prng);
  CHECK(check_linearizable(ListModel(), list)->verdict == Verdict::legal);
  const History lock = draw_history(plan, *atomic_object("lock"), prng);
  CHECK(check_linearizable(LockModel(), lock)->verdict == Verdict::legal);
  const HistoryPlan short_plan{
      .operations = 300, .clients = 5, .keys = 3, .values = 1'000'000, .pause_max_ns = 5};
  const History queue = draw_history(short_plan, *atomic_object("queue"), prng);
  CHECK(check_linearizable(QueueModel(), queue)->verdict == Verdict::legal);
}
