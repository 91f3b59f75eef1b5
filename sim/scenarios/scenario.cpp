#include "tubing/sim/scenarios/scenario.h"

#include <algorithm>
#include <array>

#include "tubing/sim/scenarios/echo.h"
#include "tubing/sim/scenarios/files.h"
#include "tubing/sim/scenarios/grid.h"

namespace tubing::sim {

bool Scenario::knows(std::string_view option) const {
  for (std::string_view left = options; !left.empty();) {
    const std::size_t end = std::min(left.find(' '), left.size());
    if (left.substr(0, end) == option) return true;
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return false;
}

std::span<const Scenario> scenarios() {
  static constexpr std::array kScenarios{
      Scenario{.name = "echo",
               .summary = "channels opened, used, passed and cut under every fault of byte streams",
               .options = "hosts faults",
               .run = run_echo_scenario,
               .check = [](const ScenarioOptions&) -> Result<> { return {}; },
               .faults = echo_faults},
      Scenario{.name = "files",
               .summary = "random programs of file operations on a disk with every fault",
               .options = "",
               .run = run_files_scenario,
               .check = [](const ScenarioOptions&) -> Result<> { return {}; },
               .faults = files_faults},
      Scenario{.name = "grid",
               .summary = "every host sends messages to every other, each checked, under faults",
               .options = "hosts messages mode schedule faults",
               .run = run_grid,
               .check = check_grid,
               .faults = grid_faults},
  };
  return kScenarios;
}

const Scenario* find_scenario(std::string_view name) {
  const auto found = std::ranges::find(scenarios(), name, &Scenario::name);
  return found == scenarios().end() ? nullptr : &*found;
}

}  // namespace tubing::sim
