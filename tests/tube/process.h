// Process: runs a program as a person would, and keeps what it printed.
#pragma once

#include <string>
#include <vector>

namespace tubing::cli {

/// One environment variable, as in "HOME=/root".
using Environment = std::vector<std::string>;

/// How a program ended, and what it printed.
struct Finished {
  /// The exit status, or 128 and the signal that ended it.
  int status = -1;
  std::string out;
  std::string err;
};

/// Runs `command`, whose first word is the program's path, to its end, with no terminal and no
/// input. Nothing of the environment of the test is inherited.
Finished run_process(const std::vector<std::string>& command, const Environment& environment);

/// Runs `command` on a terminal of its own. Each time that the program asks (prints ": "), the next
/// of `answers` is typed. `out` is all that the terminal showed.
Finished run_on_terminal(const std::vector<std::string>& command, const Environment& environment,
                         const std::vector<std::string>& answers);

}  // namespace tubing::cli
