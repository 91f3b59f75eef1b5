// VirtualReactor: the Reactor of a simulation. Its time jumps from event to event and never waits.
#pragma once

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "tubing/channel/reactor.h"
#include "tubing/sim/event_queue.h"
#include "tubing/sim/host_clock.h"

namespace tubing::sim {

/// A Reactor whose time starts at 0 and moves only in `park`: to the time that `park` was given, or
/// to the next event, whichever is earlier. Events run in the order (time, sequence of scheduling).
/// All of it follows from the calls, nothing from the host.
///
/// Two times: the world's, which all reactors of one World share and in which events are scheduled,
/// and the host's own, which its program reads as `now()`. They differ by a HostClock; one that
/// nobody set shows the world's time.
///
/// Threads: one.
class VirtualReactor final : public channel::Reactor {
 public:
  using Callback = EventQueue::Callback;
  /// One scheduled callback. Dropping it cancels it; the reactor outlives it.
  using Event = EventQueue::Event;

  /// Told whenever the program reads a clock: a pause may strike right behind it.
  class ClockReader {
   public:
    virtual void on_clock_read() = 0;

   protected:
    ~ClockReader() = default;
  };

  /// Wall time at virtual time 0, where none is given: 2026-01-01 00:00:00 UTC.
  static constexpr WallTime kEpoch = WallTime::from_seconds(1'767'225'600);

  explicit VirtualReactor(WallTime epoch = kEpoch) : epoch_(epoch) {}
  ~VirtualReactor() override;
  VirtualReactor(const VirtualReactor&) = delete;
  VirtualReactor& operator=(const VirtualReactor&) = delete;

  /// Calls `callback` from `park`, once, when the world's time is `at`; a time that has passed is
  /// now. Never from inside this call.
  Event schedule(Time at, Callback callback);

  /// Calls `on_limit` from `park`, once, before the clock would pass `at`. No event: it keeps
  /// nothing awake, so a run in which all sleep still ends as asleep. A second call replaces it.
  void limit(Time at, Callback on_limit);

  /// The process gets the signal: whoever watches it is called from the next `park`.
  void raise(int number);

  Time world_now() const { return now_; }
  HostClock& clock() { return clock_; }
  const HostClock& clock() const { return clock_; }
  /// `reader` outlives the reactor, or its replacement by null.
  void on_clock_read(ClockReader* reader) { clock_reader_ = reader; }

  // For a World, which drives several reactors: each runs ahead of the others only while busy.

  /// When the first event is due; `Time::max()` where there is none.
  Time next_event() const { return events_.next(); }
  /// The world's time is at least `world`; what is due then runs in the next park.
  void advance_to(Time world) { now_ = std::max(now_, world); }
  /// The program was busy, or stood still, for so long.
  void spend(Duration span) { now_ += span; }
  /// When the reactor has to be driven again, as its driver last said; an event that is scheduled
  /// earlier brings it forward.
  Time wake_at() const { return wake_at_; }
  void set_wake_at(Time at) { wake_at_ = at; }

  Time now() override;
  WallTime wall_now() override;
  /// Requires: something can end the wait.
  void park(Time until) override;
  /// Whether an event is pending. Nothing else can ever call back: the world is inside.
  bool has_sources() const override { return !events_.empty(); }
  void wake() override { woken_ = true; }
  /// Runs as an event of the present instant, on this thread: a function that blocks takes no time.
  Result<> start(channel::Work& work) override;
  bool withdraw(channel::Work& work) override;
  /// Errors: invalid_argument for a number that no process may handle.
  Result<std::unique_ptr<Subscription>> watch_signal(int number,
                                                     std::function<void(int)> on_signal) override;

 private:
  class SignalSubscription;
  struct Watch {
    int number;
    std::function<void(int)> on_signal;
  };

  void deliver_signal(int number);

  WallTime epoch_;
  HostClock clock_;
  ClockReader* clock_reader_ = nullptr;
  Time now_{};
  Time wake_at_ = Time::max();
  bool woken_ = false;
  bool parked_ = false;
  EventQueue events_;
  Time limit_ = Time::max();
  Callback on_limit_;
  std::uint64_t next_watch_ = 0;
  std::map<std::uint64_t, Watch> watches_;               ///< In the order of subscribing.
  std::vector<std::pair<channel::Work*, Event>> works_;  ///< In the order of starting.
  std::uint64_t next_raised_ = 0;
  std::map<std::uint64_t, Event> raised_;  ///< Signals on their way.
};

}  // namespace tubing::sim
