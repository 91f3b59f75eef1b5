// A source file as the rules of the house style see it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tubing::tidy {

// One file, three views of equal length: an offset means the same place in each.
struct Source {
  std::string path;      ///< Relative to the root, with slashes.
  std::string text;      ///< As it stands in the file.
  std::string code;      ///< Comments and the contents of literals are blanks.
  std::string comments;  ///< All but the comments is blank.
};

// What a rule has to complain about: where, what is wrong, and how to mend it.
struct Finding {
  std::string path;
  std::size_t line = 0;  ///< From 1; 0 where the whole file is meant.
  std::string text;
};

using Findings = std::vector<Finding>;

// The sources of the project, its Python scripts, its planted bugs, its pages, and the path of
// every file.
struct Tree {
  std::vector<Source> sources;
  std::vector<Source> scripts;  ///< Path and text alone.
  std::vector<Source> patches;  ///< Path and text alone.
  std::vector<Source> pages;    ///< Likewise; texts in Markdown.
  std::vector<std::string> paths;
};

Source parse_source(std::string path, std::string text);

// Reads what lies under `root`, but for build folders and what git keeps for itself.
Tree read_tree(const std::filesystem::path& root);

std::size_t line_at(const Source& source, std::size_t offset);
std::vector<std::string_view> lines_of(std::string_view text);

bool is_word_char(char c);
std::string_view trim(std::string_view text);

// Returns: the offset of the next whole word, or npos.
std::size_t find_word(std::string_view text, std::string_view word, std::size_t from = 0);
bool has_word(std::string_view text, std::string_view word);

// Returns: the word that ends just before `end`, blanks apart; empty where there is none.
std::string_view word_before(std::string_view code, std::size_t end);

// Returns: the offset of the bracket that closes the one at `open`, or the end of the text.
std::size_t matching_bracket(std::string_view code, std::size_t open);

bool is_header(const Source& source);
bool is_under(std::string_view path, std::string_view folder);

}  // namespace tubing::tidy
