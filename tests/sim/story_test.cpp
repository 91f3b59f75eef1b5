#include "tubing/sim/story.h"

#include <doctest/doctest.h>

#include <chrono>

#include "tubing/sim/scenarios/register_story.h"

using namespace std::chrono_literals;
using namespace tubing;
using namespace tubing::sim;

TEST_CASE("a story tells sentences and faults in the order of time") {
  const std::vector<std::string> names{"n0", "n1"};
  Story story;
  story.add(Time(1500ms), "the second");
  story.add_faults({{.at = 2s, .action = FaultAction::crash, .groups = {{1}}, .lasts = 1ms},
                    {.at = 9s, .action = FaultAction::heal}},
                   names, Time(9s));
  story.add(Time(1200ms), "the first");
  story.add(Time(2s), "the last");
  CHECK(story.text() ==
        "At 1.2 s the first.\n"
        "At 1.5 s the second.\n"
        "At 2 s n1: every process is killed, for 1ms.\n"
        "At 2 s the last.\n");
}

TEST_CASE("a register's story says who had what, and why a read is too late to be right") {
  RegisterState state;
  state.clients = 3;
  state.keys = {"a", "b"};
  state.steps = {Workload(1), Workload(1), Workload()};
  const auto entry = [](std::uint64_t counter, const char* value) {
    return RegisterEntry{.tag = {.counter = counter, .client = 1, .life = 1}, .value = value};
  };
  const auto operation = [&](Time called, Time returned, std::uint64_t client, const char* value,
                             RegisterRounds rounds) {
    const bool writes = rounds.asked.empty();
    std::vector<NamedValue> arguments{{"key", "a"}};
    if (writes) arguments.push_back({"value", value});
    const auto id = state.recorder.call(called, client, writes ? "write" : "read", arguments);
    if (returned != Time::max())
      state.recorder.ok(
          id, returned,
          writes ? std::vector<NamedValue>{} : std::vector<NamedValue>{{"value", value}});
    state.rounds.push_back(std::move(rounds));
  };
  using Kind = RegisterNote::Kind;
  operation(Time(1s), Time(1010ms), 1, "7", {.asked = {}, .stored = {1, 0}});
  operation(Time(2s), Time(2010ms), 1, "8", {.asked = {}, .stored = {0, 2}});
  operation(Time(2005ms), Time::max(), 2, "9", {});
  operation(Time(4s), Time(4003ms), 2, "7", {.asked = {1}, .stored = {}});
  state.notes = {{.at = Time(1003ms), .kind = Kind::stored, .replica = 0, .entry = entry(1, "7")},
                 {.at = Time(1005ms), .kind = Kind::stored, .replica = 1, .entry = entry(1, "7")},
                 {.at = Time(2006ms), .kind = Kind::stored, .replica = 0, .entry = entry(2, "8")},
                 {.at = Time(2007ms), .kind = Kind::stored, .replica = 2, .entry = entry(2, "8")},
                 {.at = Time(2008ms),
                  .kind = Kind::ignored,
                  .replica = 2,
                  .entry = entry(2, "9"),
                  .kept = "8"},
                 {.at = Time(3s), .kind = Kind::returned, .replica = 1, .entry = entry(1, "7")},
                 {.at = Time(3s), .kind = Kind::returned, .replica = 1, .key = 1}};
  CHECK(register_story(state, {}, {"c1", "c2", "c3", "n0", "n1", "n2"}, Time(5s)) ==
        "3 replicas, n0, n1 and n2, keep a; c1 and c2 use them.\n"
        "A write takes a counter above those that it hears of; of two with the same counter the "
        "one of the client with the higher number is to stay.\n"
        "At 1 s c1 writes 7 to a: n0 has it after 3 ms, n1 after 5 ms, and 10 ms later it is told "
        "that it is done, by n0 and n1.\n"
        "At 2 s c1 writes 8 to a.\n"
        "At 2.005 s c2 writes 9 to a, and never hears whether it is done.\n"
        "At 2.006 s n0 has 8 in a, n2 1 ms later.\n"
        "At 2.008 s n2 is sent 9 for a, which has the same counter as 8, and keeps 8.\n"
        "At 2.01 s c1, which wrote 8, is told that it is done, by n0 and n2.\n"
        "At 3 s n1 is back, and finds 7 in a.\n"
        "At 4 s c2 reads a, and 3 ms later it gets 7 from n1, although c1's write of 8 was done at "
        "2.01 s.\n");
}
