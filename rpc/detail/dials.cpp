#include "tubing/rpc/detail/dials.h"

#include <fmt/format.h>

namespace tubing::rpc {

bool is_worth_a_retry(Code code) {
  switch (code) {
    case Code::unavailable:
    case Code::deadline_exceeded:
    case Code::resource_exhausted:
    case Code::aborted:
    case Code::not_found:
    case Code::data_loss:
    case Code::unknown:
    case Code::internal: return true;
    default: return false;
  }
}

Result<Channel<char>> Dials::join(const DialTarget& target, bool another) {
  // No name has a space, so that these keys are nobody's.
  const std::string key =
      another ? fmt::format("{} {}", target.text, next_another_++) : target.text;
  const auto found = dials_.find(key);
  if (found != dials_.end()) return found->second->done;
  if (dials_.size() >= limits_.dials_max)
    return Error(Code::resource_exhausted, "open",
                 fmt::format("{} peers are being dialled, the most that the limit allows; try "
                             "again later",
                             dials_.size()));
  auto made = std::make_unique<Dial>(scheduler_, target, [this, key] { on_alarm(key); });
  Dial& dial = *made;
  dial.another = another;
  dials_.emplace(key, std::move(made));
  const Time now = scheduler_.now();
  const Time begin = backoff_.not_before(target.text, now);
  if (begin > now) {
    dial.alarm.set(begin);
  } else {
    connect_next(key);
  }
  return dial.done;
}

void Dials::on_alarm(const std::string& key) {
  const auto found = dials_.find(key);
  if (found == dials_.end()) return;
  Dial& dial = *found->second;
  if (dial.step == Step::waiting) return connect_next(key);
  const Address& address = dial.target.addresses[dial.next - 1];
  if (const std::uint64_t session = std::exchange(dial.session, 0)) events_.on_dial_late(session);
  using std::chrono::milliseconds;
  fail_address(dial, key,
               Error(Code::unavailable, "open",
                     fmt::format("{} did not answer within {} ms", address.text(),
                                 limits_.dial_time_max / milliseconds(1))));
}

void Dials::connect_next(const std::string& key) {
  Dial& dial = *dials_.at(key);
  const Address& address = dial.target.addresses[dial.next++];
  dial.step = Step::connecting;
  dial.alarm.set(limits_.dial_time_max);
  events_.on_dialing(dial.target.who, address);
  dial.dialing = transport_.dial(
      address, [this, key](Result<std::unique_ptr<Link>> link) { on_link(key, std::move(link)); });
}

void Dials::on_link(const std::string& key, Result<std::unique_ptr<Link>> link) {
  const auto found = dials_.find(key);
  if (found == dials_.end()) return;
  Dial& dial = *found->second;
  if (!link) return fail_address(dial, key, link.error());
  Result<std::uint64_t> session = events_.on_dialed(dial.target.who, *std::move(link));
  if (!session) return fail_address(dial, key, session.error());
  dial.session = *session;
  dial.step = Step::handshake;
}

void Dials::fail_address(Dial& dial, const std::string& key, const Error& why) {
  events_.on_dial_failed(dial.target.addresses[dial.next - 1], why);
  dial.reasons.push_back(why);
  if (dial.next == dial.target.addresses.size()) {
    backoff_.on_failure(dial.target.text, scheduler_.now());
    return finish(dials_.find(key), failure_of(dial));
  }
  // Not from here: this may be the callback of the very dialing that the next one replaces.
  dial.session = 0;
  dial.step = Step::waiting;
  dial.alarm.set(scheduler_.now());
}

/// One address: its reason. Several: each with its own, and the code of the first that a later try
/// may mend, where there is one.
Error Dials::failure_of(const Dial& dial) const {
  const auto& reasons = dial.reasons;
  const auto mendable = std::ranges::find_if(
      reasons, [](const Error& reason) { return is_worth_a_retry(reason.status()); });
  const Error& chosen = mendable == reasons.end() ? reasons.front() : *mendable;
  if (reasons.size() == 1) {
    const bool names_it = chosen.detail().contains(dial.target.addresses.front().text());
    return Error(chosen.status(), "open",
                 names_it ? std::string(chosen.detail())
                          : fmt::format("{}: {}", dial.target.text, chosen.detail()));
  }
  std::string text = fmt::format("none of the {} addresses of {} answered as it should",
                                 reasons.size(), dial.target.who.text());
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    const std::string address = dial.target.addresses[i].text();
    const bool names_it = reasons[i].detail().contains(address);
    text += fmt::format("{} {}{}{}", i == 0 ? ":" : ";", names_it ? "" : address,
                        names_it ? "" : ": ", reasons[i].detail());
  }
  return Error(chosen.status(), "open", text);
}

void Dials::finish(Map::iterator dial, Error how) {
  dial->second->done.close(std::move(how));
  dial->second->alarm.clear();
  done_.push_back(std::move(dial->second));
  dials_.erase(dial);
  scheduler_.at_turn_end(*this);
}

bool Dials::serves_as(const Dial& dial, const std::function<bool(const DialTarget&)>& serves) {
  return !dial.another && serves(dial.target);
}

void Dials::on_session_up(std::uint64_t session,
                          const std::function<bool(const DialTarget&)>& serves) {
  for (auto next = dials_.begin(); next != dials_.end();) {
    const auto dial = next++;
    const bool own = dial->second->session == session;
    if (own) backoff_.on_success(dial->second->target.text);
    if (own || (dial->second->step == Step::waiting && serves_as(*dial->second, serves))) {
      finish(dial, Error(Code::closed, "open"));
    } else if (serves_as(*dial->second, serves)) {
      // Nobody waits for it any more, but the peer may be in the middle of it: let it come.
      std::exchange(dial->second->done, Channel<char>{0}).close(Error(Code::closed, "open"));
    }
  }
}

bool Dials::on_session_end(std::uint64_t session, const Error& why) {
  for (auto& [key, dial] : dials_) {
    if (dial->session != session) continue;
    const Code code =
        why.code() == Code::closed || why.code() == Code::lost ? Code::unavailable : why.status();
    fail_address(*dial, std::string(key), Error(code, "open", why.detail()));
    return true;
  }
  return false;
}

void Dials::close(const Error& how) {
  while (!dials_.empty()) finish(dials_.begin(), how);
}

}  // namespace tubing::rpc
