#include <algorithm>
#include <string>

#include "tests/tidy/declarations.h"
#include "tests/tidy/rules.h"

namespace tubing::tidy {

namespace {

constexpr std::size_t kHeaderLinesMax = 300;
constexpr std::size_t kSourceLinesMax = 600;
constexpr std::size_t kFunctionLinesMax = 70;
constexpr std::size_t kLineColumnsMax = 100;
constexpr std::size_t kParametersMax = 5;

// A character of several bytes is one column.
std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(
      std::ranges::count_if(line, [](char c) { return (c & 0xC0) != 0x80; }));
}

std::string too_many(std::size_t count, std::string_view what, std::size_t max) {
  return std::to_string(count) + " " + std::string(what) + ", at most " + std::to_string(max) +
         ": ";
}

}  // namespace

Findings check_file_lengths(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    const std::size_t count = lines_of(source.text).size();
    const std::size_t max = is_header(source) ? kHeaderLinesMax : kSourceLinesMax;
    if (count > max)
      findings.push_back(
          {source.path, 0, too_many(count, "lines", max) + "split it along what it is about"});
  }
  return findings;
}

Findings check_line_lengths(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    std::size_t number = 0;
    for (std::string_view line : lines_of(source.text)) {
      ++number;
      if (columns(line) > kLineColumnsMax)
        findings.push_back(
            {source.path, number,
             too_many(columns(line), "columns", kLineColumnsMax) + "break the line"});
    }
  }
  return findings;
}

Findings check_function_lengths(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    for (const Declaration& declaration : find_declarations(source)) {
      if (declaration.kind != Kind::function) continue;
      const std::size_t first = line_at(source, declaration.first);
      const std::size_t count = line_at(source, declaration.last) - first + 1;
      if (count > kFunctionLinesMax)
        findings.push_back({source.path, first,
                            too_many(count, "lines in one function", kFunctionLinesMax) +
                                "give its steps names of their own"});
    }
  }
  return findings;
}

Findings check_parameter_counts(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    for (const Declaration& declaration : find_declarations(source)) {
      if (declaration.kind != Kind::function) continue;
      const std::size_t count = parameter_count(declaration.head);
      if (count > kParametersMax)
        findings.push_back({source.path, line_at(source, declaration.first),
                            too_many(count, "parameters", kParametersMax) +
                                "put those that belong together into a struct"});
    }
  }
  return findings;
}

}  // namespace tubing::tidy
