#include <map>
#include <string>

#include "tests/tidy/rules.h"

namespace tubing::tidy {

namespace {

// The literals from `at` on, joined; a macro's first argument may stand before them.
std::string literal_from(const Source& source, std::size_t at) {
  std::string name;
  const std::size_t close = matching_bracket(source.code, at);
  std::size_t open = source.code.find('"', at);
  while (open < close) {
    const std::size_t end = source.code.find('"', open + 1);
    if (end == std::string::npos) break;
    name += source.text.substr(open + 1, end - open - 1);
    open = source.code.find('"', end + 1);
  }
  return name;
}

}  // namespace

Findings check_case_names(const Tree& tree) {
  Findings findings;
  std::map<std::string, std::string> places;
  for (const Source& source : tree.sources) {
    for (std::size_t at = source.code.find("TEST_CASE"); at != std::string::npos;
         at = source.code.find("TEST_CASE", at + 1)) {
      const std::size_t open = source.code.find('(', at);
      if (open == std::string::npos) break;
      const std::string name = literal_from(source, open);
      const std::size_t line = line_at(source, at);
      if (name.empty())
        findings.push_back({source.path, line, "a test case without a name: state the fact"});
      if (name.find(';') != std::string::npos)
        findings.push_back(
            {source.path, line, "a ';' in the name: ctest would split it and not run the case"});
      const auto place = source.path + ":" + std::to_string(line);
      const auto [first, is_new] = places.emplace(name, place);
      if (!is_new)
        findings.push_back(
            {source.path, line, "'" + name + "' is also the name of the case at " + first->second});
    }
  }
  return findings;
}

}  // namespace tubing::tidy
