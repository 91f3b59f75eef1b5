#include "tubing/sim/judges/session_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "tubing/sim/judges/operation_reader.h"

namespace tubing::sim {
namespace {

using Wrong = std::optional<Ruling>;

/// All attempts of one call.
struct Call {
  std::size_t first = 0;          ///< Called first.
  std::int64_t called = 0;        ///< Of `first`.
  std::optional<std::size_t> ok;  ///< Answered ok first.
  bool may_have_effect = false;   ///< An attempt is not known to have failed.
  std::optional<std::size_t> effect;
};

struct Session {
  std::map<std::int64_t, Call> calls;   ///< By serial.
  std::optional<std::int64_t> applied;  ///< The last serial that took effect.
};

class SessionJudge {
 public:
  explicit SessionJudge(const History& history) : history_(history) {}

  std::size_t judged() const { return attempts_.size() + effects_.size(); }

  Result<Ruling> judge() {
    if (Result<> sorted = sort_lines(); !sorted) return sorted.error();
    for (const std::size_t at : attempts_) {
      Result<Wrong> wrong = take(at);
      if (!wrong) return wrong.error();
      if (*wrong) return **std::move(wrong);
    }
    for (auto& [name, session] : sessions_)
      if (Wrong wrong = check_order(name, session)) return *std::move(wrong);
    if (effects_.empty()) return Ruling();
    if (Result<> sorted = sort_effects(); !sorted) return sorted.error();
    for (const std::size_t at : effects_) {
      Result<Wrong> wrong = apply(at);
      if (!wrong) return wrong.error();
      if (*wrong) return **std::move(wrong);
    }
    for (auto& [name, session] : sessions_)
      if (Wrong wrong = check_lost(name, session)) return *std::move(wrong);
    return Ruling();
  }

 private:
  struct Which {
    std::string session;
    std::int64_t serial = 0;
  };

  Result<> sort_lines();
  Result<Which> which_call(std::size_t at) const;
  Result<Wrong> take(std::size_t at);
  Wrong take_reply(const std::string& which, Call& call, std::size_t at) const;
  Wrong check_order(const std::string& name, const Session& session) const;
  Result<> sort_effects();
  Result<Wrong> apply(std::size_t at);
  Wrong check_effect(const std::string& which, const Call& call, std::size_t at) const;
  Wrong check_lost(const std::string& name, const Session& session) const;

