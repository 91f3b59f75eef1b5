// The judge against brute force, on every small history.
#include <doctest/doctest.h>

#include "tests/sim/interval_histories.h"
#include "tests/sim/order_by_force.h"
#include "tests/sim/small_histories.h"
#include "tests/sim/touching_histories.h"
#include "tubing/sim/judges/cas_model.h"
#include "tubing/sim/judges/linearizability.h"
#include "tubing/sim/judges/list_model.h"
#include "tubing/sim/judges/lock_model.h"
#include "tubing/sim/judges/map_model.h"
#include "tubing/sim/judges/queue_model.h"
#include "tubing/sim/judges/register_model.h"

using namespace tubing;
using namespace tubing::sim;

namespace {

/// What is asked of a service, and all that it may answer. Of up to five operations there are, as
/// IntervalHistories counts them,
///
///     model                  answers and open ends    legal      illegal
///     register                         7              60,155     152,141
///     compare-and-swap                11             259,580   1,748,745
///     list                            12              80,033   4,439,714
///     lock                            13             666,625   3,306,136
///     queue                            8              80,524     202,612
///     map with scans                  11             271,149   1,737,176
///     map with versions               12             389,311   2,961,933
struct Universe {
  std::vector<Question> questions;
  std::size_t operations_max;
};

#ifdef TUBING_LONG_PROGRAMS
constexpr std::size_t kOperationsMax = 5;
constexpr std::size_t kManyAnswersMax = 5;  // Of models with many answers.
constexpr std::size_t kInterleavedMax = 4;
#else
constexpr std::size_t kOperationsMax = 4;
constexpr std::size_t kManyAnswersMax = 3;
constexpr std::size_t kInterleavedMax = 3;
#endif

struct Counts {
  std::size_t legal = 0;
  std::size_t illegal = 0;
};

template <Model M>
void judge_both_ways(const History& history, Counts& counts) {
  M model;
  if constexpr (requires { model.survey(history); }) model.survey(history);
  const bool exists = OrderByForce<M>(model, history).exists();
  const auto report = check_linearizable(M(), history, {.story_work_max = 0});
  (exists ? counts.legal : counts.illegal) += 1;
  const Verdict wanted = exists ? Verdict::legal : Verdict::illegal;
  if (report && report->verdict == wanted) return;
  FAIL(verdict_name(wanted) << " is\n" << history_text(history));
}

template <Model M>
void agree_on_all(const Universe& universe) {
  Counts counts;
  IntervalHistories histories(universe.questions,
                              [&](const History& history) { judge_both_ways<M>(history, counts); });
  for (std::size_t operations = 1; operations <= universe.operations_max; ++operations)
    histories.show(operations);
  MESSAGE(counts.legal << " legal histories, " << counts.illegal << " illegal ones");
  CHECK(histories.orders() == (universe.operations_max == 5   ? 76
                               : universe.operations_max == 4 ? 23
                                                              : 8));
  CHECK(counts.legal > 250);
  CHECK(counts.illegal > 250);
}

/// Up to three clients that ask one thing behind another, in all interleavings: histories that are
/// the same to a judge come again and again, with calls and returns in another order each time.
template <Model M>
void agree_on_interleavings(const Universe& universe) {
  Counts counts;
  SmallHistories histories(universe.questions, 3,
                           [&](const History& history) { judge_both_ways<M>(history, counts); });
  for (std::size_t operations = 1; operations <= kInterleavedMax; ++operations)
    histories.show(operations);
  MESSAGE(counts.legal << " legal histories, " << counts.illegal << " illegal ones");
  CHECK(counts.legal > 500);
  CHECK(counts.illegal > 500);
}

/// Clients by a clock so coarse that most times are equal.
template <Model M>
void agree_on_touching(const Universe& universe) {
  Counts counts;
  const auto visit = [&](const History& history) { judge_both_ways<M>(history, counts); };
  TouchingHistories(universe.questions, {.clients = 1, .instants = 3}, visit).show(3);
  TouchingHistories(universe.questions, {.clients = 2, .instants = 2}, visit).show(3);
  MESSAGE(counts.legal << " legal histories, " << counts.illegal << " illegal ones");
  CHECK(counts.legal > 500);
  CHECK(counts.illegal > 500);
}

using Answers = std::vector<std::vector<NamedValue>>;

const Question kRead{.op = "read",
                     .answers = {{{"value", Value()}}, {{"value", 0}}, {{"value", 1}}},
                     .may_be_unknown = false};

Universe registers() {
  return {{{.op = "write", .arguments = {{"value", 0}}},
           {.op = "write", .arguments = {{"value", 1}}},
           kRead},
          kOperationsMax};
}

Universe swaps() {
  const Answers answers = {{{"swapped", false}}, {{"swapped", true}}};
  return {{{.op = "write", .arguments = {{"value", 0}}},
           {.op = "cas", .arguments = {{"from", 0}, {"to", 1}}, .answers = answers},
           {.op = "cas", .arguments = {{"from", 1}, {"to", 0}}, .answers = answers},
           kRead},
          kManyAnswersMax};
}

Universe lists() {
  const Answers lengths = {{{"length", 1}}, {{"length", 2}}, {{"length", 3}}};
  return {{{.op = "append", .arguments = {{"value", 0}}},
           {.op = "append", .arguments = {{"value", 1}}, .answers = lengths},
           {.op = "read",
            .answers = {{{"values", Values{}}},
                        {{"values", Values{0}}},
                        {{"values", Values{1}}},
                        {{"values", Values{0, 1}}},
                        {{"values", Values{1, 0}}},
                        {{"values", Values{0, 1, 0}}}},
            .may_be_unknown = false}},
          kManyAnswersMax};
}

Universe locks() {
  const Answers accepted = {{{"accepted", false}}, {{"accepted", true}}};
  return {{{.op = "acquire", .answers = {{{"token", 2}}}},
           {.op = "try_acquire", .answers = {{{"token", Value()}}, {{"token", 1}}, {{"token", 3}}}},
           {.op = "release", .arguments = {{"token", 1}}, .answers = accepted},
           {.op = "use", .arguments = {{"token", 2}}, .answers = accepted, .may_be_unknown = false},
           {.op = "expire", .arguments = {{"token", 2}}}},
          kManyAnswersMax};
}

Universe queues() {
  return {{{.op = "enqueue", .arguments = {{"value", 0}}},
           {.op = "enqueue", .arguments = {{"value", 1}}},
           {.op = "dequeue", .answers = {{{"value", Value()}}, {{"value", 0}}, {{"value", 1}}}}},
          kOperationsMax};
}

Values row(const char* key) { return {key, 1}; }

/// Two keys, and scans that show both.
Universe maps_with_scans() {
  return {{{.op = "put", .arguments = {{"key", "a"}, {"value", 1}}},
           {.op = "put", .arguments = {{"key", "b"}, {"value", 1}}},
           {.op = "delete",
            .arguments = {{"key", "a"}},
            .answers = {{{"found", false}}, {{"found", true}}}},
           {.op = "range",
            .answers = {{{"rows", Values{}}},
                        {{"rows", Values(1, row("a"))}},
                        {{"rows", Values(1, row("b"))}},
                        {{"rows", Values{row("a"), row("b")}}}},
            .may_be_unknown = false}},
          kManyAnswersMax};
}

Universe maps_with_versions() {
  return {{{.op = "put",
            .arguments = {{"key", "a"}, {"value", 1}},
            .answers = {{{"version", 1}}, {{"version", 2}}}},
           {.op = "delete",
            .arguments = {{"key", "a"}},
            .answers = {{{"found", false}}, {{"found", true}}}},
           {.op = "cas",
            .arguments = {{"key", "a"}, {"if_version", 1}, {"to", 1}},
            .answers = {{{"swapped", false}}, {{"swapped", true}}}},
           {.op = "get",
            .arguments = {{"key", "a"}},
            .answers = {{{"value", Value()}, {"version", 0}},
                        {{"value", 1}, {"version", 1}},
                        {{"value", 1}, {"version", 2}}},
            .may_be_unknown = false}},
          kManyAnswersMax};
}

}  // namespace

