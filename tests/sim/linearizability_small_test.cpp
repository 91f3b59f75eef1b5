// The judge against brute force, on every small history.
#include <doctest/doctest.h>

#include "tests/sim/order_by_force.h"
#include "tests/sim/small_histories.h"
#include "tubing/sim/judges/cas_model.h"
#include "tubing/sim/judges/linearizability.h"
#include "tubing/sim/judges/list_model.h"
#include "tubing/sim/judges/lock_model.h"
#include "tubing/sim/judges/queue_model.h"
#include "tubing/sim/judges/register_model.h"

using namespace tubing;
using namespace tubing::sim;

namespace {

#ifdef TUBING_LONG_PROGRAMS
constexpr std::size_t kOperationsMax = 5;
constexpr std::size_t kSmallOperationsMax = 4;  // Of models with many answers.
#else
constexpr std::size_t kOperationsMax = 3;
constexpr std::size_t kSmallOperationsMax = 3;
#endif

/// Two clients and three, up to so many operations.
template <Model M>
void agree_on_all(const std::vector<Question>& questions, std::size_t operations_max) {
  std::size_t legal = 0;
  std::size_t illegal = 0;
  for (std::size_t clients = 2; clients <= 3; ++clients) {
    SmallHistories histories(questions, clients, [&](const History& history) {
      M model;
      const bool exists = OrderByForce<M>(model, history).exists();
      const auto report = check_linearizable(M(), history, {.story_work_max = 0});
      (exists ? legal : illegal) += 1;
      const Verdict wanted = exists ? Verdict::legal : Verdict::illegal;
      if (report && report->verdict == wanted) return;
      FAIL(verdict_name(wanted) << " is\n" << history_text(history));
    });
    for (std::size_t operations = 1; operations <= operations_max; ++operations)
      histories.show(operations);
  }
  MESSAGE(legal << " legal histories, " << illegal << " illegal ones");
  CHECK(legal > 500);
  CHECK(illegal > 500);
}

std::vector<Question> writes_and_reads() {
  return {{.op = "write", .arguments = {{"value", 0}}},
          {.op = "write", .arguments = {{"value", 1}}},
          {.op = "read",
           .answers = {{{"value", Value()}}, {{"value", 0}}, {{"value", 1}}},
           .may_be_unknown = false}};
}

void agree_on_registers() { agree_on_all<RegisterModel>(writes_and_reads(), kOperationsMax); }

void agree_on_swaps() {
  const std::vector<std::vector<NamedValue>> answers = {{{"swapped", false}}, {{"swapped", true}}};
  std::vector<Question> questions = writes_and_reads();
  questions[1] = {.op = "cas", .arguments = {{"from", 0}, {"to", 1}}, .answers = answers};
  questions.push_back({.op = "cas", .arguments = {{"from", 1}, {"to", 0}}, .answers = answers});
  agree_on_all<CasModel>(questions, kSmallOperationsMax);
}

void agree_on_lists() {
  const std::vector<std::vector<NamedValue>> lengths = {{{"length", 1}}, {{"length", 2}}};
  agree_on_all<ListModel>({{.op = "append", .arguments = {{"value", 0}}},
                           {.op = "append", .arguments = {{"value", 1}}, .answers = lengths},
                           {.op = "read",
                            .answers = {{{"values", Values{}}},
                                        {{"values", Values{0}}},
                                        {{"values", Values{0, 1}}},
                                        {{"values", Values{1, 0}}}},
                            .may_be_unknown = false}},
                          kSmallOperationsMax);
}

void agree_on_locks() {
  const std::vector<std::vector<NamedValue>> accepted = {{{"accepted", false}},
                                                         {{"accepted", true}}};
  agree_on_all<LockModel>(
      {{.op = "try_acquire", .answers = {{{"token", Value()}}, {{"token", 1}}, {{"token", 2}}}},
       {.op = "release", .arguments = {{"token", 1}}, .answers = accepted},
       {.op = "use", .arguments = {{"token", 1}}, .answers = accepted, .may_be_unknown = false},
       {.op = "expire", .arguments = {{"token", 2}}}},
      kSmallOperationsMax);
}

void agree_on_queues() {
  agree_on_all<QueueModel>(
      {{.op = "enqueue", .arguments = {{"value", 0}}},
       {.op = "enqueue", .arguments = {{"value", 1}}},
       {.op = "dequeue", .answers = {{{"value", Value()}}, {{"value", 0}}, {{"value", 1}}}}},
      kOperationsMax);
}

}  // namespace

#ifdef TUBING_LONG_PROGRAMS
TEST_CASE("the judge agrees with brute force on every history of five operations of a register") {
  agree_on_registers();
}
TEST_CASE(
    "the judge agrees with brute force on every history of four operations of compare-and-swap") {
  agree_on_swaps();
}
TEST_CASE("the judge agrees with brute force on every history of four operations of a list") {
  agree_on_lists();
}
TEST_CASE("the judge agrees with brute force on every history of four operations of a lock") {
  agree_on_locks();
}
TEST_CASE("the judge agrees with brute force on every history of five operations of a queue") {
  agree_on_queues();
}
#else
TEST_CASE("the judge agrees with brute force on every small history of a register") {
  agree_on_registers();
}
TEST_CASE("the judge agrees with brute force on every small history of compare-and-swap") {
  agree_on_swaps();
}
TEST_CASE("the judge agrees with brute force on every small history of a list") {
  agree_on_lists();
}
TEST_CASE("the judge agrees with brute force on every small history of a lock") {
  agree_on_locks();
}
TEST_CASE("the judge agrees with brute force on every small history of a queue") {
  agree_on_queues();
}
#endif
