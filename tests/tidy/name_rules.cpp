#include <algorithm>
#include <array>
#include <string>

#include "tests/tidy/declarations.h"
#include "tests/tidy/rules.h"

namespace tubing::tidy {

namespace {

constexpr std::array<std::string_view, 23> kTopLevel{".ci",
                                                     ".clang-format",
                                                     ".clang-tidy",
                                                     ".git",  // A file, in a worktree.
                                                     ".gitattributes",
                                                     ".gitignore",
                                                     "CHANGELOG.md",
                                                     "CMakeLists.txt",
                                                     "CMakePresets.json",
                                                     "CONTRIBUTING.md",
                                                     "LICENSE",
                                                     "README.md",
                                                     "bench",
                                                     "channel",
                                                     "cmake",
                                                     "compile_commands.json",
                                                     "crypto",
                                                     "dev",
                                                     "docs",
                                                     "rpc",
                                                     "sim",
                                                     "tests",
                                                     "tube"};

// Words that tell nothing of what lies in the file.
constexpr std::array<std::string_view, 8> kEmptyWords{"impl",  "part", "common", "util",
                                                      "utils", "misc", "helper", "helpers"};

constexpr std::array<std::string_view, 3> kEmptyTypeWords{"Manager", "Helper", "Async"};

bool is_empty_word(std::string_view word) {
  const bool is_number =
      !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
  const std::string_view stem = word.substr(0, word.find_last_not_of("0123456789") + 1);
  return is_number || std::ranges::find(kEmptyWords, stem) != kEmptyWords.end();
}

// The first word of a file's name that tells nothing, or an empty view.
std::string_view empty_word_in(std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  name = name.substr(0, name.find('.'));
  while (!name.empty()) {
    const std::string_view word = name.substr(0, name.find_first_of("_-"));
    if (is_empty_word(word)) return word;
    name.remove_prefix(std::min(word.size() + 1, name.size()));
  }
  return {};
}

// The name that `class`, `struct` or `enum class` at `at` introduces.
std::string_view type_name_at(std::string_view code, std::size_t at) {
  std::size_t begin = at;
  while (begin < code.size() && is_word_char(code[begin])) ++begin;
  begin = code.find_first_not_of(" \n", begin);
  if (begin == std::string_view::npos) return {};
  std::size_t end = begin;
  while (end < code.size() && is_word_char(code[end])) ++end;
  return code.substr(begin, end - begin);
}

}  // namespace

Findings check_top_level(const Tree& tree) {
  Findings findings;
  std::string_view last;
  for (const std::string& path : tree.paths) {
    const std::string_view top = std::string_view(path).substr(0, path.find('/'));
    if (top == last) continue;
    last = top;
    if (std::ranges::find(kTopLevel, top) == kTopLevel.end())
      findings.push_back({std::string(top), 0,
                          "nothing of this name belongs at the top: a file lies in its module"});
  }
  return findings;
}

Findings check_file_names(const Tree& tree) {
  Findings findings;
  for (const std::string& path : tree.paths) {
    const std::string_view word = empty_word_in(path);
    if (!word.empty())
      findings.push_back({path, 0,
                          "'" + std::string(word) +
                              "' tells nothing: use the field's word for what lies in the file"});
  }
  return findings;
}

Findings check_type_names(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    for (std::string_view keyword : {"class", "struct"}) {
      for (std::size_t at = find_word(source.code, keyword); at != std::string::npos;
           at = find_word(source.code, keyword, at + 1)) {
        const std::string_view name = type_name_at(source.code, at);
        for (std::string_view word : kEmptyTypeWords)
          if (name.find(word) != std::string_view::npos)
            findings.push_back({source.path, line_at(source, at),
                                "'" + std::string(name) + "': a type is named after what it is, " +
                                    "without '" + std::string(word) + "'"});
      }
    }
  }
  return findings;
}

}  // namespace tubing::tidy
