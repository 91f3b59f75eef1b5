#include "tubing/sim/cli/run_report.h"

#include <fmt/format.h>

#include <cstdio>

#include "tubing/channel/json.h"

namespace tubing::cli {
namespace {

using sim::CampaignReport;
using sim::Outcome;
using sim::SeedOutcome;
using sim::Tally;

std::string seconds(Duration span) {
  return fmt::format("{:.3f}s", static_cast<double>(span.count()) / 1e9);
}

std::string share(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.2f}%", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

/// "dropped:3,cut:1", without what never happened.
std::string fault_list(const std::vector<Tally>& faults) {
  std::string list;
  for (const Tally& tally : faults)
    if (tally.count > 0)
      list += fmt::format("{}{}:{}", list.empty() ? "" : ",", tally.name, tally.count);
  return list.empty() ? "-" : list;
}

struct SeedJson {
  std::uint64_t seed = 0;
  Outcome outcome;
  std::string repeat;

  static constexpr auto fields = tubing::fields("seed", &SeedJson::seed, "outcome",
                                                &SeedJson::outcome, "repeat", &SeedJson::repeat);
};

struct CampaignJson {
  bool passed = false;
  bool stopped = false;
  std::uint64_t seeds = 0;
  std::uint64_t violations = 0;
  std::uint64_t operations = 0;
  std::uint64_t operations_median = 0;
  std::uint64_t operations_p5 = 0;
  std::uint64_t begun = 0;
  std::uint64_t known = 0;
  std::uint64_t events = 0;
  Duration simulated{};
  std::vector<Tally> faults;
  std::vector<std::string> closed_gates;

  static constexpr auto fields = tubing::fields(
      "passed", &CampaignJson::passed, "stopped", &CampaignJson::stopped, "seeds",
      &CampaignJson::seeds, "violations", &CampaignJson::violations, "operations",
      &CampaignJson::operations, "operations_median", &CampaignJson::operations_median,
      "operations_p5", &CampaignJson::operations_p5, "begun", &CampaignJson::begun, "known",
      &CampaignJson::known, "events", &CampaignJson::events, "simulated_ns",
      &CampaignJson::simulated, "faults", &CampaignJson::faults, "closed_gates",
      &CampaignJson::closed_gates);
};

}  // namespace

std::string indented(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines += fmt::format("    {}\n", text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string summary_line(const sim::Scenario& scenario, const SeedOutcome& seed) {
  const Outcome& outcome = seed.outcome;
  return fmt::format(
      "{} seed={} hash={} operations={} known={} events={} simulated={} faults={} {}",
      scenario.name, seed.seed, outcome.hash.empty() ? "-" : outcome.hash, outcome.operations,
      share(outcome.known, outcome.begun), outcome.events, seconds(outcome.simulated),
      fault_list(outcome.faults), outcome.violation.empty() ? "ok" : "VIOLATION");
}

std::string violation_text(const SeedOutcome& seed, const std::string& repeat) {
  std::string text = fmt::format("seed {}:\n{}", seed.seed, indented(seed.outcome.violation));
  if (!seed.outcome.story.empty())
    text += fmt::format("  {}:\n{}", seed.outcome.history.empty() ? "its faults" : "what happened",
                        indented(seed.outcome.story));
  return text + fmt::format("  to repeat it: {}\n", repeat);
}

std::string campaign_text(const CampaignReport& report) {
  std::string text = fmt::format(
      "{} seeds, {} with a violation\n"
      "operations: {} in all, {} in the median seed, {} in the 5th of a hundred\n"
      "outcome known: {} of {} that were begun\n"
      "{} events in {} of simulated time\n",
      report.seeds, report.violations_total, report.operations, report.operations_median,
      report.operations_p5, share(report.known, report.begun), report.begun, report.events,
      seconds(report.simulated));
  text += "faults that took effect:\n";
  for (const Tally& tally : report.faults)
    text += fmt::format("  {:<16} {:>12}\n", tally.name, tally.count);
  for (const std::string& gate : report.closed_gates)
    text += fmt::format("this campaign proves too little: {}\n", gate);
  return text;
}

std::string seed_json(const SeedOutcome& seed, const std::string& repeat) {
  return to_json(SeedJson{.seed = seed.seed, .outcome = seed.outcome, .repeat = repeat});
}

std::string campaign_json(const CampaignReport& report) {
  return to_json(CampaignJson{.passed = report.passed(),
                              .stopped = report.stopped,
                              .seeds = report.seeds,
                              .violations = report.violations_total,
                              .operations = report.operations,
                              .operations_median = report.operations_median,
                              .operations_p5 = report.operations_p5,
                              .begun = report.begun,
                              .known = report.known,
                              .events = report.events,
                              .simulated = report.simulated,
                              .faults = report.faults,
                              .closed_gates = report.closed_gates});
}

void put(std::FILE* file, std::string_view text) {
  (void)std::fwrite(text.data(), 1, text.size(), file);
}

bool all_written(std::FILE* file) { return std::fflush(file) == 0 && std::ferror(file) == 0; }

void ProgressLine::step() {
  ++done_;
  const Clock::time_point now = Clock::now();
  if (!shown_ || now - printed_ < std::chrono::milliseconds(200)) return;
  printed_ = now;
  const std::chrono::duration<double> spent = now - began_;
  put(stderr, fmt::format("\r\033[K{} of {} seeds, {:.0f} a second", done_, seeds_,
                          static_cast<double>(done_) / spent.count()));
  std::fflush(stderr);
  on_screen_ = true;
}

void ProgressLine::clear() {
  if (!std::exchange(on_screen_, false)) return;
  put(stderr, "\r\033[K");
}

}  // namespace tubing::cli
