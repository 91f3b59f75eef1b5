#include "tubing/sim/story.h"

#include <fmt/format.h>

#include <algorithm>

#include "tubing/sim/detail/span_text.h"

namespace tubing::sim {

void Story::add(Time at, std::string what) {
  const auto behind = std::ranges::upper_bound(lines_, at, {}, &Line::at);
  lines_.insert(behind, {.at = at, .what = std::move(what)});
}

void Story::add_faults(const Schedule& schedule, const std::vector<std::string>& names,
                       Time ended) {
  for (const ScheduledFault& fault : schedule) {
    if (Time(fault.at) >= ended) continue;
    // "After 1200 ms, all is healed." says when, too.
    std::string what = told(fault, names);
    what.erase(0, what.find(", ") + 2);
    if (what.ends_with('.')) what.pop_back();
    add(Time(fault.at), std::move(what));
  }
}

std::string Story::text() const {
  std::string text;
  for (const Line& line : lines_)
    text += fmt::format("At {} {}.\n", detail::seconds_told(line.at.time_since_epoch()), line.what);
  return text;
}

}  // namespace tubing::sim
