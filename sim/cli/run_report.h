// RunReport: what tubesim prints of seeds and campaigns, for people and as JSON.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <string_view>

#include "tubing/sim/campaign.h"

namespace tubing::cli {

/// "grid seed=5 hash=… operations=1000 …": one line for each seed, the same words in each.
std::string summary_line(const sim::Scenario& scenario, const sim::SeedOutcome& seed);
/// What did not hold in a seed, the faults that it had, and the command that repeats it.
std::string violation_text(const sim::SeedOutcome& seed, const std::string& repeat);
/// Several lines: how many seeds, what they did, which faults took effect, what is missing.
std::string campaign_text(const sim::CampaignReport& report);

/// The same as JSON objects, each on one line.
std::string seed_json(const sim::SeedOutcome& seed, const std::string& repeat);
std::string campaign_json(const sim::CampaignReport& report);

/// Each line four blanks further right.
std::string indented(std::string_view text);

/// Prints; whether it could be written, all_written says. (fmt::print would throw.)
void put(std::FILE* file, std::string_view text);

/// Whether all that was put there so far could be written.
bool all_written(std::FILE* file);

/// Shows on a terminal how far a campaign is, a few times a second.
class ProgressLine {
 public:
  /// Silent where `shown` is false.
  ProgressLine(std::uint64_t seeds, bool shown) : seeds_(seeds), shown_(shown) {}
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void step();
  /// Removes it, so that something else may be printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  const std::uint64_t seeds_;
  const bool shown_;
  std::uint64_t done_ = 0;
  bool on_screen_ = false;
  Clock::time_point began_ = Clock::now();
  Clock::time_point printed_ = began_;
};

}  // namespace tubing::cli
