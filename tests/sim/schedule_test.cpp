#include "tubing/sim/schedule.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "tubing/sim/swarm.h"

using tubing::Code;
using tubing::Duration;
using tubing::Prng;
using tubing::Result;
using namespace tubing::sim;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> kNames{"a", "b", "c", "d", "e"};

std::vector<FaultAction> all_actions() {
  std::vector<FaultAction> actions;
  for (std::size_t i = 0; i + 1 < kFaultActions; ++i)
    actions.push_back(static_cast<FaultAction>(i));
  return actions;
}

SwarmOptions wild() {
  return {.hosts = kNames.size(),
          .span = 2s,
          .actions = all_actions(),
          .disk_faults = {DiskFault::sync_error, DiskFault::hung}};
}

struct Told {
  std::string_view line;
  std::string_view words;
};

constexpr Told kTold[] = {
    {"1500ms cut a -> b for 2s", "After 1500ms, nothing passes from a to b, for 2s."},
    {"1s partition a,b | c,d,e for 1s",
     "After 1s, hosts reach each other only within {a, b} and {c, d, e}, for 1s."},
    {"1s isolate a,c", "After 1s, a and c: the network is dead."},
    {"0s drop a -> b,c 250000ppm for 1ns",
     "After 0s, of what goes from a to b and c, 25% is dropped, for 1ns."},
    {"7us drop b 1000000ppm", "After 7us, of all that b sends, all is dropped."},
    {"7us deaf b 1ppm", "After 7us, of all that b is sent, 1 of a million is not heard."},
    {"1s duplicate a -> b 10000ppm", "After 1s, of what goes from a to b, 1% arrives twice."},
    {"1s reorder a -> b 10000ppm", "After 1s, of what goes from a to b, 1% may be overtaken."},
    {"1s corrupt a -> b 10000ppm", "After 1s, of what goes from a to b, 1% arrives damaged."},
    {"1s reset a -> b 10000ppm", "After 1s, of what goes from a to b, 1% breaks its channel."},
    {"1s slow a -> b 200ms for 1s",
     "After 1s, what goes from a to b takes up to 200ms longer, for 1s."},
    {"1s throttle a -> b 20000B/s",
     "After 1s, no more than 20000 bytes a second pass from a to b."},
    {"1s refuse a 500000ppm for 1s", "After 1s, of all dials to a, 50% are refused, for 1s."},
    {"1s wipe a for 1s", "After 1s, a: the power goes, and all that the disk held, for 1s."},
    {"1s hold a -> b for 1s", "After 1s, what goes from a to b is held up, for 1s."},
    {"1s deliver_late a -> b", "After 1s, what was dropped from a to b arrives now."},
    {"1s crash a for 1s", "After 1s, a: every process is killed, for 1s."},
    {"1s power a", "After 1s, a: the power goes."},
    {"1s pause a for 3ms", "After 1s, a: every process stands still, for 3ms."},
    {"1s clock_rate a -500ppb", "After 1s, a: the clock loses 500 ns a second."},
    {"1s clock_jump a 3s", "After 1s, a: the clock leaps ahead by 3s."},
    {"1s wall_jump a -3500ms", "After 1s, a: the wall clock leaps back by 3500ms."},
    {"1s disk a sync_error 20000ppm for 1s",
     "After 1s, a: of the disk's operations, 2% meet sync_error, for 1s."},
    {"1s cut a,b,c -> d,e", "After 1s, nothing passes from a, b and c to d and e."},
    {"7us drop a,d 1ppm", "After 7us, of all that a and d send, 1 of a million is dropped."},
    {"7us deaf a,d 7ppm", "After 7us, of all that a and d are sent, 7 of a million are not heard."},
    {"1s corrupt a -> b 9ppm",
     "After 1s, of what goes from a to b, 9 of a million arrive damaged."},
    {"1s reset a -> b 9ppm",
     "After 1s, of what goes from a to b, 9 of a million break their channels."},
    {"1s throttle a -> b 1B/s", "After 1s, no more than 1 byte a second passes from a to b."},
    {"1s refuse a 1ppm", "After 1s, of all dials to a, 1 of a million is refused."},
    {"1s refuse a 1000000ppm", "After 1s, of all dials to a, all are refused."},
    {"1s disk a,b rot 1ppm",
     "After 1s, a and b: of the disk's operations, 1 of a million meets rot."},
    {"1s clock_rate a,b 7ppb", "After 1s, a and b: each clock gains 7 ns a second."},
    {"1s wall_jump a,b 1s", "After 1s, a and b: each wall clock leaps ahead by 1s."},
    {"9s heal", "After 9s, all is healed."},
    {"9s heal late", "After 9s, all is healed, and what was dropped arrives late."},
};

