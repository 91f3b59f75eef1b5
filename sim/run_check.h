// RunCheck: the same run twice, side by side, and the first event in which they differ.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tubing/sim/trace.h"

namespace tubing::sim {

/// Where two runs that should be the same part ways.
struct Divergence {
  /// Events in which both agree, right before; at most kEventsBefore, the oldest first.
  std::vector<TraceEvent> before;
  /// What each did next; none where it had come to its end.
  std::optional<TraceEvent> first;
  std::optional<TraceEvent> second;
  TraceNames names;

  static constexpr std::size_t kEventsBefore = 5;

  /// For people: the event, what differs in it, and those before.
  std::string text() const;
};

/// Runs `run(0, sink)` and `run(1, sink)`, each on a thread of its own, and compares what they show
/// to their sinks as they go on. Memory lies in different places for the two: what depends on an
/// address comes to light, as does what one run leaves behind for the other.
/// Requires: `run` has its RunHash trace to the sink, and shares nothing with the other call.
/// Returns: when both have ended; none where both had the same events. What one of them does behind
/// a difference is not looked at.
/// Threads: any; one of the two runs on the caller's.
std::optional<Divergence> run_check(const std::function<void(std::size_t, TraceSink&)>& run);

}  // namespace tubing::sim
