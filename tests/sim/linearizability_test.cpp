#include "tubing/sim/judges/linearizability.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>

#include "tests/sim/history_generator.h"
#include "tests/sim/order_by_force.h"
#include "tubing/sim/judges/cas_model.h"
#include "tubing/sim/judges/list_model.h"
#include "tubing/sim/judges/lock_model.h"
#include "tubing/sim/judges/operation_reader.h"
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

// Lines of a register: client, operation, value, call and return; a return of -1 is unknown.
struct Line {
  std::uint64_t client;
  std::string op;
  Value value;
  std::int64_t called;
  std::int64_t returned;
  std::string key = "a";
};

History lines(std::vector<Line> lines) {
  History history;
  for (Line& line : lines) {
    const bool unknown = line.returned < 0;
    history.push_back({.client = line.client,
                       .op = std::move(line.op),
                       .values = {{"key", std::move(line.key)}, {"value", std::move(line.value)}},
                       .called = line.called,
                       .returned = unknown ? Operation::kNever : line.returned,
                       .ending = unknown ? Ending::unknown : Ending::ok});
  }
  return history;
}

Verdict of_register(const History& history) {
  return check_linearizable(RegisterModel(), history)->verdict;
}

// A user's own model: a counter that is told what it comes to.
struct CounterModel {
  using State = std::int64_t;
  struct Step {
    std::int64_t added = 0;
    std::optional<std::int64_t> total;
    static constexpr auto fields = tubing::fields("added", &Step::added, "total", &Step::total);
  };

  std::string_view name() const { return "counter"; }
  Result<std::string> part(const Operation& operation) const { return part_by_key(operation); }
  State begin() const { return 0; }
  bool changes_nothing(const Step& step) const { return step.added == 0; }
  Result<Step> read(const Operation& operation) const {
    OperationReader in(operation);
    Step step;
    if (in.is("add")) step.added = in.number("added");
    step.total = in.number_result("total");
    return in.finish(step);
  }
  bool apply(State& state, const Step& step) const {
    state += step.added;
    return !step.total || *step.total == state;
  }
};

}  // namespace

TEST_CASE("a model of the user's own is judged by") {
  const auto added = [](std::int64_t total) {
    return History{{.client = 1,
                    .op = "add",
                    .values = {{"added", 2}},
                    .called = 0,
                    .ending = Ending::unknown},
                   {.client = 2,
                    .op = "add",
                    .values = {{"added", 3}, {"total", total}},
                    .called = 5,
                    .returned = 6,
                    .ending = Ending::ok}};
  };
  CHECK(check_linearizable(CounterModel(), added(3))->verdict == Verdict::legal);
  CHECK(check_linearizable(CounterModel(), added(5))->verdict == Verdict::legal);
  const auto report = check_linearizable(CounterModel(), added(4));
  REQUIRE(report->illegal);
  CHECK(report->illegal->text(added(4)) ==
        "No order explains this operation, whatever became of the other one called by then:\n"
        "  client 2: add added 3 total 4, from 5 ns to 6 ns: ok\n"
        "The first state is 0. When the last of them returned it could only be 0 or 2.\n");
}

TEST_CASE("an operation of unknown end takes effect once, at any time behind its call, or never") {
  const Line write{.client = 1, .op = "write", .value = 1, .called = 10, .returned = -1};
  const auto read = [](std::int64_t at, Value value) {
    return Line{
        .client = 2, .op = "read", .value = std::move(value), .called = at, .returned = at + 1};
  };
  const Value none;
  CHECK(of_register(lines({write, read(20, none), read(30, none)})) == Verdict::legal);
  CHECK(of_register(lines({write, read(20, none), read(99, 1)})) == Verdict::legal);
  CHECK(of_register(lines({write, read(20, 1), read(30, none)})) == Verdict::illegal);
  CHECK(of_register(lines({write, read(5, 1)})) == Verdict::illegal);
  const Line again{.client = 3, .op = "write", .value = 2, .called = 30, .returned = 31};
  CHECK(of_register(lines({write, read(20, 1), again, read(40, 1)})) == Verdict::illegal);
  CHECK(of_register(lines({write, write, read(20, 1), again, read(40, 1)})) == Verdict::legal);
}

TEST_CASE("operations whose times touch overlap unless they are of one client") {
  const Value none;
  const Line write{.client = 1, .op = "write", .value = 1, .called = 10, .returned = 20};
  CHECK(of_register(lines({write, {2, "read", none, 20, 30}})) == Verdict::legal);
  CHECK(of_register(lines({write, {1, "read", none, 20, 30}})) == Verdict::illegal);
  CHECK(of_register(lines({write, {2, "read", none, 21, 30}})) == Verdict::illegal);
}

