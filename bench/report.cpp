#include "report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace tubing::bench {
namespace {

std::string number_text(double value) {
  if (value >= 10'000) return fmt::format("{:.0f}", value);
  return fmt::format("{:.4g}", value);
}

}  // namespace

Report::Report(std::string title, int argc, char** argv) : title_(std::move(title)) {
  for (int i = 1; i < argc; i += 2) {
    const std::string_view option = argv[i];
    if (i + 1 == argc || (option != "--json" && option != "--only")) {
      fmt::print(stderr, "usage: {} [--only NAME|BEGIN*] [--json FILE]\n", argv[0]);
      std::exit(2);
    }
    (option == "--json" ? json_path_ : only_) = argv[i + 1];
  }
}

double Report::row(std::string name, std::string unit, std::string peers,
                   const std::function<double()>& measure) {
  if (!wanted(name)) return 0;
  std::vector<double> values;
  for (int run = 1; run <= kRuns; ++run) {
    fmt::print(stderr, "\r\033[K{}: run {} of {}", name, run, kRuns);
    std::fflush(stderr);
    values.push_back(measure());
  }
  fmt::print(stderr, "\r\033[K");
  std::sort(values.begin(), values.end());
  const double median = values[kRuns / 2];
  rows_.push_back(
      {std::move(name), std::move(unit), std::move(peers), median, values.front(), values.back()});
  return median;
}

bool Report::wanted(std::string_view name) {
  names_.emplace_back(name);
  if (only_.empty() || only_ == name) return true;
  return only_.ends_with('*') && name.starts_with(only_.substr(0, only_.size() - 1));
}

void Report::ratio(std::string name, double value, double base, std::string peers) {
  if (value == 0 || base == 0) return;
  const double times = value / base;
  rows_.push_back({std::move(name), "x", std::move(peers), times, times, times});
}

int Report::finish() {
  if (rows_.empty()) {
    fmt::print(stderr, "no row is called {}; there are: {}\n", only_, fmt::join(names_, " "));
    return 2;
  }
  print_table();
  return json_path_.empty() || write_json() ? 0 : 1;
}

void Report::print_table() const {
  fmt::print("{}\n{}\nmedian of {} runs\n\n", title_, machine(), kRuns);
  fmt::print("{:<26} {:>12} {:<8} {:>26}   {}\n", "name", "value", "unit", "least .. greatest",
             "for comparison");
  for (const Row& row : rows_)
    fmt::print("{:<26} {:>12} {:<8} {:>26}   {}\n", row.name, number_text(row.median), row.unit,
               number_text(row.least) + " .. " + number_text(row.greatest), row.peers);
}

bool Report::write_json() const {
  std::ofstream out(json_path_);
  out << "[\n";
  for (std::size_t i = 0; i < rows_.size(); ++i)
    out << fmt::format(
        R"(  {{"name": "{}", "value": {}, "unit": "{}", "least": {}, "greatest": {}}}{})",
        rows_[i].name, rows_[i].median, rows_[i].unit, rows_[i].least, rows_[i].greatest,
        i + 1 < rows_.size() ? ",\n" : "\n");
  out << "]\n";
  out.flush();
  if (!out) fmt::print(stderr, "cannot write {}; name another file after --json\n", json_path_);
  return static_cast<bool>(out);
}

std::string machine() {
  std::string model = "unknown processor";
  std::ifstream cpuinfo("/proc/cpuinfo");
  for (std::string line; std::getline(cpuinfo, line);)
    if (line.starts_with("model name")) {
      model = line.substr(line.find(':') + 2);
      break;
    }
  utsname kernel{};
  uname(&kernel);
  return fmt::format("{}, {} cores, {} {}, Clang {}", model, sysconf(_SC_NPROCESSORS_ONLN),
                     kernel.sysname, kernel.release, __clang_version__);
}

void pin_to_one_core() {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(0, &set);
  sched_setaffinity(0, sizeof set, &set);
}

void unpin() {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (long cpu = 0; cpu < sysconf(_SC_NPROCESSORS_CONF) && cpu < CPU_SETSIZE; ++cpu)
    CPU_SET(static_cast<std::size_t>(cpu), &set);
  sched_setaffinity(0, sizeof set, &set);
}

}  // namespace tubing::bench
