#include "tests/sim/history_generator.h"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "tubing/channel/base/assert.h"

namespace tubing::sim {
namespace {

std::string drawn_key(Prng& prng, const HistoryPlan& plan) {
  return "k" + std::to_string(prng.below(plan.keys));
}

Value drawn_value(Prng& prng, const HistoryPlan& plan) {
  return static_cast<std::int64_t>(prng.below(plan.values));
}

class Register final : public AtomicObject {
 public:
  explicit Register(bool swaps) : swaps_(swaps) {}

  void ask(Operation& operation, Prng& prng, const HistoryPlan& plan) override {
    const std::uint64_t kind = prng.below(swaps_ ? 4 : 2);
    operation.op = kind == 0 ? "write" : kind == 1 ? "read" : "cas";
    operation.values.push_back({"key", drawn_key(prng, plan)});
    if (kind == 0) operation.values.push_back({"value", drawn_value(prng, plan)});
    if (kind < 2) return;
    operation.values.push_back({"from", drawn_value(prng, plan)});
    operation.values.push_back({"to", drawn_value(prng, plan)});
  }

  std::vector<NamedValue> act(const Operation& operation) override {
    Value& value = values_[std::string(operation.text("key"))];
    if (operation.op == "read") return {{"value", value}};
    const bool swapped = operation.op == "cas" && *operation.find("from") == value;
    if (operation.op == "write") value = *operation.find("value");
    if (swapped) value = *operation.find("to");
    if (operation.op == "write") return {};
    return {{"swapped", swapped}};
  }

 private:
  const bool swaps_;
  std::map<std::string, Value> values_;
};

class List final : public AtomicObject {
 public:
  void ask(Operation& operation, Prng& prng, const HistoryPlan& plan) override {
    operation.op = prng.chance(1, 2) ? "append" : "read";
    operation.values.push_back({"key", drawn_key(prng, plan)});
    if (operation.op == "append") operation.values.push_back({"value", drawn_value(prng, plan)});
  }

  std::vector<NamedValue> act(const Operation& operation) override {
    Values& list = lists_[std::string(operation.text("key"))];
    if (operation.op == "read") return {{"values", list}};
    list.push_back(*operation.find("value"));
    return {{"length", static_cast<std::int64_t>(list.size())}};
  }

 private:
  std::map<std::string, Values> lists_;
};

class Queue final : public AtomicObject {
 public:
  void ask(Operation& operation, Prng& prng, const HistoryPlan& plan) override {
    operation.op = prng.chance(1, 2) ? "enqueue" : "dequeue";
    operation.values.push_back({"key", drawn_key(prng, plan)});
    if (operation.op == "enqueue") operation.values.push_back({"value", drawn_value(prng, plan)});
  }

  std::vector<NamedValue> act(const Operation& operation) override {
    std::deque<Value>& queue = queues_[std::string(operation.text("key"))];
    if (operation.op == "enqueue") {
      queue.push_back(*operation.find("value"));
      return {};
    }
    Value front;
    if (!queue.empty()) {
      front = std::move(queue.front());
      queue.pop_front();
    }
    return {{"value", std::move(front)}};
  }

 private:
  std::map<std::string, std::deque<Value>> queues_;
};

class Lock final : public AtomicObject {
 public:
  void ask(Operation& operation, Prng& prng, const HistoryPlan& plan) override {
    const std::uint64_t kind = prng.below(3);
    operation.op = kind == 0 ? "try_acquire" : kind == 1 ? "release" : "use";
    operation.values.push_back({"key", drawn_key(prng, plan)});
    if (kind == 0) return;
    // Mostly a token that was given: the last one, or one before.
    const std::int64_t last = states_[std::string(operation.text("key"))].last;
    const auto before = static_cast<std::int64_t>(prng.below(2));
    operation.values.push_back({"token", std::max<std::int64_t>(1, last - before)});
  }

  std::vector<NamedValue> act(const Operation& operation) override {
    State& state = states_[std::string(operation.text("key"))];
    if (operation.op == "try_acquire") {
      if (state.holder != 0) return {{"token", Value()}};
      state.holder = ++state.last;
      return {{"token", state.holder}};
    }
    const bool holds = state.holder != 0 && *operation.find("token") == Value(state.holder);
    if (operation.op == "release" && holds) state.holder = 0;
    return {{"accepted", holds}};
  }

 private:
  struct State {
    std::int64_t holder = 0;
    std::int64_t last = 0;
  };
  std::map<std::string, State> states_;
};

/// Runs the clients: a queue of what happens next, by time and then by the order in which it was
/// planned.
class Draw {
 public:
  Draw(const HistoryPlan& plan, AtomicObject& object, Prng& prng)
      : plan_(plan), object_(object), prng_(prng) {}

  History run() {
    for (std::uint64_t client = 1; client <= plan_.clients; ++client)
      plan({.kind = Event::Kind::call, .client = client}, span(plan_.pause_max_ns));
    while (!events_.empty()) {
      const auto next = events_.begin();
      now_ = next->first.first;
      const Event event = next->second;
      events_.erase(next);
      take(event);
    }
    return std::move(history_);
  }