struct Refused {
  std::string_view text;
  std::string_view advice;
};

void check_refused(const Refused& row) {
  CAPTURE(row.text);
  const auto schedule = read_schedule(row.text, kNames);
  REQUIRE_FALSE(schedule);
  CHECK(schedule.error().code() == Code::invalid_argument);
  CHECK_MESSAGE(schedule.error().text().contains(row.advice), schedule.error().text());
}

}  // namespace

TEST_CASE("each kind of fault is read, written the same, and told in a sentence") {
  std::set<FaultAction> seen;
  for (const Told& row : kTold) {
    CAPTURE(row.line);
    const auto schedule = read_schedule(row.line, kNames);
    REQUIRE(schedule);
    REQUIRE(schedule->size() == 1);
    CHECK(schedule_text(*schedule, kNames) == std::string(row.line) + "\n");
    CHECK(told(schedule->front(), kNames) == row.words);
    seen.insert(schedule->front().action);
  }
  CHECK(seen.size() == kFaultActions);
}

TEST_CASE("a word that makes no sense is shown to its sixtieth byte") {
  const auto schedule = read_schedule(std::string(2'000'000, '9') + " heal", kNames);
  REQUIRE_FALSE(schedule);
  CHECK(schedule.error().detail().starts_with("line 1: '" + std::string(60, '9') + "…' should be"));
}

TEST_CASE("a number sign begins a comment where a word would begin, and nowhere else") {
  const std::vector<std::string> names{"a#1", "b"};
  const auto schedule = read_schedule("1s crash a#1,b #for 1s\n #\n", names);
  REQUIRE(schedule);
  CHECK(schedule_text(*schedule, names) == "1s crash a#1,b\n");
}

TEST_CASE("the page about schedules has the form of every fault and the name of every disk's") {
  std::ifstream file(TUBING_SOURCE_DIR "/sim/SCHEDULE.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  std::stringstream forms(schedule_forms());
  std::size_t count = 0;
  for (std::string form; std::getline(forms, form); ++count) {
    // What may be written in two ways has a line for each.
    const std::size_t second = form.starts_with("heal") ? form.npos : form.find(", or ");
    CHECK_MESSAGE(page.contains("\n" + form.substr(0, second)), form);
    if (second != form.npos) CHECK_MESSAGE(page.contains("\n" + form.substr(second + 5)), form);
  }
  CHECK(count == kFaultActions);
  for (std::size_t fault = 0; fault < kDiskFaults; ++fault)
    if (static_cast<DiskFault>(fault) != DiskFault::wiped)
      CHECK(page.contains(fmt::format("`{}`", fault_name(static_cast<DiskFault>(fault)))));
}

TEST_CASE("comments and empty lines of a schedule mean nothing") {
  const auto schedule = read_schedule("# before\n\n  1s   heal late # after\r\n\t\n", kNames);
  REQUIRE(schedule);
  CHECK(schedule_text(*schedule, kNames) == "1s heal late\n");
}

TEST_CASE("a drawn schedule is the same when it was written and read") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    CAPTURE(seed);
    Prng prng = nemesis_stream(seed);
    const Schedule drawn = draw_schedule(prng, wild());
    const auto read = read_schedule(schedule_text(drawn, kNames), kNames);
    REQUIRE(read);
    CHECK(*read == drawn);
  }
}

