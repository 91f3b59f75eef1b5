// VirtualReactor: the Reactor of a simulation. Its time jumps from event to event and never waits.
#pragma once

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "tubing/channel/reactor.h"

namespace tubing::sim {

/// A Reactor whose clock starts at 0 and moves only in `park`: to the time that `park` was given,
/// or to the next event, whichever is earlier. Events run in the order (time, sequence of
/// scheduling); all of it follows from the calls, nothing from the host.
///
/// Threads: one.
class VirtualReactor final : public channel::Reactor {
 public:
  /// What orders events.
  using Key = std::pair<Time, std::uint64_t>;
  using Callback = std::move_only_function<void()>;

  /// One scheduled callback. Dropping it cancels it; the reactor outlives it.
  class [[nodiscard]] Event {
   public:
    Event() = default;
    Event(Event&& other) noexcept
        : reactor_(std::exchange(other.reactor_, nullptr)), key_(std::move(other.key_)) {}
    Event& operator=(Event&& other) noexcept {
      std::swap(reactor_, other.reactor_);
      std::swap(key_, other.key_);
      return *this;
    }
    ~Event() { cancel(); }

    /// The callback does not come any more; does nothing once it came.
    void cancel();
    /// Whether the callback is still to come.
    bool pending() const;

   private:
    friend class VirtualReactor;
    Event(VirtualReactor& reactor, Key key) : reactor_(&reactor), key_(key) {}

    VirtualReactor* reactor_ = nullptr;
    Key key_;
  };

  /// Wall time at virtual time 0, where none is given: 2026-01-01 00:00:00 UTC.
  static constexpr WallTime kEpoch = WallTime::from_seconds(1'767'225'600);

  explicit VirtualReactor(WallTime epoch = kEpoch) : epoch_(epoch) {}
  ~VirtualReactor() override;
  VirtualReactor(const VirtualReactor&) = delete;
  VirtualReactor& operator=(const VirtualReactor&) = delete;

  /// Calls `callback` from `park`, once, when the clock reads `at`; a time that has passed is now.
  /// Never from inside this call.
  Event schedule(Time at, Callback callback);

  /// Calls `on_limit` from `park`, once, before the clock would pass `at`. No event: it keeps
  /// nothing awake, so a run in which all sleep still ends as asleep. A second call replaces it.
  void limit(Time at, Callback on_limit);

  /// The process gets the signal: whoever watches it is called from the next `park`.
  void raise(int number);

  Time now() override { return now_; }
  WallTime wall_now() override { return {epoch_.since_epoch_ns + now_.time_since_epoch().count()}; }
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

  void run_due();
  void deliver_signal(int number);

  WallTime epoch_;
  Time now_{};
  bool woken_ = false;
  bool parked_ = false;
  std::uint64_t sequence_ = 0;
  std::map<Key, Callback> events_;
  Time limit_ = Time::max();
  Callback on_limit_;
  std::uint64_t next_watch_ = 0;
  std::map<std::uint64_t, Watch> watches_;               ///< In the order of subscribing.
  std::vector<std::pair<channel::Work*, Event>> works_;  ///< In the order of starting.
  std::map<std::uint64_t, Event> raised_;                ///< Signals on their way.
};

}  // namespace tubing::sim
