// Assertions: our own bugs end the process, in release builds too.
#pragma once

#include <fmt/format.h>

#include <string>

namespace tubing::detail {

/// Prints the failed condition with its operands to standard error and aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line,
                                   const std::string& operands);

template <class... Operands>
[[noreturn, gnu::noinline, gnu::cold]] void assertion_failed_with(const char* condition,
                                                                  const char* file, int line,
                                                                  const Operands&... operands) {
  std::string text;
  ((text += fmt::format(" {}", operands)), ...);
  assertion_failed(condition, file, line, text);
}

}  // namespace tubing::detail

/// Aborts with the condition, its place and the given operands unless `condition` holds.
/// For bugs of our own only: bytes from a peer, a disk or a user are answered with an Error.
#define TUBING_ASSERT(condition, ...)                                               \
  do {                                                                              \
    if (!(condition)) [[unlikely]]                                                  \
      ::tubing::detail::assertion_failed_with(#condition, __FILE__,                 \
                                              __LINE__ __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)
