// FaultGrammar: what each FaultAction strikes, how much of it there may be, and how a line says so.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tubing/sim/schedule.h"

namespace tubing::sim::detail {

enum class FaultTarget : std::uint8_t { link, link_or_card, groups, hosts, everything };
enum class FaultUnit : std::uint8_t { none, ppm, ppb, span, bytes_per_second };

struct FaultGrammar {
  std::string_view name;
  FaultTarget target = FaultTarget::hosts;
  FaultUnit unit = FaultUnit::none;
  std::int64_t min = 0;  ///< Of its amount; likewise `max`.
  std::int64_t max = 0;
  bool instant = false;
  std::string_view form;  ///< How a line of it goes, behind its time.
};

const FaultGrammar& grammar_of(FaultAction action);

/// With its unit: "1000ppm". Empty for none.
std::string amount_text(std::int64_t amount, FaultUnit unit);

/// What is wrong with the hosts that it names; empty: nothing.
std::string complaint_about_groups(const ScheduledFault& fault,
                                   const std::vector<std::string>& names);
/// What keeps a fault from being carried out among these hosts, and what would do; empty: nothing.
std::string complaint_about(const ScheduledFault& fault, const std::vector<std::string>& names);

}  // namespace tubing::sim::detail
