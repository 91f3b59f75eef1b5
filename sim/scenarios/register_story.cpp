#include "tubing/sim/scenarios/register_story.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "tubing/sim/detail/span_text.h"
#include "tubing/sim/story.h"

namespace tubing::sim {
namespace {

constexpr std::string_view kCounters =
    "A write takes a counter above those that it hears of; of two with the same counter the one of "
    "the client with the higher number is to stay.\n";

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
  Teller(const RegisterState& state, const Schedule& schedule, Story& story)
      : state_(state),
        history_(state.recorder.history()),
        schedule_(schedule),
        story_(story),
        told_(state.notes.size()) {}

  void tell();
  std::string beginning() const;

 private:
  void tell_operation(std::size_t index);
  bool tell_at_once(std::size_t index);
  void tell_note(std::size_t index);
  std::string stored_from(std::size_t note, std::int64_t since, std::size_t notes);
  std::string begun(const Operation& operation) const;
  std::string finished(std::size_t index) const;
  std::string although(const Operation& read) const;
  const Operation* write_of(std::string_view key, std::string_view value) const;
  bool follows(std::string_view key, std::string_view value, std::string_view older) const;
  bool undisturbed(std::int64_t from, std::int64_t to, const Operation* but = nullptr) const;
  bool same_entry(const RegisterNote& a, const RegisterNote& b) const {
    return a.kind == b.kind && a.key == b.key && a.entry == b.entry;
  }
  static std::int64_t at(const RegisterNote& note) { return note.at.time_since_epoch().count(); }

  const RegisterState& state_;
  const History& history_;
  const Schedule& schedule_;
  Story& story_;
  std::vector<bool> told_;  ///< By note.
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
    return fmt::format("is told that it is done, by {}", replicas_listed(rounds.stored));
  const std::string_view value = operation.text("value");
  return fmt::format("gets {} from {}{}", value.empty() ? "nothing" : value,
                     replicas_listed(rounds.asked), although(operation));
}

/// Whether no operation but one begins or ends between, and no fault strikes.
bool Teller::undisturbed(std::int64_t from, std::int64_t to, const Operation* but) const {
  const auto between = [&](std::int64_t at) { return at > from && at < to; };
  return std::ranges::none_of(history_,
                              [&](const Operation& operation) {
                                return &operation != but &&
                                       (between(operation.called) || between(operation.returned));
                              }) &&
         std::ranges::none_of(
             schedule_, [&](const ScheduledFault& fault) { return between(fault.at.count()); });
}

/// "n0 has it after 3 ms, n1 after 5 ms": of notes like `note`, from it on.
std::string Teller::stored_from(std::size_t note, std::int64_t since, std::size_t notes) {
  std::string text;
  for (std::size_t i = note; i < note + notes; ++i) {
    const RegisterNote& stored = state_.notes[i];
    text += fmt::format(
        "{}{} {} {}", text.empty() ? "" : ", ", RegisterState::replica_name(stored.replica),
        text.empty() ? "has it after" : "after", span_told(Duration(at(stored) - since)));
    told_[i] = true;
  }
  return text;
}

/// An operation during which nothing happens but what replicas store for it is one sentence.
bool Teller::tell_at_once(std::size_t index) {
  const Operation& operation = history_[index];
  if (operation.returned == Operation::kNever) return false;
  if (!undisturbed(operation.called, operation.returned, &operation)) return false;
  std::size_t first = 0;
  while (first < state_.notes.size() && at(state_.notes[first]) <= operation.called) ++first;
  std::size_t notes = 0;
  for (; first + notes < state_.notes.size(); ++notes) {
    const RegisterNote& note = state_.notes[first + notes];
    if (at(note) >= operation.returned) break;
    if (note.kind != RegisterNote::Kind::stored || operation.op != "write" ||
        note.entry.value != operation.text("value"))
      return false;
  }
  const Duration took(operation.returned - operation.called);
  std::string told = begun(operation);
  if (notes > 0) told += ": " + stored_from(first, operation.called, notes);
  told += fmt::format(", and {} later it {}", span_told(took), finished(index));
  story_.add(time_of(operation.called), std::move(told));
  return true;
}

void Teller::tell_operation(std::size_t index) {
  const Operation& operation = history_[index];
  if (tell_at_once(index)) return;
  std::string told = begun(operation);
  if (operation.returned == Operation::kNever) {
    told +=
        operation.op == "read" ? ", and gets no answer" : ", and never hears whether it is done";
    return story_.add(time_of(operation.called), std::move(told));
  }
  story_.add(time_of(operation.called), told);
  const std::string which =
      operation.op == "read"
          ? fmt::format("{}, which read {},", client_of(operation), operation.text("key"))
          : fmt::format("{}, which wrote {},", client_of(operation), operation.text("value"));
  story_.add(time_of(operation.returned), fmt::format("{} {}", which, finished(index)));
}

void Teller::tell_note(std::size_t index) {
  const RegisterNote& note = state_.notes[index];
  const std::string replica = RegisterState::replica_name(note.replica);
  const std::string& key = state_.keys[note.key];
  const std::string& value = note.entry.value;
  if (told_[index]) return;
  if (note.kind == RegisterNote::Kind::ignored)
    return story_.add(note.at,
                      fmt::format("{} is sent {} for {}, which has the same counter as {}, "
                                  "and keeps {}",
                                  replica, value, key, note.kept, note.kept));
  if (note.kind == RegisterNote::Kind::returned) {
    const bool used = std::ranges::any_of(
        history_, [&](const Operation& operation) { return operation.text("key") == key; });
    if (used)
      story_.add(note.at, fmt::format("{} is back, and finds {} in {}", replica,
                                      value.empty() ? "nothing" : value, key));
    return;
  }
  std::size_t alike = 1;
  while (index + alike < state_.notes.size() && !told_[index + alike] &&
         same_entry(note, state_.notes[index + alike]) &&
         undisturbed(at(note), at(state_.notes[index + alike])))
    ++alike;
  std::string told = fmt::format("{} has {} in {}", replica, value, key);
  for (std::size_t i = 1; i < alike; ++i) {
    const RegisterNote& other = state_.notes[index + i];
    told += fmt::format(", {} {} later", RegisterState::replica_name(other.replica),
                        span_told(other.at - note.at));
    told_[index + i] = true;
  }
  story_.add(note.at, std::move(told));
}

void Teller::tell() {
  for (std::size_t i = 0; i < history_.size(); ++i) tell_operation(i);
  for (std::size_t i = 0; i < state_.notes.size(); ++i) tell_note(i);
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
  const bool ties = std::ranges::any_of(state_.notes, [](const RegisterNote& note) {
    return note.kind == RegisterNote::Kind::ignored;
  });
  return fmt::format("{} replicas, {}, keep {}; {} {} them.\n{}", replicas.size(),
                     replicas_listed(replicas), keys.empty() ? "nothing" : listed(keys),
                     clients.empty() ? "nobody" : listed(clients),
                     clients.size() <= 1 ? "uses" : "use", ties ? kCounters : "");
}

}  // namespace

std::string register_story(const RegisterState& state, const Schedule& schedule,
                           const std::vector<std::string>& names, Time ended) {
  TUBING_ASSERT(state.recorder.history().size() <= kRegisterStoryMax);
  TUBING_ASSERT(state.recorder.history().size() == state.rounds.size());
  Story story;
  story.add_faults(schedule, names, ended);
  Teller teller(state, schedule, story);
  teller.tell();
  return teller.beginning() + story.text();
}

}  // namespace tubing::sim
