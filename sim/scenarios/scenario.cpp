#include "tubing/sim/scenarios/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "tubing/sim/scenarios/echo.h"
#include "tubing/sim/scenarios/files.h"
#include "tubing/sim/scenarios/grid.h"
#include "tubing/sim/scenarios/register.h"

namespace tubing::sim {

namespace {

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

}  // namespace

bool Scenario::knows(std::string_view option) const { return has_word(options, option); }
bool Scenario::errs(std::string_view wrong) const { return has_word(wrongs, wrong); }

Outcome refused(const Error& why) {
  return {.violation = std::string(why.detail()), .failure = std::string(kRefused)};
}

std::string failure_class(std::string_view violation) {
  constexpr std::string_view kAssertion = "assertion failed: ";
  constexpr std::size_t kBytesMax = 200;
  if (violation.contains("did not end when it crashed")) return "task forgotten";
  std::string_view line = violation.substr(0, violation.find('\n'));
  if (const std::size_t at = violation.find(kAssertion); at != std::string_view::npos) {
    line = violation.substr(at + kAssertion.size());
    line = line.substr(0, std::min(line.find('\n'), line.find("; with")));
    return fmt::format("assertion '{}'", line.substr(0, kBytesMax));
  }
  std::string name;
  bool in_number = false;
  for (const char c : line.substr(0, kBytesMax)) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit) name += c;
    if (digit && !in_number) name += 'N';
    in_number = digit;
  }
  return name;
}

std::span<const Scenario> scenarios() {
  static constexpr std::array kScenarios{
      Scenario{.name = "echo",
               .summary = "channels opened, used, passed and cut under every fault of byte streams",
               .options = "hosts schedule faults",
               .run = run_echo,
               .check = check_echo,
               .faults = echo_faults,
               .hosts = "n0 to n3; a seed has at least two of them"},
      Scenario{.name = "files",
               .summary = "random programs of file operations on a disk with every fault",
               .options = "schedule faults",
               .run = run_files,
               .check = check_files,
               .faults = files_faults,
               .hosts = "n0"},
      Scenario{.name = "grid",
               .summary = "every host sends messages to every other, each checked, under faults",
               .options = "hosts messages mode schedule faults",
               .run = run_grid,
               .check = check_grid,
               .faults = grid_faults,
               .hosts = "n0 to n4"},
      Scenario{.name = "register",
               .summary = "clients read and write keys of replicas, judged by their history",
               .options = "hosts mode schedule faults workload history wrong",
               .run = run_register,
               .check = check_register,
               .faults = register_faults,
               .wrongs = kRegisterWrongs,
               .hosts = "c1 to c5, clients, and n0 to n4, replicas; a seed may have fewer"},
  };
  return kScenarios;
}

const Scenario* find_scenario(std::string_view name) {
  const auto found = std::ranges::find(scenarios(), name, &Scenario::name);
  return found == scenarios().end() ? nullptr : &*found;
}

}  // namespace tubing::sim
