// SessionClock: what a session does by the clock: keepalive, old age, and its peer's expiry.
#pragma once

#include <optional>

#include "tubing/channel/alarm.h"

namespace tubing::rpc {

/// After how long without a record from the peer a side pings, and when it gives the peer up.
/// Zero: never. Where both are set, the ping is sent after half of `dead_after` at the latest.
struct KeepalivePolicy {
  Duration ping_after{};
  Duration dead_after{};
};

/// When a session is too old, for new channels and at all.
struct SessionAge {
  Duration drain_after{};
  Duration end_after{};
};

class SessionClockEvents {
 public:
  /// When the last record came.
  virtual Time last_heard() const = 0;
  virtual void on_ping_due() = 0;
  /// Nothing came for `silent`, a ping was not answered, and the socket holds nothing either.
  virtual void on_silence(Duration silent) = 0;
  virtual void on_drain_due() = 0;
  virtual void on_end_due() = 0;
  /// The peer's certificate and its grace are over.
  virtual void on_expired() = 0;

 protected:
  ~SessionClockEvents() = default;
};

/// One alarm, set for what comes first and armed anew only when it rings: a record costs it
/// nothing.
///
/// A silent peer is given up only after a ping was out for as long as the policy leaves for its
/// answer, and after the loop has polled twice since: a process that was busy or stopped reads what
/// lies in its sockets before it judges.
/// Threads: the Scheduler's alone.
class SessionClock {
 public:
  SessionClock(Scheduler& scheduler, SessionClockEvents& events);

  /// The session is up. The event that ends the session may come from the alarm alone.
  void start(KeepalivePolicy keepalive, SessionAge age);
  /// From when on the peer's certificate is worth nothing any more.
  void expire_at(WallTime when);
  void stop() { alarm_.clear(); }
  Duration age() { return scheduler_.now() - began_; }

 private:
  void ring();
  bool check_silence(Time now);
  bool check_age(Time now);
  void arm();
  Time silence_due() const;
  Time expiry_due(Time now);
  Duration answer_time() const { return keepalive_.dead_after - keepalive_.ping_after; }

  Scheduler& scheduler_;
  SessionClockEvents& events_;
  Alarm alarm_;
  KeepalivePolicy keepalive_;
  SessionAge age_;
  Time began_;
  std::optional<WallTime> expires_;
  std::optional<Time> pinged_;  ///< Since when a ping is out; empty once a record came.
  std::uint8_t looks_ = 0;      ///< Polls of the socket since the peer seemed dead.
  bool started_ = false;
  bool draining_ = false;
};

}  // namespace tubing::rpc
