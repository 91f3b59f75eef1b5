// Alarm: one callback at a point in time, for code that is driven by events and not by tasks.
#pragma once

#include <functional>

#include "tubing/channel/scheduler.h"

namespace tubing {

/// Calls back once at a time, from between two turns. Tasks use `sleep` and `after` instead.
/// Owns: nothing; dropping it disarms it. Requires: the Scheduler outlives it.
class Alarm {
 public:
  Alarm(Scheduler& scheduler, std::function<void()> ring);
  ~Alarm() { clear(); }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  /// Rings at `when`, and no longer at what was set before.
  void set(Time when);
  void set(Duration from_now) { set(within(from_now).from(scheduler_.now())); }
  void clear() { scheduler_.timers().disarm(due_); }
  bool is_set() const { return due_.armed(); }

 private:
  struct Due : detail::Timer {
    std::function<void()> ring;
  };

  Scheduler& scheduler_;
  Due due_;
};

}  // namespace tubing
