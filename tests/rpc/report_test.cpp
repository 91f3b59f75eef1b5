#include "tubing/rpc/report.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace tubing::rpc {
namespace {

SessionStats busy_session(std::uint64_t number) {
  ChannelStats channel;
  channel.id = 4;
  channel.service = "chat\033.v1";
  channel.sent_messages = 12;
  channel.sent_bytes = 3'400;
  channel.credit_items = 8;
  channel.credit_bytes = 65'536;
  channel.stalls = 2;
  channel.received_messages = 5;
  channel.received_bytes = 50;
  channel.waiting_messages = 1;
  channel.waiting_bytes = 10;
  SessionStats session;
  session.number = number;
  session.peer = "bob";
  session.address = "127.0.0.1:5000";
  session.state = "up";
  session.age_ms = 1'500;
  session.idle_ms = 40;
  session.bytes_in = 2'000'000;
  session.records_in = 30;
  session.bytes_out = 999;
  session.records_out = 3;
  session.channels = {channel};
  return session;
}

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

TEST_CASE("a report names tasks and sessions and channels in printable text") {
  NodeStats stats;
  stats.half_open = 1;
  stats.dials = 2;
  stats.sessions = {busy_session(7)};
  CHECK(report_text("  main #0: waits in recv for 1.000 s\n", stats) ==
        "tasks: 1\n"
        "  main #0: waits in recv for 1.000 s\n"
        "sessions: 1; connections unproven: 1, waiting: 0, dropped: 0; peers being dialled: 2\n"
        "  #7 bob from 127.0.0.1:5000, up for 1.5 s, heard 0.0 s ago: in 2.00 MB in 30 records, "
        "out 999 B in 3 records, 0 B unwritten\n"
        "    chat?.v1 4, theirs: sent 12 (3.40 kB), 0 B in the outbox, credit 8 (65.54 kB), 2 "
        "stalls, 0 dropped; received 5 (50 B), 1 untaken (10 B)\n");
}

TEST_CASE("a report of thousands of tasks and sessions fits on one screen and counts the rest") {
  NodeStats stats;
  for (std::uint64_t i = 0; i < 1000; ++i) stats.sessions.push_back(busy_session(i));
  std::string tasks;
  for (int i = 0; i < 5000; ++i) tasks += "  worker: waits\n";
  const std::string text = report_text(tasks, stats);
  CHECK(lines_in(text) == 46);
  CHECK(text.starts_with("tasks: 5000\n"));
  CHECK(text.contains("  and 4986 more\n"));
  CHECK(text.ends_with("  and 986 more sessions and 986 more channels\n"));
}

}  // namespace
}  // namespace tubing::rpc
