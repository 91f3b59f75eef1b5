// Story: what happened in a run, told to a person, in the order in which it happened.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tubing/channel/base/time.h"
#include "tubing/sim/schedule.h"

namespace tubing::sim {

/// Sentences with their times. Those of one moment keep the order in which they were added.
///
///     Story story;
///     story.add_faults(schedule, names, ended);
///     story.add(Time(1200ms), "c2 writes 7 to a");
///     story.text();  // "At 1.2 s c2 writes 7 to a.\n…"
class Story {
 public:
  /// `what` needs no period, and begins with a small letter: "n1 loses power".
  void add(Time at, std::string what);
  /// Each fault of the schedule that began before `ended`.
  void add_faults(const Schedule& schedule, const std::vector<std::string>& names, Time ended);

  /// A line for each: "At 1.2 s c2 writes 7 to a.", in the order of time.
  std::string text() const;

 private:
  struct Line {
    Time at;
    std::string what;
  };
  std::vector<Line> lines_;
};

}  // namespace tubing::sim
