#include "tubing/rpc/report.h"

#include <fmt/format.h>

#include <algorithm>

#include "tubing/channel/base/bytes.h"

namespace tubing::rpc {
namespace {

std::string size_text(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  double size = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; size >= 1000 && unit + 1 < std::size(kUnits); ++unit) size /= 1000;
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.2f} {}", size, kUnits[unit]);
}

double seconds(std::uint64_t milliseconds) { return static_cast<double>(milliseconds) / 1000; }

std::string session_line(const SessionStats& s) {
  return fmt::format(
      "  #{} {} {} {}, {} for {:.1f} s, heard {:.1f} s ago: in {} in {} records, out {} in {} "
      "records, {} unwritten\n",
      s.number, s.peer.empty() ? "somebody" : printable(s.peer), s.dialled ? "at" : "from",
      s.address, s.state, seconds(s.age_ms), seconds(s.idle_ms), size_text(s.bytes_in),
      s.records_in, size_text(s.bytes_out), s.records_out, size_text(s.unwritten_bytes));
}

std::string channel_line(const ChannelStats& c) {
  return fmt::format(
      "    {} {}, {}: sent {} ({}), {} in the outbox, credit {} ({}), {} stalls, {} dropped; "
      "received {} ({}), {} untaken ({})\n",
      c.service.empty() ? "passed" : printable(c.service), c.id, c.ours ? "ours" : "theirs",
      c.sent_messages, size_text(c.sent_bytes), size_text(c.outbox_bytes), c.credit_items,
      size_text(c.credit_bytes), c.stalls, c.dropped, c.received_messages,
      size_text(c.received_bytes), c.waiting_messages, size_text(c.waiting_bytes));
}

std::string tasks_text(std::string_view tasks) {
  const auto count = static_cast<std::size_t>(std::ranges::count(tasks, '\n'));
  std::string text = fmt::format("tasks: {}\n", count);
  for (std::size_t i = 0; i < std::min(count, kReportTasksMax); ++i) {
    const std::size_t end = tasks.find('\n') + 1;
    text += tasks.substr(0, end);
    tasks.remove_prefix(end);
  }
  if (count > kReportTasksMax) text += fmt::format("  and {} more\n", count - kReportTasksMax);
  return text;
}

}  // namespace

std::string report_text(std::string_view tasks, const NodeStats& stats) {
  std::string text = tasks_text(tasks);
  text += fmt::format(
      "sessions: {}; connections unproven: {}, waiting: {}, dropped: {}; peers being dialled: {}\n",
      stats.sessions.size(), stats.half_open, stats.half_open_waiting, stats.half_open_dropped,
      stats.dials);
  std::size_t rows = 0;
  std::size_t sessions_left = 0;
  std::size_t channels_left = 0;
  for (const SessionStats& session : stats.sessions) {
    const bool shown = rows < kReportRowsMax;
    shown ? ++rows : ++sessions_left;
    if (shown) text += session_line(session);
    for (const ChannelStats& channel : session.channels) {
      if (rows == kReportRowsMax) {
        ++channels_left;
        continue;
      }
      ++rows;
      text += channel_line(channel);
    }
  }
  if (sessions_left + channels_left > 0)
    text +=
        fmt::format("  and {} more sessions and {} more channels\n", sessions_left, channels_left);
  return text;
}

}  // namespace tubing::rpc
