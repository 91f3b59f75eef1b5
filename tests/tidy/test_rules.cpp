#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/tidy/planted_bug.h"
#include "tests/tidy/rules.h"

namespace tubing::tidy {

namespace {

// The literals from `at` on, joined and without escapes; a macro's first argument may stand before
// them.
std::string literal_from(const Source& source, std::size_t at) {
  std::string name;
  const std::size_t close = matching_bracket(source.code, at);
  std::size_t open = source.code.find('"', at);
  while (open < close) {
    const std::size_t end = source.code.find('"', open + 1);
    if (end == std::string::npos) break;
    for (std::size_t i = open + 1; i < end; ++i) {
      if (source.text[i] == '\\') ++i;
      name += source.text[i];
    }
    open = source.code.find('"', end + 1);
  }
  return name;
}

// One test case: its name, and where it stands.
struct Case {
  std::string name;
  std::string path;
  std::size_t line = 0;
};

// The name in a line `@case("NAME")` of a Python script; CMake reads it the same way.
std::string_view name_in(std::string_view line) {
  for (std::string_view mark : {"@case(\"", "@long_case(\""})
    if (line.starts_with(mark) && line.ends_with("\")"))
      return line.substr(mark.size(), line.size() - mark.size() - 2);
  return {};
}

void add_script_cases(const Source& script, std::vector<Case>& cases) {
  std::size_t number = 0;
  for (std::string_view line : lines_of(script.text)) {
    ++number;
    if (const std::string_view name = name_in(line); !name.empty())
      cases.push_back({std::string(name), script.path, number});
  }
}

std::vector<Case> cases_of(const Tree& tree) {
  std::vector<Case> cases;
  for (const Source& source : tree.sources) {
    for (std::size_t at = source.code.find("TEST_CASE"); at != std::string::npos;
         at = source.code.find("TEST_CASE", at + 1)) {
      const std::size_t open = source.code.find('(', at);
      if (open == std::string::npos) break;
      cases.push_back({literal_from(source, open), source.path, line_at(source, at)});
    }
  }
  for (const Source& script : tree.scripts) add_script_cases(script, cases);
  return cases;
}

// Each fuzz target has a source of its name in this folder.
constexpr std::string_view kFuzzFolder = "tests/fuzz/";
constexpr std::string_view kTargetEnd = "_target.cpp";

}  // namespace

Findings check_case_names(const Tree& tree) {
  Findings findings;
  std::map<std::string, std::string> places;
  for (const Case& test : cases_of(tree)) {
    if (test.name.empty())
      findings.push_back({test.path, test.line, "a test case without a name: state the fact"});
    if (test.name.find(';') != std::string::npos)
      findings.push_back(
          {test.path, test.line, "a ';' in the name: ctest would split it and not run the case"});
    const auto place = test.path + ":" + std::to_string(test.line);
    const auto [first, is_new] = places.emplace(test.name, place);
    if (!is_new)
      findings.push_back({test.path, test.line,
                          "'" + test.name + "' is also the name of the case at " + first->second});
  }
  return findings;
}

Findings check_planted_bugs(const Tree& tree) {
  Findings findings;
  std::set<std::string, std::less<>> names;
  for (Case& test : cases_of(tree)) names.insert(std::move(test.name));
  std::set<std::string, std::less<>> targets;
  for (const Source& source : tree.sources) {
    const std::string_view path = source.path;
    if (path.starts_with(kFuzzFolder) && path.ends_with(kTargetEnd))
      targets.emplace(
          path.substr(kFuzzFolder.size(), path.size() - kFuzzFolder.size() - kTargetEnd.size()));
  }
  for (const Source& patch : tree.patches) {
    const PlantedBug bug = planted_bug(patch);
    if ((bug.test.empty() && bug.target.empty()) || bug.module.empty())
      findings.push_back({patch.path, 1,
                          "begin with '# test: <case>' or '# fuzz: <target>', and "
                          "'# module: <module>'"});
    else if (!bug.target.empty() && !targets.contains(bug.target))
      findings.push_back(
          {patch.path, 1, "there is no fuzz target '" + std::string(bug.target) + "'"});
    else if (bug.target.empty() && !names.contains(bug.test))
      findings.push_back({patch.path, 1, "there is no test case '" + std::string(bug.test) + "'"});
  }
  return findings;
}

}  // namespace tubing::tidy
