#include "tubing/sim/cli/shrink_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include "tubing/channel/json.h"
#include "tubing/sim/cli/output_file.h"
#include "tubing/sim/cli/run_report.h"

namespace tubing::cli {
namespace {

using sim::Shrunk;

struct ShrunkJson {
  std::uint64_t seed = 0;
  std::string failure;
  std::uint64_t faults_before = 0;
  std::uint64_t operations_before = 0;
  std::uint64_t faults = 0;
  std::uint64_t operations = 0;
  std::uint64_t runs = 0;
  bool complete = true;
  std::string story;
  std::string violation;
  std::string schedule;
  std::string workload;
  std::string repeat;

  static constexpr auto fields = tubing::fields(
      "seed", &ShrunkJson::seed, "failure", &ShrunkJson::failure, "faults_before",
      &ShrunkJson::faults_before, "operations_before", &ShrunkJson::operations_before, "faults",
      &ShrunkJson::faults, "operations", &ShrunkJson::operations, "runs", &ShrunkJson::runs,
      "complete", &ShrunkJson::complete, "story", &ShrunkJson::story, "violation",
      &ShrunkJson::violation, "schedule", &ShrunkJson::schedule, "workload", &ShrunkJson::workload,
      "repeat", &ShrunkJson::repeat);
};

std::string shrunk_json(const Shrunk& shrunk, const std::string& repeat) {
  return to_json(ShrunkJson{.seed = shrunk.seed,
                            .failure = shrunk.failure,
                            .faults_before = shrunk.before.faults,
                            .operations_before = shrunk.before.operations,
                            .faults = shrunk.after.faults,
                            .operations = shrunk.after.operations,
                            .runs = shrunk.after.runs,
                            .complete = shrunk.complete,
                            .story = shrunk.outcome.story,
                            .violation = shrunk.outcome.violation,
                            .schedule = shrunk.scenario.schedule.value_or(""),
                            .workload = shrunk.scenario.workload.value_or(""),
                            .repeat = repeat});
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// "2 of its 14 faults".
std::string of(std::size_t left, std::size_t all, std::string_view what) {
  return fmt::format("{} of its {}", left, counted(all, what));
}

/// For who has no files of them.
std::string texts_told(const Shrunk& shrunk) {
  std::string told;
  if (shrunk.scenario.schedule)
    told += fmt::format("\nits schedule:\n{}", indented(*shrunk.scenario.schedule));
  if (shrunk.scenario.workload)
    told += fmt::format("\nits workload:\n{}", indented(*shrunk.scenario.workload));
  return told;
}

/// Writes what is left, and adds to `repeat` what reads it back.
Result<> write_files(const sim::Scenario& scenario, const Shrunk& shrunk, std::string& repeat) {
  const std::string stem = fmt::format("{}-{}", scenario.name, shrunk.seed);
  Result<> all;
  const auto write = [&all](const std::string& path, const std::string& text) {
    Result<> written = write_text(path, text);
    if (all) all = std::move(written);
  };
  if (shrunk.scenario.schedule) {
    repeat += fmt::format(" --schedule {}-schedule.txt", stem);
    write(stem + "-schedule.txt", *shrunk.scenario.schedule);
  }
  if (shrunk.scenario.workload) {
    repeat += fmt::format(" --workload {}-workload.txt", stem);
    write(stem + "-workload.txt", *shrunk.scenario.workload);
  }
  if (!shrunk.outcome.history.empty()) write(stem + "-history.jsonl", shrunk.outcome.history);
  return all;
}

}  // namespace

std::string shrunk_text(const Shrunk& shrunk, const std::string& repeat) {
  std::string left;
  if (shrunk.before.faults > 0) left = of(shrunk.after.faults, shrunk.before.faults, "fault");
  if (shrunk.before.operations > 0)
    left += (left.empty() ? "" : " and ") +
            of(shrunk.after.operations, shrunk.before.operations, "operation");
  std::string text = fmt::format(
      "seed {} fails ({}): {} are enough{}, after {} runs{}\n", shrunk.seed, shrunk.failure,
      left.empty() ? "no faults and no operations" : left,
      shrunk.repeat_seed == shrunk.seed
          ? ""
          : fmt::format(" with the draws of seed {}", shrunk.repeat_seed),
      shrunk.after.runs, shrunk.complete ? "" : ", which are the most: fewer may be enough");
  text += fmt::format("\nwhat happened:\n{}", indented(shrunk.outcome.story));
  text += fmt::format("\nwhat did not hold:\n{}", indented(shrunk.outcome.violation));
  return text + fmt::format("\nto repeat it: {}\n", repeat);
}

Result<> shrink_and_tell(const sim::Scenario& scenario, std::uint64_t seed,
                         const sim::CampaignOptions& options, bool json) {
  const bool shown = ::isatty(STDERR_FILENO) == 1;
  const auto show = [&](const sim::ShrinkProgress& so_far) {
    if (shown)
      put(stderr, fmt::format("\r\x1b[Kshrinking seed {}: {} and {} after {} runs", seed,
                              counted(so_far.faults, "fault"),
                              counted(so_far.operations, "operation"), so_far.runs));
  };
  const auto shrunk = sim::shrink(
      scenario, seed, {.scenario = options.scenario, .check = options.check, .jobs = options.jobs},
      show);
  if (shown) put(stderr, "\r\x1b[K");
  if (!shrunk) return shrunk.error();
  sim::CampaignOptions again = options;
  again.scenario = shrunk->scenario;
  std::string repeat = sim::repeat_command(scenario, shrunk->repeat_seed, again);
  Result<> written = write_files(scenario, *shrunk, repeat);
  // The story is worth reading where its files cannot be written, too.
  put(stdout, json ? shrunk_json(*shrunk, repeat) + "\n" : shrunk_text(*shrunk, repeat));
  if (!written && !json) put(stdout, texts_told(*shrunk));
  return written;
}

}  // namespace tubing::cli
