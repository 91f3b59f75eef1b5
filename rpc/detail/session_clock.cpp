#include "tubing/rpc/detail/session_clock.h"

#include <algorithm>

namespace tubing::rpc {
namespace {

/// How often the loop polls before a silent peer is given up.
constexpr std::uint8_t kLastLooks = 2;
/// The wall clock may be set: an expiry is looked at this often at least.
constexpr Duration kWallLook = std::chrono::minutes(1);

}  // namespace

SessionClock::SessionClock(Scheduler& scheduler, SessionClockEvents& events)
    : scheduler_(scheduler), events_(events), alarm_(scheduler, [this] { ring(); }) {}

void SessionClock::start(KeepalivePolicy keepalive, SessionAge age) {
  keepalive_ = keepalive;
  if (keepalive.dead_after > Duration::zero())
    keepalive_.ping_after = std::min(keepalive.ping_after, keepalive.dead_after / 2);
  age_ = age;
  began_ = scheduler_.now();
  started_ = true;
  arm();
}

void SessionClock::expire_at(WallTime when) {
  expires_ = when;
  if (started_) arm();
}

void SessionClock::ring() {
  const Time now = scheduler_.now();
  if (expires_ && scheduler_.wall_now() >= *expires_) return events_.on_expired();
  if (!check_age(now) || !check_silence(now)) return;
  arm();
}

/// Whether the session goes on.
bool SessionClock::check_age(Time now) {
  if (now - began_ >= age_.end_after) {
    events_.on_end_due();
    return false;
  }
  if (!draining_ && now - began_ >= age_.drain_after) {
    draining_ = true;
    events_.on_drain_due();
  }
  return true;
}

/// Whether the session goes on, and the alarm is to be set for what comes next.
bool SessionClock::check_silence(Time now) {
  const Time heard = events_.last_heard();
  if (pinged_ && heard >= *pinged_) pinged_.reset();
  if (now < silence_due()) {
    looks_ = 0;
    return true;
  }
  const bool pings = keepalive_.ping_after > Duration::zero();
  if (pings && !pinged_) {
    pinged_ = now;
    looks_ = 0;
    events_.on_ping_due();
    return true;
  }
  if (looks_++ < kLastLooks) {
    alarm_.set(now);
    return false;
  }
  events_.on_silence(now - heard);
  return false;
}

/// When the next ping is due, or the verdict.
Time SessionClock::silence_due() const {
  const Time heard = events_.last_heard();
  const bool pings = keepalive_.ping_after > Duration::zero();
  if (pings && !pinged_) return heard + keepalive_.ping_after;
  if (keepalive_.dead_after <= Duration::zero()) return Time::max();
  const Time silent = heard + keepalive_.dead_after;
  return pinged_ ? std::max(silent, *pinged_ + answer_time()) : silent;
}

Time SessionClock::expiry_due(Time now) {
  if (!expires_) return Time::max();
  const Duration left(expires_->since_epoch_ns - scheduler_.wall_now().since_epoch_ns);
  return now + std::clamp(left, Duration::zero(), kWallLook);
}

void SessionClock::arm() {
  const Time now = scheduler_.now();
  const Duration life = draining_ ? age_.end_after : age_.drain_after;
  alarm_.set(std::min({silence_due(), expiry_due(now), began_ + life}));
}

}  // namespace tubing::rpc