TEST_CASE("what a client asked for in one instant stands in any order that it may have asked in") {
  const Line lost{1, "write", 1, 5, -1};
  const Line one{1, "write", 1, 5, 5};
  const Line two{1, "write", 2, 5, 5};
  const Line before{1, "write", 3, 4, 5};
  const Line behind{1, "write", 4, 5, 6};
  const auto last = [](Value value) { return Line{2, "read", std::move(value), 7, 8}; };
  // One that it gave up may have been asked for first.
  CHECK(of_register(lines({lost, {1, "read", 1, 5, 5}})) == Verdict::legal);
  CHECK(of_register(lines({lost, {1, "read", 1, 5, 9}})) == Verdict::legal);
  CHECK(of_register(lines({lost, {1, "read", 1, 4, 5}})) == Verdict::illegal);
  // Two that took no time: either, whichever line comes first.
  CHECK(of_register(lines({one, two, last(1)})) == Verdict::legal);
  CHECK(of_register(lines({one, two, last(2)})) == Verdict::legal);
  // But all of them between one that had to return, and one that it waited for.
  CHECK(of_register(lines({two, before, one, last(3)})) == Verdict::illegal);
  CHECK(of_register(lines({behind, two, one, last(1)})) == Verdict::illegal);
  CHECK(of_register(lines({behind, two, one, last(2)})) == Verdict::illegal);
  CHECK(of_register(lines({behind, two, one, last(4)})) == Verdict::legal);
}

TEST_CASE("parts of a history are judged each by itself") {
  const History history = lines({{1, "write", 1, 0, 1, "a"},
                                 {1, "write", 2, 2, 3, "b"},
                                 {1, "read", 1, 4, 5, "a"},
                                 {1, "read", 1, 6, 7, "b"},
                                 {1, "write", 3, 8, 9, "c"},
                                 {1, "read", 2, 10, 11, "c"}});
  const auto report = check_linearizable(RegisterModel(), history);
  CHECK(report->parts == 3);
  CHECK(report->operations == 6);
  CHECK(report->illegal_parts == 2);
  REQUIRE(report->illegal);
  CHECK(report->illegal->part == "key b");
}

TEST_CASE("an operation that failed takes no effect") {
  History history = lines({{1, "write", 1, 0, 1}, {1, "read", 1, 2, 3}});
  CHECK(of_register(history) == Verdict::legal);
  history[0].ending = Ending::failed;
  CHECK(of_register(history) == Verdict::illegal);
}

TEST_CASE("what a model cannot take is named with its line, failed or not") {
  History history = lines({{1, "write", 1, 0, 1}, {1, "put", 1, 2, 3}});
  const auto unknown = check_linearizable(RegisterModel(), history);
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().detail() ==
        "line 2: no operation 'put' is known to this model; it knows: read, write");
  history[1].ending = Ending::failed;
  CHECK_FALSE(check_linearizable(RegisterModel(), history));
  history[1] = {.op = "read", .called = 9, .returned = 10, .ending = Ending::ok};
  CHECK(check_linearizable(RegisterModel(), history).error().detail() ==
        "line 2: read: \"value\" is missing");
}

TEST_CASE("more operations may be pending at a time than fit into a word") {
  std::vector<Line> many;
  many.reserve(400);
  for (std::uint64_t i = 0; i < 150; ++i)
    many.push_back({i, "read", Value(), 0, static_cast<std::int64_t>(1000 + i)});
  for (std::uint64_t i = 0; i < 150; ++i)
    many.push_back({200 + i, "write", 7, static_cast<std::int64_t>(i), -1});
  many.push_back({999, "write", 1, 500, 600});
  many.push_back({998, "read", 1, 700, 701});
  CHECK(of_register(lines(many)) == Verdict::legal);
  many.push_back({998, "read", 2, 800, 801});
  CHECK(of_register(lines(many)) == Verdict::illegal);
}

TEST_CASE("a judge that meets a limit says which and guesses nothing") {
  std::vector<Line> many;
  many.reserve(20);
  for (std::uint64_t i = 0; i < 12; ++i)
    many.push_back({i, "write", static_cast<std::int64_t>(i), 0, 100});
  many.push_back({50, "read", 77, 0, 50});
  const auto limited = [&](const LinearizabilityOptions& options) {
    const auto report = check_linearizable(RegisterModel(), lines(many), options);
    CHECK(report->verdict == Verdict::undecided);
    CHECK_FALSE(report->illegal);
    return report->undecided;
  };
  CHECK(limited({.configurations_max = 100}).starts_with("on key a there were more than 100 conf"));
  CHECK(limited({.memory_bytes_max = 20}).contains("more than 20 bytes (memory_bytes_max; "));
  CHECK(limited({.work_max = 1000}).contains("1000 steps and comparisons"));
  CHECK(of_register(lines(many)) == Verdict::illegal);
  const auto whole = check_linearizable(RegisterModel(), lines(many), {.story_work_max = 0});
  REQUIRE(whole->illegal);
  CHECK_FALSE(whole->illegal->cut_down);
  CHECK(
      whole->illegal->text(lines(many)).starts_with("No order explains the 13 operations on key"));
}

