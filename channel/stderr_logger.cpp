#include "tubing/channel/stderr_logger.h"

#include <fmt/chrono.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>

#include "tubing/channel/base/bytes.h"

namespace tubing {
namespace {

constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};
constexpr std::string_view kOthers = "*";

std::optional<LogLevel> level_of(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<LogLevel>(found - kNames.begin());
}

bool is_module(std::string_view name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return name == kOthers ||
         (!name.empty() && name.size() <= kLogModuleCharsMax && std::ranges::all_of(name, fits));
}

Error bad_entry(std::string_view entry, std::string_view what) {
  const bool whole = entry.size() <= kLogEntryCharsShown;
  return Error(
      Code::invalid_argument, kLogVariable,
      fmt::format("\"{}{}\" {}; write MODULE=LEVEL, with commas between, where MODULE is a "
                  "name such as rpc, or *, and LEVEL one of {}",
                  printable(entry.substr(0, kLogEntryCharsShown)), whole ? "" : "...", what,
                  fmt::join(kNames, ", ")));
}

}  // namespace

std::string_view log_level_name(LogLevel level) { return kNames[static_cast<std::size_t>(level)]; }

Result<LogLevels> LogLevels::parse(std::string_view text) {
  LogLevels levels;
  for (bool more = true; more;) {
    const std::size_t end = text.find(',');
    const std::string_view entry = text.substr(0, end);
    more = end != std::string_view::npos;
    if (more) text.remove_prefix(end + 1);
    const std::size_t sign = entry.find('=');
    if (sign == std::string_view::npos || !is_module(entry.substr(0, sign)))
      return bad_entry(entry, "is not MODULE=LEVEL");
    const auto level = level_of(entry.substr(sign + 1));
    if (!level) return bad_entry(entry, "names no level");
    if (levels.modules_.size() == kLogModulesMax)
      return Error(Code::resource_exhausted, kLogVariable,
                   fmt::format("names more than {} modules, the most", kLogModulesMax));
    if (!levels.modules_.emplace(entry.substr(0, sign), *level).second)
      return bad_entry(entry, "names its module again");
  }
  levels.others_ = levels.of(kOthers);
  return levels;
}

LogLevels LogLevels::from_environment() {
  const char* text = ::getenv(kLogVariable);
  if (text == nullptr || *text == '\0') return LogLevels();
  Result<LogLevels> levels = parse(text);
  if (levels) return *std::move(levels);
  StderrWriter().print(levels.error().text() + "\n");
  return LogLevels();
}

LogLevel LogLevels::of(std::string_view module) const {
  const auto found = modules_.find(module);
  return found == modules_.end() ? others_ : found->second;
}

std::string StderrLogger::text(WallTime now, LogLevel level, std::string_view module,
                               std::string_view line) {
  return fmt::format(
      "{:%Y-%m-%dT%H:%M:%S}.{:03}Z {} {}: {}", fmt::gmtime(static_cast<std::time_t>(now.seconds())),
      now.since_epoch_ns / 1'000'000 % 1000, log_level_name(level), module, printable(line));
}

void StderrLogger::log(LogLevel level, std::string_view module, std::string_view line) {
  if (level < levels_.of(module)) return;
  out_.print(line_begin_ + text(wall_now_(), level, module, line) + "\n");
}

}  // namespace tubing
