// The judges of tubesim check that go by more than the times of operations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tubing/sim/judges/ruling.h"

namespace tubing::cli {

/// In place of the judges' own.
struct CheckLimits {
  std::optional<std::uint64_t> work_max = {};
  std::optional<std::size_t> configurations_max = {};
  std::optional<std::uint64_t> memory_mib_max = {};

  std::optional<std::uint64_t> memory_bytes_max() const {
    return memory_mib_max ? std::optional(*memory_mib_max << 20) : std::nullopt;
  }
};

/// "witness", "watches", "leases", "sessions".
std::vector<std::string> ruling_judges();

/// What the user asked of a judge; what it does not take, the user must not have asked for.
struct RuleOptions {
  std::string judge;        ///< One of ruling_judges().
  std::string model = {};   ///< For the witness, one that check knows.
  CheckLimits limits = {};  ///< All for the witness, the work for watches.
};

/// Errors: those of the judge; invalid_argument where no operation was for it.
Result<sim::Ruling> rule(const RuleOptions& options, const sim::History& history);

/// What is printed; with `json` one object.
std::string ruling_report(const sim::Ruling& ruling, const std::string& judge,
                          const sim::History& history, bool json);

}  // namespace tubing::cli
