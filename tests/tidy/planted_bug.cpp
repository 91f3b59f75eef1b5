#include "tests/tidy/planted_bug.h"

namespace tubing::tidy {

namespace {

constexpr std::string_view kEnd = ".patch";

// What stands behind a mark such as "# test: "; empty where the line does not begin with it.
std::string_view field(std::string_view line, std::string_view mark) {
  return line.starts_with(mark) ? line.substr(mark.size()) : std::string_view();
}

}  // namespace

PlantedBug planted_bug(const Source& patch) {
  std::string_view name = patch.path;
  name.remove_prefix(name.rfind('/') + 1);
  if (name.ends_with(kEnd)) name.remove_suffix(kEnd.size());
  const auto lines = lines_of(patch.text);
  const std::string_view first = lines.empty() ? "" : lines[0];
  const std::string_view second = lines.size() < 2 ? "" : lines[1];
  return {name, field(first, "# test: "), field(first, "# fuzz: "), field(second, "# module: ")};
}

}  // namespace tubing::tidy
