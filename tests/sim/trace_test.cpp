#include "tubing/sim/trace.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <vector>

#include "tubing/channel/timers.h"
#include "tubing/sim/world.h"

using tubing::as_bytes;
using tubing::Code;
using tubing::Duration;
using tubing::Time;
using tubing::sim::RunHash;
using tubing::sim::TraceEvent;
using tubing::sim::TraceFile;
using tubing::sim::TraceSink;

namespace {

class Collector final : public TraceSink {
 public:
  void on_event(const TraceEvent& event) override { events.push_back(event); }
  std::vector<TraceEvent> events;
};

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// A run of two events of one process, traced into a file of this name.
std::vector<std::string> trace_into(const std::string& name) {
  const std::string path = TUBING_BINARY_DIR "/" + name;
  auto file = TraceFile::create(path);
  REQUIRE(file);
  RunHash hash;
  hash.trace_to(&*file);
  hash.on_event(Time(Duration(1)), "start", 4, as_bytes("host/program"));
  hash.set_turn(4);
  hash.on_event(Time(Duration(2'000'000'003)), "sent", (std::uint64_t{2} << 32) | 5,
                as_bytes("say \"hello\""));
  hash.on_event(Time(Duration(2'000'000'004)), "sent", 1, as_bytes(std::string(100, '\x01')));
  CHECK(file->close());
  std::vector<std::string> lines = lines_of(path);
  std::filesystem::remove(path);
  return lines;
}

}  // namespace

TEST_CASE("a trace shows each event as it went into the hash, and leaves the hash alone") {
  Collector seen;
  RunHash traced;
  RunHash plain;
  traced.trace_to(&seen);
  for (RunHash* hash : {&traced, &plain}) {
    hash->on_event(Time(Duration(5)), "first", 1, as_bytes("abc"));
    hash->set_turn(3);
    hash->on_event(Time(Duration(6)), "second", 2);
  }
  CHECK(traced.text() == plain.text());
  REQUIRE(seen.events.size() == 2);
  CHECK(seen.events[0].number == 1);
  CHECK(seen.events[0].at == Time(Duration(5)));
  CHECK(seen.events[0].turn == RunHash::kNobody);
  CHECK(seen.events[0].kind.text() == "first");
  CHECK(seen.events[0].payload.text() == "abc");
  CHECK(seen.events[0].payload_bytes == 3);
  CHECK(seen.events[1].turn == 3);
  CHECK(seen.events[1].hash == traced.hash());
  CHECK(traced.events() == 2);
}

TEST_CASE("a strand that goes on is in the trace by its name and its wait") {
  Collector seen;
  tubing::sim::World world(1);
  world.run_hash().trace_to(&seen);
  world.add_host({.name = "a"}).spawn("p", [](tubing::sim::Process&) -> tubing::Task<> {
    co_return co_await tubing::sleep(std::chrono::seconds(1));
  });
  CHECK(world.run_until_idle());
  REQUIRE(seen.events.size() == 4);
  CHECK(seen.events[0].kind.text() == tubing::sim::kStartKind);
  CHECK(seen.events[0].payload.text() == "a/p");
  CHECK(seen.events[2].kind.text() == tubing::sim::kResumptionKind);
  CHECK(seen.events[2].payload.text() == "main: sleep");
  CHECK(seen.events[2].turn == 0);
  CHECK(seen.events[3].kind.text() == "end");
}

TEST_CASE("a trace file for people has one line for each event") {
  const std::vector<std::string> lines = trace_into("trace_for_people.txt");
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].starts_with("       1    0.000000001 world        start      4      "));
  CHECK(lines[1].contains("2.000000003 host/program sent       2:5    \"say \\\"hello\\\"\" ["));
  CHECK(lines[2].contains("0101… (100 bytes) ["));
}

TEST_CASE("a trace file of JSON has one object for each event") {
  const std::vector<std::string> lines = trace_into("trace_for_tools.jsonl");
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].starts_with(R"({"number":2,"ns":2000000003,"who":"host/program","kind":"sent",)"
                             R"("subject":8589934597,"bytes":11,"text":"say \"hello\"","hash":")"));
  CHECK(lines[2].contains(R"("bytes":100,"hex":"0101)"));
}

TEST_CASE("a trace that cannot be written says why") {
  const auto file = TraceFile::create("/no/such/folder/trace.txt");
  REQUIRE_FALSE(file);
  CHECK(file.error().code() == Code::failed_precondition);
  CHECK(file.error().text().contains("/no/such/folder/trace.txt cannot be written: No such file"));
}

TEST_CASE("a trace for which the disk has no room says so when it is closed") {
  auto file = TraceFile::create("/dev/full");
  REQUIRE(file);
  RunHash hash;
  hash.trace_to(&*file);
  hash.on_event(Time(Duration(1)), "first", 1);
  const tubing::Result<> closed = file->close();
  REQUIRE_FALSE(closed);
  CHECK(closed.code() == Code::resource_exhausted);
  CHECK(closed.error().text().contains("/dev/full could not be written to its end"));
}