TEST_CASE("a judge tells how far it is") {
  Prng prng(1);
  const History history =
      draw_history({.operations = 2'000, .keys = 2}, *atomic_object("register"), prng);
  std::vector<std::size_t> done;
  LinearizabilityOptions options;
  options.on_progress = [&](const JudgeProgress& progress) {
    CHECK(progress.parts == 2);
    CHECK(progress.operations_done <= progress.operations);
    done.push_back(progress.operations_done);
  };
  const auto report = check_linearizable(RegisterModel(), history, options);
  CHECK(report->verdict == Verdict::legal);
  CHECK(done.size() > 6);
  CHECK(done.back() == report->operations);
}

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
}

namespace {

// Of the values of key k0 two come out in the wrong order: the one whose enqueue returned before
// the other's was called is dequeued wholly behind it.
bool swap_two(History& queue) {
  std::vector<Operation*> dequeues;
  for (Operation& operation : queue)
    if (operation.op == "dequeue" && operation.ending == Ending::ok &&
        operation.text("key") == "k0" && operation.values.back().value != Value())
      dequeues.push_back(&operation);
  const auto enqueue_of = [&](const Value& value) {
    return std::ranges::find_if(queue, [&](const Operation& operation) {
      return operation.op == "enqueue" && *operation.find("value") == value;
    });
  };
  for (std::size_t i = dequeues.size() / 2; i < dequeues.size(); ++i)
    for (Operation* late : std::span(dequeues).subspan(i + 1)) {
      Value& first = dequeues[i]->values.back().value;
      Value& second = late->values.back().value;
      if (!dequeues[i]->precedes(*late) || !enqueue_of(first)->precedes(*enqueue_of(second)))
        continue;
      // Still behind its enqueue: the order alone is wrong.
      if (dequeues[i]->precedes(*enqueue_of(second))) continue;
      std::swap(first, second);
      return true;
    }
  return false;
}

}  // namespace

TEST_CASE("a queue of many clients and different values is decided, legal or not, and told") {
  for (const std::uint64_t clients : {5, 30, 100}) {
    CAPTURE(clients);
    const HistoryPlan plan{.operations = 10'000,
                           .clients = clients,
                           .keys = 10,
                           .values = 1'000'000'000'000,
                           .pause_max_ns = 5};
    Prng prng(5);
    History queue = draw_history(plan, *atomic_object("queue"), prng);
    const auto legal = check_linearizable(QueueModel(), queue);
    CHECK(legal->verdict == Verdict::legal);
    CHECK(legal->configurations_peak < 1'000);
    REQUIRE(swap_two(queue));
    const auto illegal = check_linearizable(QueueModel(), queue);
    REQUIRE(illegal->illegal);
    CHECK(illegal->illegal_parts == 1);
    CHECK(illegal->configurations_peak < 1'000);
    CAPTURE(illegal->illegal->text(queue));
    CHECK(illegal->illegal->part == "key k0");
    CHECK(illegal->illegal->cut_down);
    CHECK(illegal->illegal->operations.size() <= 4);
  }
}

TEST_CASE("values go through a queue in another order than they first seem to") {
  const auto judged = [](const std::vector<Line>& all) {
    History history = lines(all);
    // What was lost has no results, and took a value out.
    for (Operation& operation : history)
      if (operation.op == "dequeue" && operation.ending == Ending::unknown)
        operation.values.pop_back();
    return check_linearizable(QueueModel(), history)->verdict;
  };
  const Value none;
  const Line empty{5, "dequeue", none, 20, 100};
  const std::vector<Line> both = {{1, "enqueue", "x", 0, 1}, {2, "enqueue", "b", 0, 2}};
  const Line first{3, "dequeue", "b", 30, 40};
  // It was empty when x had come out, and not before.
  CHECK(judged({both[0], both[1], first, {4, "dequeue", "x", 60, 70}, empty}) == Verdict::legal);
  CHECK(judged({both[0], both[1], first, {4, "dequeue", none, 50, -1}, empty}) == Verdict::legal);
  CHECK(judged({both[0], both[1], first, empty}) == Verdict::illegal);
  // Of one client a stands before b, which it touches; x may stand behind both.
  const std::vector<Line> touching = {{1, "enqueue", "a", 0, 5},   {1, "enqueue", "b", 5, 9},
                                      {2, "enqueue", "x", 0, 5},   {3, "dequeue", "a", 6, 8},
                                      {3, "dequeue", "b", 10, 11}, {3, "dequeue", "x", 20, 21}};
  CHECK(judged(touching) == Verdict::legal);
}

TEST_CASE("the judge agrees with brute force on drawn queues of different values") {
  const auto drawn = [](std::uint64_t unknown_per_million, std::int64_t pause_max_ns) {
    return HistoryPlan{.operations = 10,
                       .clients = 5,
                       .values = 1'000'000'000,
                       .unknown_per_million = unknown_per_million,
                       .span_max_ns = 40,
                       .pause_max_ns = pause_max_ns};
  };
  // Nothing touches, much touches; much is lost.
  agree_on_drawn<QueueModel>("queue", drawn(0, 1'000), 500);
  agree_on_drawn<QueueModel>("queue", drawn(300'000, 20), 1'000);
  agree_on_drawn<QueueModel>("queue", drawn(100'000, 0), 500);
}
