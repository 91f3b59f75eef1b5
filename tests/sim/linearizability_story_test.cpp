// What an illegal history is told with, against brute force.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "tests/sim/history_generator.h"
#include "tests/sim/order_by_force.h"
#include "tubing/channel/json.h"
#include "tubing/sim/judges/cas_model.h"
#include "tubing/sim/judges/linearizability.h"
#include "tubing/sim/judges/list_model.h"
#include "tubing/sim/judges/lock_model.h"
#include "tubing/sim/judges/queue_model.h"
#include "tubing/sim/judges/register_model.h"

using namespace tubing;
using namespace tubing::sim;

namespace {

/// The story of one part without keys, and what it leaves of the history.
template <Model M>
class StoryByForce {
 public:
  StoryByForce(const History& history, const IllegalPart& story)
      : history_(history), story_(story) {}

  /// Whether there is an order if nobody knows how those ended that the story leaves out; of one
  /// that begins later, what was called before is known.
  bool exists() const {
    M model;
    return OrderByForce<M>(model, left(history_.size(), false)).exists();
  }

  /// Whether there is one if that may be said of one told operation, too. Where a model has hints,
  /// it may be that the judge needed no client's order, and goes without.
  bool exists_without(std::size_t spare) const {
    M model;
    History history = left(spare, true);
    for (std::size_t i = 0; kHasHints && i < history.size(); ++i) history[i].client = 1'000 + i;
    return OrderByForce<M>(model, history).exists();
  }

  /// The states in which the service could be right before the return that no order survives. None
  /// where it is not the last one, alone.
  std::set<std::string> states_behind() const {
    std::size_t died_at = history_.size();
    for (const std::size_t i : story_.operations) {
      if (history_[i].returned < story_.until) continue;
      if (history_[i].returned > story_.until || died_at != history_.size()) return {};
      died_at = i;
    }
    History called;
    const History all = left(history_.size(), true);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (i == died_at || all[i].called > story_.until) continue;
      if (died_at == all.size() || !comes_first(all[died_at], all[i])) called.push_back(all[i]);
    }
    M model;
    OrderByForce<M> orders(model, called);
    std::set<std::string> told;
    orders.each_end([&](const typename M::State& state) {
      if constexpr (requires { model.told(state); })
        told.insert(model.told(state));
      else
        told.insert(to_json(state));
    });
    return told;
  }

  static constexpr bool kHasHints =
      requires(M model, std::vector<TimedStep<typename M::Step>> all) { model.survey_part(all); };

 private:
  /// `alone`: what was known to end and is not any more stands in no order with its client's.
  History left(std::size_t spare, bool alone) const {
    History left = history_;
    for (std::size_t i = 0; i < left.size(); ++i) {
      const bool told = std::ranges::find(story_.operations, i) != story_.operations.end();
      const bool before = story_.since && left[i].called < *story_.since;
      if ((told && i != spare) || before || left[i].ending != Ending::ok) continue;
      left[i].ending = Ending::unknown;
      left[i].returned = Operation::kNever;
      if (alone) left[i].client = 1'000 + i;
    }
    return left;
  }

  const History& history_;
  const IllegalPart& story_;
};

struct StoriesMet {
  int proofs = 0;
  int begun_later = 0;
  int of_states = 0;
};

template <Model M>
void check_story(const History& history, const IllegalPart& story, bool minimal, StoriesMet& met) {
  const StoryByForce<M> force(history, story);
  REQUIRE_FALSE(force.exists());
  ++met.proofs;
  met.begun_later += story.since ? 1 : 0;
  for (const std::size_t operation : story.operations)
    if (minimal && !story.since) REQUIRE(force.exists_without(operation));
  if (story.states_behind.size() >= IllegalPart::kStatesToldMax) return;
  const std::set<std::string> told(story.states_behind.begin(), story.states_behind.end());
  const std::set<std::string> could = force.states_behind();
  if (told.empty() || could.empty()) return;
  ++met.of_states;
  REQUIRE(std::ranges::includes(told, could));
  if (!story.since && !force.kHasHints) REQUIRE(told == could);
}

// The stories of drawn histories of one model, cut down within much work and within little.
template <Model M>
StoriesMet check_stories(std::string_view name, const HistoryPlan& plan, std::uint64_t histories) {
  StoriesMet met;
  for (std::uint64_t seed = 1; seed <= histories; ++seed) {
    CAPTURE(seed);
    Prng prng(seed);
    History history = draw_history(plan, *atomic_object(name), prng);
    for (int i = 0; i < 3; ++i) mutate(history, prng);
    const bool minimal = seed % 2 == 0;
    LinearizabilityOptions options;
    if (!minimal) options.story_work_max = 100 + prng.below(500);
    const auto report = check_linearizable(M(), history, options);
    if (!report->illegal) continue;
    CAPTURE(history_text(history));
    CAPTURE(report->illegal->text(history));
    if (minimal) REQUIRE(report->illegal->cut_down);
    if (report->illegal->cut_down) check_story<M>(history, *report->illegal, minimal, met);
  }
  return met;
}

// One line of a history: who, what, with which fields, and when.
std::string line(int client, const std::string& fields, int called, int returned) {
  std::string text = R"({"client":)" + std::to_string(client) + R"(,"op":)" + fields +
                     R"(,"call":)" + std::to_string(called) + R"(,"return":)";
  return text + (returned < 0 ? "null" : std::to_string(returned) + R"(,"ok":true)") + "}\n";
}