#ifndef TUBING_LONG_PROGRAMS
TEST_CASE("the judge agrees with brute force on every small history of a coarse clock") {
  agree_on_touching<RegisterModel>(registers());
  agree_on_touching<QueueModel>(queues());
}
#endif

#ifdef TUBING_LONG_PROGRAMS
TEST_CASE("the judge agrees with brute force on every history of five operations of a register") {
  agree_on_all<RegisterModel>(registers());
}
TEST_CASE(
    "the judge agrees with brute force on every history of five operations of compare-and-swap") {
  agree_on_all<CasModel>(swaps());
}
TEST_CASE("the judge agrees with brute force on every history of five operations of a list") {
  agree_on_all<ListModel>(lists());
}
TEST_CASE("the judge agrees with brute force on every history of five operations of a lock") {
  agree_on_all<LockModel>(locks());
}
TEST_CASE("the judge agrees with brute force on every history of five operations of a queue") {
  agree_on_all<QueueModel>(queues());
}
TEST_CASE("the judge agrees with brute force on every history of five operations of a map") {
  agree_on_all<MapModel>(maps_with_scans());
}
TEST_CASE("the judge agrees with brute force on every history of five operations with versions") {
  agree_on_all<MapModel>(maps_with_versions());
}
TEST_CASE("the judge agrees with brute force on all interleavings of four operations") {
  agree_on_interleavings<RegisterModel>(registers());
  agree_on_interleavings<CasModel>(swaps());
  agree_on_interleavings<ListModel>(lists());
  agree_on_interleavings<LockModel>(locks());
  agree_on_interleavings<QueueModel>(queues());
}
#else
TEST_CASE("the judge agrees with brute force on every small history of a register") {
  agree_on_all<RegisterModel>(registers());
  agree_on_interleavings<RegisterModel>(registers());
}
TEST_CASE("the judge agrees with brute force on every small history of compare-and-swap") {
  agree_on_all<CasModel>(swaps());
  agree_on_interleavings<CasModel>(swaps());
}
TEST_CASE("the judge agrees with brute force on every small history of a list") {
  agree_on_all<ListModel>(lists());
  agree_on_interleavings<ListModel>(lists());
}
TEST_CASE("the judge agrees with brute force on every small history of a lock") {
  agree_on_all<LockModel>(locks());
  agree_on_interleavings<LockModel>(locks());
}
TEST_CASE("the judge agrees with brute force on every small history of a queue") {
  agree_on_all<QueueModel>(queues());
  agree_on_interleavings<QueueModel>(queues());
}
TEST_CASE("the judge agrees with brute force on every small history of a map") {
  agree_on_all<MapModel>(maps_with_scans());
  agree_on_all<MapModel>(maps_with_versions());
}
#endif
