#include <doctest/doctest.h>
#include <sys/resource.h>

#include "tests/sim_cli/history_file.h"

using tubing::cli::Finished;
using tubing::cli::HistoryFile;

namespace {

const std::string kWrites =
    R"({"client":1,"op":"write","key":"a","value":1,"call":100,"return":200,"ok":true})"
    "\n"
    R"({"client":2,"op":"write","key":"a","value":2,"call":300,"return":400,"ok":true})"
    "\n";
const std::string kStaleRead =
    R"({"client":3,"op":"read","key":"a","value":1,"call":500,"return":600,"ok":true})"
    "\n";

/// Puts of many keys at the same time, and a scan that none of their orders explains.
std::string hard_scan() {
  std::string lines;
  for (int i = 0; i < 22; ++i)
    lines += R"({"client":)" + std::to_string(i) + R"(,"op":"put","key":"k)" + std::to_string(i) +
             R"(","value":1,"call":1,"return":)" + std::to_string(100 + i) + R"(,"ok":true})" +
             "\n";
  return lines + R"({"client":99,"op":"range","rows":[["k1",77]],"call":1,"return":99,"ok":true})" +
         "\n";
}

/// The most that any program that was run here took.
long peak_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_maxrss / 1024;
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kMemoryIsItsOwn = false;
#else
constexpr bool kMemoryIsItsOwn = true;
#endif
#endif

}  // namespace

TEST_CASE("tubesim check says legal with status 0 and illegal with status 1 and a story") {
  const Finished legal = HistoryFile(kWrites).check({"--model", "register"});
  CHECK(legal.status == 0);
  CHECK(legal.out == "legal: 2 operations in 1 part\n");
  CHECK(legal.err.empty());
  const Finished illegal = HistoryFile(kWrites + kStaleRead).check({"--model", "register"});
  CHECK(illegal.status == 1);
  CHECK(illegal.out ==
        "illegal: 3 operations in 1 part\n"
        "No order explains these 3 operations on key a:\n"
        "  client 1: write key a value 1, from 100 ns to 200 ns: ok\n"
        "  client 2: write key a value 2, from 300 ns to 400 ns: ok\n"
        "  client 3: read key a value 1, from 500 ns to 600 ns: ok\n"
        "The first state is null. When the last of them returned it could only be 2.\n");
}

TEST_CASE("tubesim check prints one JSON object where it is asked to") {
  const Finished illegal = HistoryFile(kWrites + kStaleRead).check({"--model", "cas", "--json"});
  CHECK(illegal.status == 1);
  CHECK(illegal.out.starts_with(R"({"verdict":"illegal","model":"cas","operations":3,)"));
  CHECK(illegal.out.contains(R"("part":"key a","lines":[1,2,3],)"));
  CHECK(illegal.out.contains(R"("others":0,"cut_down":true,"since":null,)"));
  CHECK(illegal.out.contains(R"("until":600,"states_behind":["2"])"));
  CHECK(HistoryFile(kWrites).check({"--model", "cas", "--json"}).out.contains(R"("legal")"));
}

TEST_CASE("tubesim check refuses what it cannot read with status 2 and the line") {
  const auto refused = [](const std::string& text, const char* model) {
    const Finished done = HistoryFile(text).check({"--model", model});
    CHECK(done.status == 2);
    CHECK(done.out.empty());
    return done.err;
  };
  CHECK(refused(kWrites + "{\n", "register").contains(": line 3: it is no JSON at byte 2"));
  CHECK(refused(kWrites, "queue")
            .contains(": line 1: no operation 'write' is known to this model; it knows: enqueue"));
  CHECK(refused(kWrites, "map-of-maps").contains("map-of-maps not in {register,cas,"));
  const Finished none =
      tubing::cli::run_process({TUBESIM_PROGRAM, "check", "/nowhere", "--model", "cas"}, {});
  CHECK(none.status == 2);
  CHECK(none.err == "tubesim: /nowhere cannot be read; is there such a file?\n");
  const Finished folder =
      tubing::cli::run_process({TUBESIM_PROGRAM, "check", "/tmp", "--model", "cas"}, {});
  CHECK(folder.status == 2);
  CHECK(folder.err.contains("is it a file?"));
}

TEST_CASE("tubesim check says undecided with status 3 and which limit was met") {
  std::string lines;
  for (int i = 0; i < 9; ++i)
    lines += R"({"client":)" + std::to_string(i) + R"(,"op":"write","value":)" + std::to_string(i) +
             R"(,"call":1,"return":5,"ok":true})" + "\n";
  lines += R"({"client":20,"op":"read","value":77,"call":1,"return":3,"ok":true})"
           "\n";
  const Finished undecided = HistoryFile(lines).check({"--model", "register", "--work-max", "50"});
  CHECK(undecided.status == 3);
  CHECK(undecided.out.starts_with("undecided: 10 operations in 1 part\n"));
  CHECK(undecided.out.contains(
      "50 steps and comparisons were not enough (work_max; tubesim check --work-max)"));
  CHECK(HistoryFile(lines).check({"--model", "register"}).status == 1);
}

TEST_CASE("tubesim check stays near the memory that it may take") {
  const Finished done = HistoryFile(hard_scan()).check({"--model", "map", "--memory-max", "16"});
  CAPTURE(done.out);
  CHECK(done.status == 3);
  CHECK(done.out.contains("took more than 16777216 bytes (memory_bytes_max; tubesim check --mem"));
  CAPTURE(peak_mib());
  if (kMemoryIsItsOwn) CHECK(peak_mib() < 16 * 3 / 2 + 12);
}

TEST_CASE("tubesim check takes its limits for the witness too, and no number with a sign") {
  std::string lines;
  for (int i = 0; i < 12; ++i)
    lines += R"({"client":)" + std::to_string(i) + R"(,"op":"write","value":)" + std::to_string(i) +
             R"(,"call":1,"return":null})" + "\n";
  lines += R"({"client":20,"op":"read","value":11,"call":2,"return":3,"ok":true,"rev":9})"
           "\n";
  const auto check = [&](const char* option, const char* number) {
    return HistoryFile(lines).check({"--model", "register", "--judge", "witness", option, number});
  };
  CHECK(check("--work-max", "1000").status == 0);
  const Finished worked = check("--work-max", "3");
  CHECK(worked.status == 3);
  CHECK(worked.out.contains("too many steps (steps_max; tubesim check --work-max)"));
  CHECK(check("--configurations-max", "3").out.contains("tubesim check --configurations-max"));
  CHECK(check("--memory-max", "1").status == 0);
  for (const char* wrong : {"-1", "+5", "0", "18446744073709551615", "x"}) {
    CAPTURE(wrong);
    CHECK(check("--work-max", wrong).status == 2);
  }
}
