// Progress: how much has passed through a pipe, shown on a terminal while it does.
#pragma once

#include <cstdint>
#include <string>

#include "tubing/channel/go.h"
#include "tubing/channel/stderr_writer.h"

namespace tubing::cli {

/// Bytes that passed, in both directions.
struct Passed {
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  /// 2: our input was sent to its end, and the peer's was written to its end.
  int directions_ended = 0;
};

/// Clears the line of a terminal where progress stands.
inline constexpr const char* kClearLine = "\r\033[K";

/// Shows `passed` in one line on standard error, several times a second, until it is cancelled; not
/// while a terminal has stopped.
/// `total` is what will be sent, 0 where that is not known.
Task<> show_progress(StderrWriter& out, const Passed& passed, std::uint64_t total);

/// "1.50 GB in 2.0 s, 750 MB/s": the last line, for people.
std::string summary(const Passed& passed, Duration spent);

}  // namespace tubing::cli
