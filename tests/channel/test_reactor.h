// TestReactor: a world of scheduled events, whose time moves only while the Scheduler waits.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "tubing/channel/reactor.h"

namespace tubing::test {

/// A Reactor whose clock is a counter. `park` goes straight to the next event, or to `until`.
class TestReactor final : public channel::Reactor {
 public:
  TestReactor() = default;
  ~TestReactor() override { mailbox().close(); }

  Time now() override { return now_; }
  WallTime wall_now() override { return {now_.time_since_epoch().count()}; }

  /// Requires: there is an event, a time or a wake to wait for; the test would hang otherwise.
  void park(Time until) override {
    ++parks;
    const Time first = events_.empty() ? Time::max() : events_.begin()->first;
    const Time target = std::min(until, first);
    TUBING_ASSERT((target != Time::max() || woken_) && "nothing will ever end this wait");
    if (!std::exchange(woken_, false)) now_ = std::max(now_, target);
    while (!events_.empty() && events_.begin()->first <= now_) {
      auto event = events_.extract(events_.begin());
      event.mapped()();
    }
    mailbox().deliver();
  }
  bool has_sources() const override { return !events_.empty() || mailbox().is_expecting(); }
  void wake() override { woken_ = true; }

  Result<> start(channel::Work& work) override {
    schedule_now([&work] {
      work.run();
      work.on_done();
    });
    return {};
  }
  bool withdraw(channel::Work&) override { return false; }

  /// Calls `event` in the park that reaches `span` from now.
  void schedule(Duration span, std::function<void()> event) {
    events_.emplace(now_ + span, std::move(event));
  }
  /// The loop is kept busy for so long, as by a computation.
  void stand_still(Duration span) { now_ += span; }
  /// Calls `event` in the next park.
  void schedule_now(std::function<void()> event) { schedule(Duration(0), std::move(event)); }

  Result<std::unique_ptr<Subscription>> watch_signal(int number,
                                                     std::function<void(int)> on_signal) override {
    if (number <= 0) return Error(Code::invalid_argument, "watch_signal", "no such signal");
    auto watch = std::make_unique<Watch>(*this, number, std::move(on_signal));
    watches_.insert(watch.get());
    return watch;
  }
  /// Gives the process a signal. Returns how many subscriptions heard it.
  int signal(int number) {
    int heard = 0;
    for (Watch* watch : watches_) {
      if (watch->number != number) continue;
      watch->on_signal(number);
      ++heard;
    }
    return heard;
  }
  std::size_t watch_count() const { return watches_.size(); }

  int parks = 0;

 private:
  struct Watch final : Subscription {
    Watch(TestReactor& on, int of, std::function<void(int)> call)
        : reactor(on), number(of), on_signal(std::move(call)) {}
    ~Watch() override { reactor.watches_.erase(this); }
    TestReactor& reactor;
    int number;
    std::function<void(int)> on_signal;
  };

  Time now_{std::chrono::hours(1)};
  bool woken_ = false;
  std::multimap<Time, std::function<void()>> events_;
  std::set<Watch*> watches_;
};

}  // namespace tubing::test
