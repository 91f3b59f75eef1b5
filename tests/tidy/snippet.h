// What the tests of the rules share: a tree made of one small file.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/tidy/rules.h"

namespace tubing::tidy {

// Returns: the lines where the rule finds something in a file of this path and text.
inline std::vector<std::size_t> lines_found(Findings (*check)(const Tree&), std::string path,
                                            std::string text) {
  Tree tree;
  tree.paths.push_back(path);
  tree.sources.push_back(parse_source(std::move(path), std::move(text)));
  std::vector<std::size_t> lines;
  for (const Finding& finding : check(tree)) lines.push_back(finding.line);
  return lines;
}

// The count of findings, where the line says nothing.
inline std::size_t count_found(Findings (*check)(const Tree&), std::string path, std::string text) {
  return lines_found(check, std::move(path), std::move(text)).size();
}

using Lines = std::vector<std::size_t>;

}  // namespace tubing::tidy