TEST_CASE("a line of a schedule that cannot be understood is refused, and the advice names it") {
  constexpr Refused kRows[] = {
      {"1s heal\nsoon heal", "line 2: 'soon' should be a time, as 1500ms"},
      {"1m heal", "'1m' should be a time"},
      {"99999999999999s heal", "'99999999999999s' is more than time can count; take less"},
      {"-9223372036854775808s heal", "is more than time can count; take less"},
      {"-9223372036854775808ns heal", "is more than time can count; take less"},
      {"8640001s heal", "a fault begins within 100 days: 8640001s is later"},
      {"1s crash a for 8640001s", "a fault lasts 100 days at most"},
      {"-1s heal", "a world begins at 0s"},
      {"1s melt a", "there is no fault 'melt'; there are cut, partition,"},
      {"1s", "a fault is missing behind the time, as 1500ms cut A -> B; there are cut,"},
      {"1s cut", "a host is missing: write cut A -> B [for SPAN]"},
      {"1s cut -> a", "a host is missing: write cut A -> B"},
      {"1s cut a ->", "a host is missing: write cut A -> B"},
      {"1s partition a |", "a host is missing: write partition A,B | B,C [for SPAN]"},
      {"1s crash for 1s", "a host is missing: write crash A,B [for SPAN]"},
      {"1s cut a -> a", "a stands on both sides: a host has no link to itself"},
      {"1s drop a,b -> c,b 5ppm", "b stands on both sides: a host has no link to itself"},
      {"1s crash a,b,a", "a is named twice in one group: leave one out"},
      {"1s crash z", "no host is called 'z'; there are a, b, c, d, e"},
      {"1s crash a,", "a host is missing: write crash A,B [for SPAN]"},
      {"1s crash a -> b", "crash strikes hosts: write crash A,B [for SPAN]"},
      {"1s cut a", "cut strikes a link: write cut A -> B [for SPAN]"},
      {"1s cut a -> b -> c", "cut strikes a link: write cut A -> B [for SPAN]"},
      {"1s drop a -> b -> c 1ppm", "drop strikes a link, or the card of a host: write drop A -> B"},
      {"1s slow a 1ms", "slow strikes a link: write slow A -> B 200ms [for SPAN]"},
      {"1s disk a -> b hung 1ppm", "disk strikes hosts"},
      {"1s drop a -> b", "an amount is missing, as 1000ppm: write drop A -> B"},
      {"1s drop a -> b 5", "'5' should be a number with its unit, as 1000ppm"},
      {"1s drop a -> b 1000001ppm", "a rate is between 0ppm and 1000000ppm"},
      {"1s drop a -> b -1ppm", "a rate is between 0ppm and 1000000ppm"},
      {"1s clock_rate a 99000000001ppb", "a clock's rate is between -990000000ppb and"},
      {"1s clock_jump a -1s", "a monotonic clock never goes back; wall_jump may"},
      {"1s clock_jump a 315360001s", "clock_jump takes between 0s and 315360000s"},
      {"1s wall_jump a -315360001s", "wall_jump takes between -315360000s and 315360000s"},
      {"1s wall_jump a -9223372036s", "'-9223372036s' is more than time can count; take less"},
      {"99999999999999999999s heal", "'99999999999999999999s' is more than time can count"},
      {"1s drop a 99999999999999999999ppm", "9999ppm' is more than can be counted; take less"},
      {"1s slow a -> b -1ms", "slow takes between 0s and 3600s"},
      {"1s slow a -> b 3601s", "slow takes between 0s and 3600s"},
      {"1s throttle a -> b 0B/s", "between 1B/s and 1000000000000B/s; to let nothing pass, cut it"},
      {"1s throttle a -> b 5ppm", "'5ppm' should be a number with its unit, as 1000B/s"},
      {"1s disk a melted 1ppm", "no fault 'melted' strikes a disk at a rate"},
      {"1s disk a wiped 1ppm", "no fault 'wiped' strikes a disk at a rate"},
      {"1s crash a for 0s", "a fault lasts longer than nothing"},
      {"1s heal#now", "there is no fault 'heal#now'"},
      {"1s clock_jump a 1s for 2s", "what does 'for' mean here?"},
      {"1s heal now", "what does 'now' mean here?"},
      {"1s crash a late", "what does 'late' mean here?"},
  };
  for (const Refused& row : kRows) check_refused(row);
}

TEST_CASE("a line of a schedule that lacks something, or shows what it should not, is told so") {
  constexpr Refused kRows[] = {
      {"1s crash a for", "a span is missing, as for 500ms: write crash A,B [for SPAN]"},
      {"1s cut a -> b for # 1s", "a span is missing, as for 500ms: write cut A -> B [for SPAN]"},
      {"1s slow a -> b", "an amount is missing, as 200ms: write slow A -> B 200ms [for SPAN]"},
      {"1s disk a", "what strikes the disk is missing; there are lost_write,"},
      {"1s disk a rot", "an amount is missing, as 1000ppm: write disk A sync_error 1000ppm"},
      {"\xef\xbb\xbf"
       "1s heal",
       "line 1: '\\xef\\xbb\\xbf1s' should be a time"},
      {"1s me\x1b[2Jlt a", "there is no fault 'me\\x1b[2Jlt'; there are cut"},
      {"1s crash a\x7f", "no host is called 'a\\x7f'; there are a, b"},
      {"1s heal \n1s heal \v", "line 2: what does '\\x0b' mean here?"},
  };
  for (const Refused& row : kRows) check_refused(row);
}