template <Model M>
std::string story_of(const std::string& text, const LinearizabilityOptions& options = {}) {
  const auto history = read_history(text);
  REQUIRE(history);
  const auto report = check_linearizable(M(), *history, options);
  REQUIRE(report);
  REQUIRE(report->illegal);
  return report->illegal->text(*history);
}

}  // namespace

TEST_CASE("a story that begins with the history is a proof, and none of its operations is spare") {
  for (const std::int64_t pause_max_ns : {8, 1}) {
    HistoryPlan plan{.operations = 7,
                     .clients = 4,
                     .keys = 1,
                     .values = 2,
                     .unknown_per_million = 100'000,
                     .span_max_ns = 8,
                     .pause_max_ns = pause_max_ns};
    const auto many = [](const StoriesMet& met, bool some_begin_later) {
      CHECK(met.proofs > 50);
      CHECK(met.of_states > 20);
      CHECK((met.begun_later > 0) == some_begin_later);
    };
    many(check_stories<RegisterModel>("register", plan, 500), true);
    many(check_stories<CasModel>("cas", plan, 500), true);
    many(check_stories<ListModel>("list", plan, 500), false);
    many(check_stories<LockModel>("lock", plan, 500), true);
    many(check_stories<QueueModel>("queue", plan, 500), true);
    plan.values = 1'000'000;
    many(check_stories<QueueModel>("queue", plan, 500), true);
  }
}

TEST_CASE("a story tells nothing that was called too late to matter and blames nobody for it") {
  // What client 3 read was written behind the fatal return.
  CHECK(story_of<RegisterModel>(
            line(1, R"("write","value":1)", 0, 1) + line(1, R"("write","value":2)", 2, 3) +
            line(2, R"("read","value":1)", 4, 10) + line(3, R"("read","value":7)", 5, 20) +
            line(4, R"("write","value":7)", 15, 16)) ==
        "No order explains these 3 operations, whatever became of the other one called by then:\n"
        "  client 1: write value 1, from 0 ns to 1 ns: ok\n"
        "  client 1: write value 2, from 2 ns to 3 ns: ok\n"
        "  client 2: read value 1, from 4 ns to 10 ns: ok\n"
        "The first state is null. When the last of them returned it could only be 2.\n");
}

TEST_CASE("a story that needs the end of an operation that returned later says when it is over") {
  const std::string swap = R"("cas","from":null,"to":1,"swapped":false)";
  CHECK(story_of<CasModel>(line(1, swap, 0, 30) + line(2, R"("read","value":1)", 5, 10) +
                           line(3, R"("write","value":1)", 20, 25)) ==
        "No order explains these 2 operations, whatever became of the other one called by then:\n"
        "  client 1: cas from null to 1 swapped false, from 0 ns to 30 ns: ok\n"
        "  client 2: read value 1, from 5 ns to 10 ns: ok\n"
        "The first state is null. At 10 ns it could only be null.\n");
}

TEST_CASE("a story shows the answer that a model's hints looked at") {
  CHECK(story_of<ListModel>(line(1, R"("append","value":0)", 0, 100) +
                            line(9, R"("read","values":[1])", 200, 210)) ==
        "No order explains this operation, whatever became of the other one called by then:\n"
        "  client 9: read values [1], from 200 ns to 210 ns: ok\n"
        "The first state is []. When the last of them returned it could only be [] or [0].\n");
  const std::string uncut = story_of<ListModel>(
      line(1, R"("append","value":0)", 0, 100) + line(9, R"("read","values":[1])", 200, 210),
      {.story_work_max = 0});
  CHECK(uncut ==
        "No order explains the 2 operations that were called by the return of this one:\n"
        "  client 9: read values [1], from 200 ns to 210 ns: ok\n");
  CHECK(story_of<RegisterModel>(line(1, R"("read","value":1)", 0, 1), {.story_work_max = 0}) ==
        "No order explains the one operation:\n"
        "  client 1: read value 1, from 0 ns to 1 ns: ok\n");
}

TEST_CASE("a story that begins later begins in all states that there could be") {
  const auto enqueue = [](int value, int called, int returned) {
    return line(1, R"("enqueue","value":)" + std::to_string(value), called, returned);
  };
  const auto dequeue = [](int client, const std::string& value, int called, int returned) {
    return line(client, R"("dequeue","value":)" + value, called, returned);
  };
  // The first dequeue returns in the instant in which the story begins, and may not be done then.
  CHECK(story_of<QueueModel>(enqueue(1, 0, 1) + enqueue(2, 2, 3) + dequeue(2, "1", 10, 20) +
                             enqueue(3, 20, 24) + enqueue(4, 25, 26) + dequeue(2, "2", 30, 35) +
                             dequeue(2, "3", 40, 45) + dequeue(2, "null", 50, 55)) ==
        "No order explains these 3 operations, whatever became of the 3 others called by then:\n"
        "  client 1: enqueue value 4, from 25 ns to 26 ns: ok\n"
        "  client 2: dequeue value 3, from 40 ns to 45 ns: ok\n"
        "  client 2: dequeue value null, from 50 ns to 55 ns: ok\n"
        "At 20 ns the state was [1,2]. When the last of them returned it could only be [4].\n");
}
