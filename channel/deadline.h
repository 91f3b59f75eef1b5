// Deadline: until when a wait may last.
#pragma once

#include "tubing/channel/base/time.h"

namespace tubing {

/// Until when one wait, or all waits of a nursery, may last. Every operation that waits takes an
/// optional one; the default never comes.
///
/// `co_await rx.recv(within(1s))` counts from the moment that this wait begins.
/// `auto d = co_await deadline(1s);` counts from here, and may be given to many waits.
class Deadline {
 public:
  /// Never.
  constexpr Deadline() = default;
  /// At a point of the Scheduler's monotonic clock.
  constexpr explicit Deadline(Time at) : ns_(at.time_since_epoch().count()), kind_(Kind::at) {}
  friend constexpr Deadline within(Duration span);

  constexpr bool never() const { return kind_ == Kind::never; }
  /// The point in time, for a wait that begins at `now`.
  constexpr Time from(Time now) const {
    if (kind_ == Kind::never) return Time::max();
    if (kind_ == Kind::at) return Time(Duration(ns_));
    return ns_ > (Time::max() - now).count() ? Time::max() : now + Duration(ns_);
  }
  /// Whether asking `from` needs the clock.
  constexpr bool relative() const { return kind_ == Kind::span; }

 private:
  enum class Kind : std::uint8_t { never, at, span };
  std::int64_t ns_ = 0;
  Kind kind_ = Kind::never;
};

/// A deadline relative to the begin of the wait that it is given to.
constexpr Deadline within(Duration span) {
  Deadline d;
  d.ns_ = span.count() < 0 ? 0 : span.count();
  d.kind_ = Deadline::Kind::span;
  return d;
}

}  // namespace tubing
