// Workload: what clients ask of a service, and when, as data: drawn, written, read.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/channel/base/time.h"

namespace tubing::sim {

/// One line of a workload: one operation of one client, which begins it when it is due and its
/// operation of the line before has ended.
struct WorkloadStep {
  std::uint64_t client = 1;  ///< c1 in the text; in a History too it is client 1.
  /// Of `at_time`: when it is due, since the world began. Otherwise: how long the client pauses
  /// behind its operation before this one, or since it began.
  Duration due{};
  bool at_time = false;
  std::string op;
  std::vector<std::string> arguments = {};

  friend bool operator==(const WorkloadStep&, const WorkloadStep&) = default;
};

/// The lines of one client come in its order; those of different clients in any.
using Workload = std::vector<WorkloadStep>;

/// One line for each operation; spans of time as in a Schedule, exact.
///
///     c3 +12ms write a 7        12 ms behind the end of what c3 did before
///     c3 1500ms read a          1.5 s after the world began, or when c3 is free, if that is later
///
/// Requires: arguments are printable ASCII without blanks, and do not begin with `#`.
std::string workload_text(const Workload& workload);

/// An operation that a scenario's clients can do, with the names of its arguments.
struct WorkloadOp {
  std::string_view name;
  std::span<const std::string_view> arguments;
};

/// What a scenario can take.
struct WorkloadRules {
  std::uint64_t clients = 1;  ///< They are c1, c2, …
  std::span<const WorkloadOp> ops = {};
  std::size_t steps_max = 100'000;
  std::size_t argument_bytes_max = 128;
};

/// Reads what workload_text wrote, or a person: `#` begins a comment where a word would begin, and
/// empty lines are allowed.
/// Errors: invalid_argument with the number of the line, what is wrong in it and what would do;
/// resource_exhausted for more than `steps_max` lines.
Result<Workload> read_workload(std::string_view text, const WorkloadRules& rules);

}  // namespace tubing::sim
