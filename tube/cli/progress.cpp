#include "tubing/tube/cli/progress.h"

#include <fmt/format.h>

namespace tubing::cli {
namespace {

constexpr Duration kInterval = std::chrono::milliseconds(200);

std::string size_text(double bytes) {
  static constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < std::size(kUnits)) {
    bytes /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.2f} {}", bytes, kUnits[unit]);
}

double rate(const Passed& passed, Duration spent) {
  const double seconds = static_cast<double>(spent.count()) / 1e9;
  return seconds > 0 ? static_cast<double>(passed.sent + passed.received) / seconds : 0;
}

}  // namespace

Task<> show_progress(StderrWriter& out, const Passed& passed, std::uint64_t total) {
  Scheduler& scheduler = co_await current_scheduler();
  const Time begin = scheduler.now();
  for (;;) {
    co_await ok(sleep(kInterval));
    std::string line = fmt::format("sent {}", size_text(static_cast<double>(passed.sent)));
    if (total > 0)
      line += fmt::format(" of {} ({:.0f}%)", size_text(static_cast<double>(total)),
                          100.0 * static_cast<double>(passed.sent) / static_cast<double>(total));
    line += fmt::format(", received {}, {}/s", size_text(static_cast<double>(passed.received)),
                        size_text(rate(passed, scheduler.now() - begin)));
    if (out.idle()) out.print(kClearLine + line);
  }
}

std::string summary(const Passed& passed, Duration spent) {
  return fmt::format("sent {}, received {} in {:.2f} s, {}/s",
                     size_text(static_cast<double>(passed.sent)),
                     size_text(static_cast<double>(passed.received)),
                     static_cast<double>(spent.count()) / 1e9, size_text(rate(passed, spent)));
}

}  // namespace tubing::cli
