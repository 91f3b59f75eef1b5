// A module's PROMISES.md: each promise beside its test and the planted bugs that the test catches.
#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/tidy/planted_bug.h"
#include "tests/tidy/rules.h"

namespace tubing::tidy {

namespace {

constexpr std::string_view kPage = "/PROMISES.md";

struct Promised {
  PlantedBug bug;
  bool promised = false;
};
using PlantedBugs = std::map<std::string, Promised, std::less<>>;

PlantedBugs planted_bugs(const Tree& tree) {
  PlantedBugs bugs;
  for (const Source& patch : tree.patches) {
    const PlantedBug bug = planted_bug(patch);
    bugs[std::string(bug.name)] = {bug};
  }
  return bugs;
}

// The cells of a table's row, without their blanks; empty for any other line.
std::vector<std::string> cells_of(std::string_view line) {
  std::vector<std::string> cells;
  if (!line.starts_with("| ")) return cells;
  for (std::size_t at = 1; at < line.size();) {
    const std::size_t end = std::min(line.find('|', at), line.size());
    cells.emplace_back(trim(line.substr(at, end - at)));
    at = end + 1;
  }
  return cells;
}

std::vector<std::string> listed(std::string_view names) {
  std::vector<std::string> out;
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(','), names.size());
    out.emplace_back(trim(names.substr(0, end)));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return out;
}

// A row's test stands in its second cell, its planted bugs in the third.
void check_rows(const Source& page, PlantedBugs& bugs, Findings& findings) {
  std::size_t number = 0;
  for (const std::string_view line : lines_of(page.text)) {
    ++number;
    const std::vector<std::string> cells = cells_of(line);
    if (cells.size() < 3 || cells[1] == "test" || cells[1].starts_with("---")) continue;
    for (const std::string& name : listed(cells[2])) {
      const auto bug = bugs.find(name);
      if (bug == bugs.end())
        findings.push_back({page.path, number, "there is no planted bug '" + name + "'"});
      else if (bug->second.bug.test != cells[1])
        findings.push_back({page.path, number, "'" + name + "' is caught by another test"});
      else
        bug->second.promised = true;
    }
  }
}

}  // namespace

Findings check_promises(const Tree& tree) {
  Findings findings;
  PlantedBugs bugs = planted_bugs(tree);
  std::vector<std::string> modules;
  for (const Source& page : tree.pages) {
    if (!page.path.ends_with(kPage)) continue;
    modules.push_back(page.path.substr(0, page.path.size() - kPage.size()));
    check_rows(page, bugs, findings);
  }
  for (const auto& [name, entry] : bugs) {
    const bool listed = std::ranges::find(modules, entry.bug.module) != modules.end();
    if (listed && !entry.promised)
      findings.push_back({std::string(entry.bug.module) + std::string(kPage), 0,
                          "no row names the planted bug '" + name + "': say what it breaks"});
  }
  return findings;
}

}  // namespace tubing::tidy
