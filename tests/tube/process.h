// Process: runs a program as a person would, and keeps what it printed.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
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

/// Runs `command` on a terminal of its own, which goes away once it shows `text`.
Finished run_until_hangup(const std::vector<std::string>& command, const Environment& environment,
                          std::string_view text);

/// Files in place of the standard descriptors; a pipe to the test where empty.
struct Redirection {
  std::string in = {};
  std::string out = {};
  std::string err = {};
};

/// A program that runs beside the test, which talks with it over pipes. Every wait is bounded:
/// where nothing comes for long, the test ends with what was printed until then.
class Process {
 public:
  Process(const std::vector<std::string>& command, const Environment& environment,
          const Redirection& files = {});
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  /// Kills the program where it still runs.
  ~Process();

  /// Gives the program input; nothing where it has ended.
  void type(std::string_view text);
  void close_input();
  /// Stops reading what the program prints, as `head` does.
  void close_output();

  /// Waits until `text` was printed. Returns all that was printed there until then.
  const std::string& await_out(std::string_view text);
  const std::string& await_err(std::string_view text);
  void kill(int signal);
  /// Ends the input, and waits for the end of the program.
  Finished finish();

 private:
  const std::string& await(const std::string& seen, std::string_view text);
  bool read_some();

  pid_t child_ = -1;
  int in_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::string seen_out_;
  std::string seen_err_;
};

}  // namespace tubing::cli