TEST_CASE("a schedule that was made by hand is held to what a line may say") {
  const auto advice = [](Schedule schedule) {
    const Result<> checked = check_schedule(schedule, kNames);
    return checked ? std::string() : checked.error().text();
  };
  CHECK(advice({{.action = FaultAction::cut, .groups = {{0}, {1}}}, {.at = 1s}}) == "");
  CHECK(advice({{.action = FaultAction::heal}, {.action = FaultAction::crash}})
            .contains("fault 2: crash strikes hosts"));
  CHECK(advice({{.action = FaultAction::crash, .groups = {{5}}}})
            .contains("fault 1: no host has the number 5; there are 5"));
  CHECK(advice({{.action = FaultAction::partition}}).contains("strikes groups of hosts"));
  CHECK(advice({{.action = FaultAction::cut, .groups = {{0}, {}}}}).contains("a host is missing"));
  CHECK(advice({{.action = FaultAction::crash, .groups = {{0}}, .amount = 1}})
            .contains("crash has no amount"));
  CHECK(advice({{.action = FaultAction::crash, .groups = {{0}}, .lasts = -1s}})
            .contains("a fault lasts longer than nothing"));
  CHECK(advice({{.action = FaultAction::heal, .lasts = 1s}}).contains("happens at one moment"));
  CHECK(advice({{.action = FaultAction::disk, .groups = {{0}}, .disk = DiskFault::wiped}})
            .contains("write wipe A"));
  CHECK(advice(Schedule(kScheduleFaultsMax, ScheduledFault{})) == "");
  CHECK(advice(Schedule(kScheduleFaultsMax + 1, ScheduledFault{})).contains("leave some out"));
}

TEST_CASE("a text with too many faults is read no further than it takes to say so") {
  std::string text;
  for (std::size_t i = 0; i <= kScheduleFaultsMax; ++i) text += "1s heal\n";
  const auto told = [](const Result<Schedule>& read) { return read ? "" : read.error().text(); };
  CHECK(told(read_schedule(text, kNames)).contains("leave some out"));
  CHECK(told(read_schedule(text + "what is this?", kNames)).contains("leave some out"));
}

TEST_CASE("no leaps of a clock together leave what its time can count") {
  const auto leaps = [](FaultAction action, std::size_t count, std::int64_t sign) {
    const ScheduledFault leap{
        .action = action, .groups = {{0}}, .amount = sign * kScheduleLeapMax.count()};
    return check_schedule(Schedule(count, leap), kNames);
  };
  CHECK(leaps(FaultAction::clock_jump, 5, 1));
  CHECK(leaps(FaultAction::wall_jump, 5, -1));
  for (const Result<>& refused :
       {leaps(FaultAction::clock_jump, 6, 1), leaps(FaultAction::wall_jump, 100, -1)}) {
    REQUIRE_FALSE(refused);
    CHECK(refused.error().text().contains("together are more than 18250 days"));
  }
}

TEST_CASE("a schedule is healed when the last of its faults is over") {
  const auto healed = [](std::string_view text) {
    const auto schedule = read_schedule(text, kNames);
    REQUIRE(schedule);
    return healed_at(*schedule);
  };
  CHECK(healed("") == 0s);
  CHECK(healed("1s crash a for 2s\n1s cut a -> b for 1s") == 3s);
  CHECK(healed("1s crash a\n5s heal\n2s cut a -> b for 9s") == 5s);
  CHECK(healed("5s heal\n5s crash a for 1s\n7s clock_jump a 1s") == 7s);
  CHECK(healed("5s crash a\n5s heal\n1s heal") == 5s);
  CHECK(healed("5s heal\n5s crash a") == Duration::max());
}

