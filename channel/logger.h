// Logger: where a module says what happened to it. Given through constructors.
#pragma once

#include <cstdint>
#include <string_view>

namespace tubing {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// Takes lines for people. Secrets never reach it.
/// Threads: the Scheduler's alone.
class Logger {
 public:
  virtual ~Logger() = default;
  /// The lowest level of `module` that is wanted. Asked once, by whoever is given the logger: what
  /// lies below is not even made.
  virtual LogLevel lowest(std::string_view module) const {
    (void)module;
    return LogLevel::debug;
  }
  /// `module` is a literal such as "rpc"; `line` is lent for the call and has no line end.
  virtual void log(LogLevel level, std::string_view module, std::string_view line) = 0;
};

}  // namespace tubing
