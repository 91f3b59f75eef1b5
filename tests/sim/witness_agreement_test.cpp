#include <doctest/doctest.h>

#include <algorithm>

#include "tests/sim/revisions.h"
#include "tubing/sim/judges/cas_model.h"
#include "tubing/sim/judges/linearizability.h"
#include "tubing/sim/judges/map_model.h"
#include "tubing/sim/judges/register_model.h"
#include "tubing/sim/judges/witness.h"

using namespace tubing;
using namespace tubing::sim;

namespace {

constexpr HistoryPlan kPlan{.operations = 40,
                            .clients = 6,
                            .keys = 3,
                            .values = 1'000'000,
                            .unknown_per_million = 40'000,
                            .failed_per_million = 20'000,
                            .span_max_ns = 40,
                            .pause_max_ns = 10};

// A known write that lies wholly before another of its key, which lies wholly before `read`.
const Operation* overwritten_before(const History& history, const Operation& read) {
  const auto is_write = [&](const Operation& operation) {
    return operation.ending == Ending::ok && operation.text("key") == read.text("key") &&
           (operation.op == "write" || operation.op == "put");
  };
  for (const Operation& late : history)
    if (is_write(late) && late.precedes(read))
      for (const Operation& early : history)
        if (is_write(early) && early.precedes(late)) return &early;
  return nullptr;
}

// A read sees a value that nobody wrote, or one that had been overwritten: every value is written
// once, so that no order explains it. Returns: whether there was such a read.
bool make_wrong(History& history, bool stale) {
  for (Operation& read : history) {
    const bool reads = read.op == "read" || read.op == "get";
    if (!reads || read.ending != Ending::ok) continue;
    const Operation* early = overwritten_before(history, read);
    if (early == nullptr) continue;
    const auto value = std::ranges::find(read.values, "value", &NamedValue::name);
    value->value = stale ? *early->find("value") : Value("nobody's");
    return true;
  }
  return false;
}

struct Agreement {
  int legal = 0;
  int illegal = 0;
};

template <Model M>
void agree(std::string_view model, int histories, Agreement& agreement) {
  LinearizabilityOptions options;
  options.story_work_max = 0;
  for (int seed = 1; seed <= histories; ++seed) {
    CAPTURE(model);
    CAPTURE(seed);
    Prng prng(static_cast<std::uint64_t>(seed));
    History history = draw_revisions(model, kPlan, prng, prng.below(3));
    const std::uint64_t what = prng.below(4);
    const bool wrong = what > 1 && make_wrong(history, what == 2);
    const auto report = check_linearizable(M(), history, options);
    const auto ruling = judge_by_witness(M(), history);
    REQUIRE(report);
    REQUIRE(ruling);
    if (report->verdict != (wrong ? Verdict::illegal : Verdict::legal) ||
        report->verdict != ruling->verdict) {
      CAPTURE(history_text(history));
      CAPTURE(verdict_name(report->verdict));
      CAPTURE(told(*ruling, history));
      FAIL("they do not agree");
    }
    ++(wrong ? agreement.illegal : agreement.legal);
    // Broken in any way: an order by revisions is an order, so where none is, there is none.
    mutate(history, prng);
    const auto broken = judge_by_witness(M(), history);
    REQUIRE(broken);
    if (broken->verdict != Verdict::legal) continue;
    REQUIRE(check_linearizable(M(), history, options)->verdict == Verdict::legal);
  }
}

}  // namespace

TEST_CASE("the witness checker and the linearizability checker agree on 10,000 drawn histories") {
  Agreement agreement;
  agree<RegisterModel>("register", 3'000, agreement);
  agree<CasModel>("cas", 3'000, agreement);
  agree<MapModel>("map", 4'000, agreement);
  CHECK(agreement.legal > 4'000);
  CHECK(agreement.illegal > 4'000);
}
