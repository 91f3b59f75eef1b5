#include "tubing/sim/scenarios/register_story.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "tubing/sim/detail/span_text.h"
#include "tubing/sim/story.h"

namespace tubing::sim {
namespace {

using detail::seconds_told;
using detail::span_told;

/// "n0, n1 and n2"; "nobody".
std::string listed(const std::vector<std::string>& names) {
  if (names.empty()) return "nobody";
  std::string text = names[0];
  for (std::size_t i = 1; i < names.size(); ++i)
    text += (i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

std::string replicas_listed(std::vector<std::size_t> replicas) {
  std::ranges::sort(replicas);
  std::vector<std::string> names;
  names.reserve(replicas.size());
  for (const std::size_t replica : replicas) names.push_back(RegisterState::replica_name(replica));
  return listed(names);
}

std::string client_of(const Operation& operation) {
  return RegisterState::client_name(operation.client - 1);
}

Time time_of(std::int64_t ns) { return Time(Duration(ns)); }

class Teller {
 public:
  Teller(const RegisterState& state, const Schedule& schedule, Time ended)
      : state_(state), history_(state.recorder.history()), schedule_(schedule), ended_(ended) {}

  void tell(Story& story) const;
  std::string beginning() const;

 private:
  void tell_operation(Story& story, std::size_t index) const;
  void tell_replicas(Story& story) const;
  std::string begun(const Operation& operation) const;
  std::string finished(std::size_t index) const;
  std::string although(const Operation& read) const;
  const Operation* write_of(std::string_view key, std::string_view value) const;
  bool follows(std::string_view key, std::string_view value, std::string_view older) const;
  bool quiet(std::int64_t from, std::int64_t to, std::size_t index) const;

  const RegisterState& state_;
  const History& history_;
  const Schedule& schedule_;
  const Time ended_;
};

const Operation* Teller::write_of(std::string_view key, std::string_view value) const {
  for (const Operation& operation : history_)
    if (operation.op == "write" && operation.text("key") == key && operation.text("value") == value)
      return &operation;
  return nullptr;
}

/// Whether `value` was surely written behind `older`, which is "" for what was there at first.
bool Teller::follows(std::string_view key, std::string_view value, std::string_view older) const {
  const Operation* const write = write_of(key, value);
  const Operation* const before = write_of(key, older);
  return write != nullptr && write != before &&
         (older.empty() || (before && before->precedes(*write)));
}

std::string Teller::although(const Operation& read) const {
  const std::string_view key = read.text("key");
  const std::string_view got = read.text("value");
  const Operation* why = nullptr;
  for (const Operation& other : history_) {
    if (other.text("key") != key || other.ending != Ending::ok || !other.precedes(read)) continue;
    const std::string_view value = other.text("value");
    if (value == got || value.empty() || !follows(key, value, got)) continue;
    if (why == nullptr || other.returned > why->returned) why = &other;
  }
  if (why == nullptr) return {};
  const std::string when = seconds_told(Duration(why->returned));
  if (why->op == "write")
    return fmt::format(", although {}'s write of {} was done at {}", client_of(*why),
                       why->text("value"), when);
  return fmt::format(", although {} had read {} at {}", client_of(*why), why->text("value"), when);
}

std::string Teller::begun(const Operation& operation) const {
  if (operation.op == "read")
    return fmt::format("{} reads {}", client_of(operation), operation.text("key"));
  return fmt::format("{} writes {} to {}", client_of(operation), operation.text("value"),
                     operation.text("key"));
}

/// How an operation ended that was answered.
std::string Teller::finished(std::size_t index) const {
  const Operation& operation = history_[index];
  const RegisterRounds& rounds = state_.rounds[index];
  if (operation.ending == Ending::failed) return "gives up, before anything was stored";
  if (operation.op == "write")
    return fmt::format("is told that it is done; {} said so", replicas_listed(rounds.stored));
  const std::string_view value = operation.text("value");
  return fmt::format("gets {} from {}{}", value.empty() ? "nothing" : value,
                     replicas_listed(rounds.asked), although(operation));
}

/// Whether nothing else is told of the time between, but what replicas stored for it.
bool Teller::quiet(std::int64_t from, std::int64_t to, std::size_t index) const {
  const auto between = [&](std::int64_t at) { return at > from && at < to; };
  for (std::size_t i = 0; i < history_.size(); ++i)
    if (i != index && (between(history_[i].called) || between(history_[i].returned))) return false;
  for (const RegisterNote& note : state_.notes)
    if (between(note.at.time_since_epoch().count())) return false;
  return std::ranges::none_of(
      schedule_, [&](const ScheduledFault& fault) { return between(fault.at.count()); });
}

void Teller::tell_operation(Story& story, std::size_t index) const {
  const Operation& operation = history_[index];
  const bool answered = operation.returned != Operation::kNever;
  std::string told = begun(operation);
  if (!answered) {
    told +=
        operation.op == "read" ? ", and gets no answer" : ", and never hears whether it is done";
    return story.add(time_of(operation.called), std::move(told));
  }
  if (quiet(operation.called, operation.returned, index)) {
    told +=
        fmt::format(", and {} later {}", span_told(Duration(operation.returned - operation.called)),
                    finished(index));
    return story.add(time_of(operation.called), std::move(told));
  }
  story.add(time_of(operation.called), told);
  const std::string which =
      operation.op == "read"
          ? fmt::format("{}, which read {},", client_of(operation), operation.text("key"))
          : fmt::format("{}, which wrote {},", client_of(operation), operation.text("value"));
  story.add(time_of(operation.returned), fmt::format("{} {}", which, finished(index)));
}

void Teller::tell_replicas(Story& story) const {
  for (const RegisterNote& note : state_.notes) {
    const std::string replica = RegisterState::replica_name(note.replica);
    const std::string& key = state_.keys[note.key];
    const std::string& value = note.entry.value;
    switch (note.kind) {
      case RegisterNote::Kind::stored:
        story.add(note.at, fmt::format("{} has {} in {}", replica, value, key));
        break;
      case RegisterNote::Kind::ignored:
        story.add(note.at, fmt::format("{} is to store {} in {} too, with the same counter, and "
                                       "keeps what it has",
                                       replica, value, key));
        break;
      case RegisterNote::Kind::returned:
        if (std::ranges::none_of(
                history_, [&](const Operation& operation) { return operation.text("key") == key; }))
          break;
        story.add(note.at, fmt::format("{} is back, and finds {} in {}", replica,
                                       value.empty() ? "nothing" : value, key));
        break;
    }
  }
}

void Teller::tell(Story& story) const {
  for (std::size_t i = 0; i < history_.size(); ++i) tell_operation(story, i);
  tell_replicas(story);
}

std::string Teller::beginning() const {
  std::vector<std::size_t> replicas(state_.replicas);
  for (std::size_t i = 0; i < replicas.size(); ++i) replicas[i] = i;
  std::vector<std::string> clients;
  std::vector<std::string> keys;
  for (std::size_t client = 0; client < state_.clients; ++client)
    if (!state_.steps[client].empty()) clients.push_back(RegisterState::client_name(client));
  for (const std::string& key : state_.keys)
    if (std::ranges::any_of(history_, [&](const Operation& o) { return o.text("key") == key; }))
      keys.push_back(key);
  return fmt::format("{} replicas, {}, keep {}; {} {} them.\n", replicas.size(),
                     replicas_listed(replicas), keys.empty() ? "nothing" : listed(keys),
                     listed(clients), clients.size() == 1 ? "uses" : "use");
}

}  // namespace

std::string register_story(const RegisterState& state, const Schedule& schedule,
                           const std::vector<std::string>& names, Time ended) {
  Story story;
  story.add_faults(schedule, names, ended);
  const Teller teller(state, schedule, ended);
  teller.tell(story);
  return teller.beginning() + story.text();
}

}  // namespace tubing::sim