  const History& history_;
  std::map<std::string, Session> sessions_;
  std::vector<std::size_t> attempts_;
  std::vector<std::size_t> effects_;
};

Result<> SessionJudge::sort_lines() {
  for (std::size_t at = 0; at < history_.size(); ++at) {
    const Operation& operation = history_[at];
    OperationReader in(operation);
    if (in.is("session.applied")) {
      effects_.push_back(at);
    } else if (operation.op.starts_with("session.")) {
      return at_line(at, in.finish(true).error());
    } else if (operation.find("session") != nullptr || operation.find("serial") != nullptr) {
      attempts_.push_back(at);
    }
  }
  return {};
}

std::string call_name(const std::string& session, std::int64_t serial) {
  return fmt::format("call {} of session {}", serial, session);
}

/// What one has as well as the other is the same; only an answer adds results.
bool is_same_request(const Operation& one, const Operation& other) {
  if (one.op != other.op) return false;
  const bool answered = one.ending == Ending::ok;
  if (answered == (other.ending == Ending::ok)) return answered || one.values == other.values;
  const Operation& fewer = answered ? other : one;
  const Operation& more = answered ? one : other;
  return std::ranges::all_of(fewer.values, [&](const NamedValue& value) {
    const Value* same = more.find(value.name);
    return same != nullptr && *same == value.value;
  });
}

Result<SessionJudge::Which> SessionJudge::which_call(std::size_t at) const {
  OperationReader in(history_[at]);
  (void)in.is(history_[at].op);
  Which which{in.text("session"), in.number("serial")};
  Result<Which> read = in.finish(std::move(which));
  if (!read) return at_line(at, read.error());
  return read;
}

Error reused(std::size_t at, const Operation& operation) {
  return at_line(at,
                 Error(Code::invalid_argument, "session",
                       fmt::format("{}: its serial was used for another request", operation.op)));
}

Result<Wrong> SessionJudge::take(std::size_t at) {
  const Operation& operation = history_[at];
  const Result<Which> which = which_call(at);
  if (!which) return which.error();
  const auto [found, fresh] = sessions_[which->session].calls.try_emplace(which->serial);
  Call& call = found->second;
  if (fresh || operation.called < call.called) {
    const std::size_t before = call.first;
    call.first = at;
    call.called = operation.called;
    if (!fresh && !is_same_request(operation, history_[before])) return reused(at, operation);
  } else if (!is_same_request(operation, history_[call.first])) {
    return reused(at, operation);
  }
  if (operation.ending != Ending::failed) call.may_have_effect = true;
  if (operation.ending != Ending::ok) return Wrong();
  return take_reply(call_name(which->session, which->serial), call, at);
}

Wrong SessionJudge::take_reply(const std::string& which, Call& call, std::size_t at) const {
  if (!call.ok) {
    call.ok = at;
    return {};
  }
  const Operation& reply = history_[at];
  const Operation& before = history_[*call.ok];
  if (reply.revision && before.revision && reply.revision != before.revision)
    return Ruling::illegal(fmt::format("{} took effect twice, at revisions {} and {}", which,
                                       *before.revision, *reply.revision),
                           {*call.ok, at});
  if (reply.values != before.values)
    return Ruling::illegal(fmt::format("{} was answered in two ways", which), {*call.ok, at});
  if (reply.returned < before.returned) call.ok = at;
  return {};
}

Wrong SessionJudge::check_order(const std::string& name, const Session& session) const {
  std::optional<std::size_t> last;       // The answer with a revision before.
  std::optional<std::size_t> refused;    // A call before that took no effect.
  std::optional<std::int64_t> expected;  // The serial behind the last one.
  for (const auto& [serial, call] : session.calls) {
    if (call.ok && expected && serial != *expected && !refused)
      return Ruling::illegal(fmt::format("{} was answered, though call {} was never made",
                                         call_name(name, serial), *expected),
                             {*call.ok});
    if (call.ok && refused)
      return Ruling::illegal(fmt::format("{} was answered, though one before it took no effect",
                                         call_name(name, serial)),
                             {*refused, *call.ok});
    if (!call.may_have_effect && !refused) refused = call.first;
    if (!expected || serial == *expected) expected = serial + 1;
    if (!call.ok || !history_[*call.ok].revision) continue;
    if (last && *history_[*call.ok].revision <= *history_[*last].revision)
      return Ruling::illegal(
          fmt::format("{} took effect at revision {}, not behind revision {} of a call before it",
                      call_name(name, serial), *history_[*call.ok].revision,
                      *history_[*last].revision),
          {*last, *call.ok});
    last = call.ok;
  }
  return {};
}

Result<> SessionJudge::sort_effects() {
  const bool numbered = history_[effects_.front()].revision.has_value();
  for (const std::size_t at : effects_)
    if (history_[at].revision.has_value() != numbered)
      return at_line(at, Error(Code::invalid_argument, "session.applied",
                               "either all effects have a revision, or none"));
  std::ranges::sort(effects_, {}, [&](std::size_t at) {
    const Operation& effect = history_[at];
    return std::tuple(effect.revision.value_or(0), numbered ? 0 : effect.called, at);
  });
  return {};
}

Result<Wrong> SessionJudge::apply(std::size_t at) {
  const Result<Which> named = which_call(at);
  if (!named) return named.error();
  const std::int64_t serial = named->serial;
  const std::string which = call_name(named->session, serial);
  Session& session = sessions_[named->session];
  const auto found = session.calls.find(serial);
  if (found == session.calls.end())
    return Wrong(Ruling::illegal(fmt::format("{} took effect, and nobody made it", which), {at}));
  Call& call = found->second;
  if (call.effect)
    return Wrong(Ruling::illegal(fmt::format("{} took effect twice", which), {*call.effect, at}));
  const std::int64_t expected =
      session.applied ? *session.applied + 1 : session.calls.begin()->first;
  if (serial != expected)
    return Wrong(Ruling::illegal(
        fmt::format("{} took effect where call {} was the next", which, expected), {at}));
  session.applied = serial;
  call.effect = at;
  return check_effect(which, call, at);
}

Wrong SessionJudge::check_effect(const std::string& which, const Call& call, std::size_t at) const {
  const Operation& effect = history_[at];
  if (effect.called < call.called)
    return Ruling::illegal(fmt::format("{} took effect before it was made", which),
                           {call.first, at});
  if (!call.may_have_effect)
    return Ruling::illegal(
        fmt::format("{} took effect, and every attempt was told that it failed", which),
        {call.first, at});
  if (!call.ok) return {};
  const Operation& reply = history_[*call.ok];
  if (effect.called > reply.returned)
    return Ruling::illegal(fmt::format("{} was answered before it took effect", which),
                           {*call.ok, at});
  if (effect.revision && reply.revision && effect.revision != reply.revision)
    return Ruling::illegal(fmt::format("{} took effect at revision {}, and was told {}", which,
                                       *effect.revision, *reply.revision),
                           {*call.ok, at});
  return {};
}

Wrong SessionJudge::check_lost(const std::string& name, const Session& session) const {
  for (const auto& [serial, call] : session.calls)
    if (call.ok && !call.effect)
      return Ruling::illegal(
          fmt::format("{} was answered, and never took effect", call_name(name, serial)),
          {*call.ok});
  return {};
}

}  // namespace

Result<Ruling> judge_sessions(const History& history) {
  SessionJudge judge(history);
  Result<Ruling> ruling = judge.judge();
  if (ruling) ruling->judged = judge.judged();
  return ruling;
}

}  // namespace tubing::sim