TEST_CASE("a budget counts hosts that are down at the same moment, and what they can reach") {
  const auto within = [](std::string_view text, FaultBudget budget) {
    const auto schedule = read_schedule(text, kNames);
    REQUIRE(schedule);
    return stays_within(*schedule, kNames.size(), budget);
  };
  CHECK(within("1s crash a for 1s\n2s power b for 1s", {.down_max = 1}));
  CHECK_FALSE(within("1s crash a for 1001ms\n2s power b for 1s", {.down_max = 1}));
  CHECK_FALSE(within("1s pause a\n9s crash b for 1s", {.down_max = 1}));
  CHECK(within("1s pause a\n8s heal\n9s crash b for 1s", {.down_max = 1}));
  CHECK(within("1s partition a,b | c,d,e", {.quorum = 3}));
  CHECK_FALSE(within("1s partition a,b | c,d,e", {.quorum = 4}));
  CHECK_FALSE(within("1s partition a,b | c,d,e\n2s crash d", {.quorum = 3}));
  CHECK(within("1s partition a,b | b,c | c,d | d,e | e,a", {.quorum = 3}));
  CHECK(within("1s partition a,b,c | c,d,e", {.quorum = 5}));
  CHECK_FALSE(within("1s partition a,b,c | c,d,e\n2s isolate c", {.quorum = 4}));
  CHECK(within("1s drop c 499999ppm", {.quorum = 5}));
  CHECK_FALSE(within("1s drop c 500000ppm", {.quorum = 5}));
  CHECK_FALSE(within(
      "1s hold a -> b,c,d,e\n1s deaf b 600000ppm\n1s cut d -> c,e,b\n1s reset c -> e 900000ppm",
      {.quorum = 4}));
  CHECK_FALSE(within("1s heal\n2s heal\n3s heal", {.faults_max = 2}));
  CHECK_FALSE(within("1s refuse a 500000ppm", {.quorum = 5}));
  CHECK(within("1s slow a -> b,c,d,e 1s\n1s throttle b -> a 1B/s", {.quorum = 5}));
  CHECK_FALSE(within("1s wipe a for 1001ms\n2s crash b for 1s", {.down_max = 1}));
  CHECK(within("1s wipe a for 1s\n2s heal\n3s wipe a for 1s", {.wiped_max = 1}));
  CHECK_FALSE(within("1s wipe a for 1s\n2s heal\n3s wipe b for 1s", {.wiped_max = 1}));
}

TEST_CASE("drawn schedules stay within their budget and end with all healed") {
  SwarmOptions options = wild();
  options.budget = {.faults_max = 20, .down_max = 1, .quorum = 3};
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    CAPTURE(seed);
    Prng prng = nemesis_stream(seed);
    const Schedule drawn = draw_schedule(prng, options);
    CHECK(stays_within(drawn, options.hosts, options.budget));
    CHECK(drawn.back().action == FaultAction::heal);
    CHECK(drawn.back().at == options.span);
    for (const ScheduledFault& fault : drawn) CHECK(fault.at <= options.span);
    for (const ScheduledFault& fault : drawn)
      CHECK((is_instant(fault.action) || fault.ends() <= options.span));
  }
}

TEST_CASE("a swarm draws every kind and every shape, and no seed has all of them") {
  std::set<FaultAction> kinds;
  std::set<std::size_t> groups;
  std::size_t most = 0;
  bool link = false;
  bool card = false;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Prng prng = nemesis_stream(seed);
    std::set<FaultAction> own;
    for (const ScheduledFault& fault : draw_schedule(prng, wild())) {
      own.insert(fault.action);
      if (fault.action == FaultAction::partition) groups.insert(fault.groups.size());
      if (fault.action == FaultAction::drop) (fault.is_link() ? link : card) = true;
    }
    most = std::max(most, own.size());
    kinds.merge(own);
  }
  CHECK(kinds.size() == kFaultActions);
  CHECK(most < kFaultActions);
  CHECK(groups == std::set<std::size_t>{2, 5});
  CHECK(link);
  CHECK(card);
}

TEST_CASE("one seed has one schedule, whatever else was drawn") {
  Prng one = nemesis_stream(5);
  Prng again = nemesis_stream(5);
  Prng other = nemesis_stream(6);
  const Schedule drawn = draw_schedule(one, wild());
  CHECK(drawn == draw_schedule(again, wild()));
  CHECK(drawn != draw_schedule(other, wild()));
}

TEST_CASE("seeds have links of many kinds, all of them sound") {
  bool tail = false;
  bool slow = false;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Prng prng = nemesis_stream(seed);
    const LinkConditions conditions = draw_link_conditions(prng);
    CHECK(conditions.latency_min >= 1us);
    CHECK(conditions.latency_max >= conditions.latency_min);
    CHECK(conditions.latency_max <= 50ms);
    tail = tail || conditions.tail_ppm > 0;
    slow = slow || conditions.bytes_per_second > 0;
  }
  CHECK(tail);
  CHECK(slow);
}