 private:
  struct Event {
    enum class Kind : std::uint8_t { call, effect, end };
    Kind kind = Kind::call;
    std::uint64_t client = 0;
    std::size_t operation = 0;
  };

  std::int64_t span(std::int64_t max) {
    return static_cast<std::int64_t>(prng_.below(static_cast<std::uint64_t>(max) + 1));
  }
  void plan(const Event& event, std::int64_t after) {
    events_.emplace(std::pair(now_ + after, planned_++), event);
  }

  void take(const Event& event) {
    Operation* operation = event.kind == Event::Kind::call ? nullptr : &history_[event.operation];
    switch (event.kind) {
      case Event::Kind::call: return call(event.client);
      case Event::Kind::effect: {
        std::vector<NamedValue> results = object_.act(*operation);
        if (operation->ending != Ending::ok) return;
        operation->values.insert(operation->values.end(), results.begin(), results.end());
        return plan(
            {.kind = Event::Kind::end, .client = operation->client, .operation = event.operation},
            span(plan_.span_max_ns / 2));
      }
      case Event::Kind::end:
        if (operation->ending != Ending::unknown) operation->returned = now_;
        return plan({.kind = Event::Kind::call, .client = operation->client},
                    span(plan_.pause_max_ns));
    }
  }

  void call(std::uint64_t client) {
    if (history_.size() == plan_.operations) return;
    const std::size_t at = history_.size();
    Operation& operation = history_.emplace_back();
    operation.client = client;
    operation.called = now_;
    object_.ask(operation, prng_, plan_);
    const Event effect{.kind = Event::Kind::effect, .client = client, .operation = at};
    const Event end{.kind = Event::Kind::end, .client = client, .operation = at};
    if (prng_.chance(plan_.failed_per_million, 1'000'000)) {
      operation.ending = Ending::failed;
      plan(end, span(plan_.span_max_ns));
    } else if (prng_.chance(plan_.unknown_per_million, 1'000'000)) {
      operation.ending = Ending::unknown;
      plan(end, plan_.span_max_ns);
      // Soon, late, or never.
      const std::uint64_t fate = prng_.below(3);
      if (fate > 0) plan(effect, span(plan_.span_max_ns * (fate == 1 ? 1 : 50)));
    } else {
      operation.ending = Ending::ok;
      plan(effect, span(plan_.span_max_ns / 2));
    }
  }

  const HistoryPlan& plan_;
  AtomicObject& object_;
  Prng& prng_;
  History history_;
  std::map<std::pair<std::int64_t, std::uint64_t>, Event> events_;
  std::uint64_t planned_ = 0;
  std::int64_t now_ = 0;
};

}  // namespace

std::unique_ptr<AtomicObject> atomic_object(std::string_view model) {
  if (model == "register") return std::make_unique<Register>(false);
  if (model == "cas") return std::make_unique<Register>(true);
  if (model == "list") return std::make_unique<List>();
  if (model == "lock") return std::make_unique<Lock>();
  TUBING_ASSERT(model == "queue", model);
  return std::make_unique<Queue>();
}

History draw_history(const HistoryPlan& plan, AtomicObject& object, Prng& prng) {
  return Draw(plan, object, prng).run();
}

void mutate(History& history, Prng& prng) {
  std::vector<std::size_t> known;
  for (std::size_t i = 0; i < history.size(); ++i)
    if (history[i].ending == Ending::ok && !history[i].values.empty()) known.push_back(i);
  if (known.empty()) return;
  Operation& one = history[known[prng.below(known.size())]];
  const Operation& other = history[known[prng.below(known.size())]];
  if (one.op == other.op && one.values.size() == other.values.size() && prng.chance(3, 4)) {
    one.values.back() = other.values.back();
  } else {
    one.called = one.returned;
  }
}

void add_stale_reads(History& history, const Value& value, const Value& other) {
  std::int64_t now = 0;
  std::uint64_t client = 0;
  int brought_back = 0;
  for (const Operation& operation : history) {
    now = std::max(now, operation.called);
    if (operation.ending != Ending::unknown) now = std::max(now, operation.returned);
    client = std::max(client, operation.client + 1);
    const Value* to = operation.find(operation.op == "cas" ? "to" : "value");
    brought_back += operation.ending == Ending::unknown && operation.op != "read" &&
                    operation.text("key") == "k0" && *to == value;
  }
  const auto add = [&](std::string op, const Value& seen) {
    now += 10;
    history.push_back({.client = client,
                       .op = std::move(op),
                       .values = {{"key", "k0"}, {"value", seen}},
                       .called = now,
                       .returned = now + 5,
                       .ending = Ending::ok});
  };
  for (int i = 0; i <= brought_back; ++i) {
    add("write", other);
    add("read", value);
  }
}

}  // namespace tubing::sim
