// Report: the tasks and the sessions of a program, as text that fits on one screen.
#pragma once

#include <string>
#include <string_view>

#include "tubing/rpc/stats.h"

namespace tubing::rpc {

/// How many tasks, and how many sessions and channels together, a report names; the others are
/// counted. With the lines around them a report has at most 46.
inline constexpr std::size_t kReportTasksMax = 14;
inline constexpr std::size_t kReportRowsMax = 28;

/// `tasks` is what Scheduler::dump() says. Every line ends with a line feed; what a peer named is
/// printable.
std::string report_text(std::string_view tasks, const NodeStats& stats);

}  // namespace tubing::rpc
