// StderrLogger: what modules tell, as lines on standard error; which of it, $TUBING_LOG says.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "tubing/channel/base/result.h"
#include "tubing/channel/base/time.h"
#include "tubing/channel/logger.h"
#include "tubing/channel/stderr_writer.h"

namespace tubing {

/// The variable of the environment that LogLevels::from_environment() reads.
inline constexpr const char* kLogVariable = "TUBING_LOG";
/// How many modules one text may name, and how long the name of one may be.
inline constexpr std::size_t kLogModulesMax = 32;
inline constexpr std::size_t kLogModuleCharsMax = 32;
/// How much of an entry that cannot be read is shown.
inline constexpr std::size_t kLogEntryCharsShown = 64;

/// "debug", "info", "warning" or "error".
std::string_view log_level_name(LogLevel level);

/// The lowest level that is wanted of each module.
class LogLevels {
 public:
  /// The same for every module.
  explicit LogLevels(LogLevel others = LogLevel::warning) : others_(others) {}

  /// Reads `rpc=debug,*=info`: MODULE=LEVEL, with commas between and no spaces; `*` is every module
  /// that is not named, of which only warnings and errors are wanted where it is left out.
  /// Errors: invalid_argument for an entry of another form, a level that is none and a module named
  /// twice, with that entry and the list of levels; resource_exhausted beyond kLogModulesMax.
  static Result<LogLevels> parse(std::string_view text);
  /// What $TUBING_LOG says; without it, or where it is empty, warnings and errors. The same where
  /// it cannot be read, and a line on standard error then says why.
  static LogLevels from_environment();

  LogLevel of(std::string_view module) const;

 private:
  std::map<std::string, LogLevel, std::less<>> modules_;
  LogLevel others_;
};

/// Prints each line as `2026-11-23T14:05:51.123Z warning rpc: TEXT`, in UTC; what is not printable
/// ASCII in it as '?'. It never waits: see StderrWriter.
/// Threads: the Scheduler's alone.
class StderrLogger final : public Logger {
 public:
  /// `wall_now` is asked once a line. `line_begin` stands before each, such as what clears a line
  /// of a terminal. Requires: `out` outlives it.
  StderrLogger(LogLevels levels, std::function<WallTime()> wall_now, StderrWriter& out,
               std::string line_begin = {})
      : levels_(std::move(levels)),
        wall_now_(std::move(wall_now)),
        out_(out),
        line_begin_(std::move(line_begin)) {}

  LogLevel lowest(std::string_view module) const override { return levels_.of(module); }
  void log(LogLevel level, std::string_view module, std::string_view line) override;

  /// The line that log() prints, without what stands before it and its end.
  static std::string text(WallTime now, LogLevel level, std::string_view module,
                          std::string_view line);

 private:
  const LogLevels levels_;
  const std::function<WallTime()> wall_now_;
  StderrWriter& out_;
  const std::string line_begin_;
};

}  // namespace tubing
