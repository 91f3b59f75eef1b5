#include <algorithm>
#include <array>
#include <string>

#include "tests/tidy/rules.h"

namespace tubing::tidy {

namespace {

constexpr std::array<std::string_view, 6> kUnfinished{"TODO", "FIXME",       "XXX",
                                                      "HACK", "placeholder", "not implemented"};

constexpr std::array<std::string_view, 8> kContractWords{"Requires", "Returns", "Errors", "Owns",
                                                         "Threads",  "Cancel",  "Units",  "Source"};

constexpr std::size_t kExampleIndent = 3;

// A comment's text without its slashes; `indent` is the count of blanks before it.
std::string_view comment_text(std::string_view line, std::size_t& indent) {
  line = trim(line);
  line.remove_prefix(std::min(line.find_first_not_of("/*!<"), line.size()));
  indent = std::min(line.find_first_not_of(' '), line.size());
  return trim(line);
}

// An example of use is indented; what stood there as code and was switched off is not.
bool looks_like_code(std::string_view line) {
  std::size_t indent = 0;
  const std::string_view text = comment_text(line, indent);
  if (text.empty() || indent >= kExampleIndent) return false;
  if (text.starts_with("#include ") || text.starts_with("#if") || text == "}" || text == "};")
    return true;
  if (text.ends_with('{')) return text.find_first_of("()=") != std::string_view::npos;
  if (!text.ends_with(';')) return false;
  return text.starts_with("return") || text.starts_with("co_") || text.ends_with(");") ||
         text.find(" = ") != std::string_view::npos;
}

// The rank of the contract word that begins a comment line, or the count of them.
std::size_t contract_rank(std::string_view text) {
  for (std::size_t rank = 0; rank < kContractWords.size(); ++rank) {
    const std::string_view word = kContractWords[rank];
    if (text.starts_with(word) && text.substr(word.size()).starts_with(':')) return rank;
  }
  return kContractWords.size();
}

}  // namespace

Findings check_commented_out_code(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    std::size_t number = 0;
    for (std::string_view line : lines_of(source.comments)) {
      ++number;
      if (looks_like_code(line))
        findings.push_back({source.path, number,
                            "commented-out code: delete it (git keeps it), or indent it by three "
                            "blanks where it is an example of use"});
    }
  }
  return findings;
}

Findings check_unfinished_words(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    for (std::string_view word : kUnfinished) {
      for (std::size_t at = find_word(source.comments, word); at != std::string::npos;
           at = find_word(source.comments, word, at + 1))
        findings.push_back({source.path, line_at(source, at),
                            "'" + std::string(word) + "': finish it, or leave it out"});
    }
  }
  return findings;
}

Findings check_contract_order(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    const auto code = lines_of(source.code);
    const auto comments = lines_of(source.comments);
    std::size_t highest = 0;
    for (std::size_t i = 0; i < comments.size(); ++i) {
      std::size_t indent = 0;
      const std::string_view text = comment_text(comments[i], indent);
      if (trim(comments[i]).empty() || !trim(code[i]).empty()) highest = 0;
      const std::size_t rank = contract_rank(text);
      if (rank == kContractWords.size()) continue;
      if (rank < highest)
        findings.push_back({source.path, i + 1,
                            "'" + std::string(kContractWords[rank]) + "' stands before '" +
                                std::string(kContractWords[highest]) +
                                "': Requires, Returns, Errors, Owns, Threads, Cancel, Units, "
                                "Source is the order"});
      highest = std::max(highest, rank);
    }
  }
  return findings;
}

}  // namespace tubing::tidy
