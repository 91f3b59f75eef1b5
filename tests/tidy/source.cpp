#include "tests/tidy/source.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <utility>

namespace tubing::tidy {

namespace {

// Splits a text into code and comments, one character at a time.
class Splitter {
 public:
  explicit Splitter(Source& source) : source_(source), text_(source.text) {
    source_.code = text_;
    source_.comments.assign(text_.size(), ' ');
    for (std::size_t i = 0; i < text_.size(); ++i)
      if (text_[i] == '\n') source_.comments[i] = '\n';
  }

  void split() {
    while (at_ < text_.size()) {
      if (starts("//")) {
        take_comment(std::min(text_.find('\n', at_), text_.size()));
      } else if (starts("/*")) {
        const std::size_t end = text_.find("*/", at_ + 2);
        take_comment(end == std::string::npos ? text_.size() : end + 2);
      } else if (starts("R\"")) {
        take_raw_literal();
      } else if (text_[at_] == '"' || (text_[at_] == '\'' && !is_digit_separator())) {
        take_literal(text_[at_]);
      } else {
        ++at_;
      }
    }
  }

 private:
  bool starts(std::string_view what) const { return text_.compare(at_, what.size(), what) == 0; }

  // 1'000'000: the word around the quote begins with a digit.
  bool is_digit_separator() const {
    std::size_t begin = at_;
    while (begin > 0 && (is_word_char(text_[begin - 1]) || text_[begin - 1] == '\'')) --begin;
    return begin < at_ && std::isdigit(static_cast<unsigned char>(text_[begin])) != 0;
  }

  void blank(std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i)
      if (text_[i] != '\n') source_.code[i] = ' ';
  }

  void take_comment(std::size_t end) {
    std::copy(text_.begin() + at_, text_.begin() + end, source_.comments.begin() + at_);
    blank(at_, end);
    at_ = end;
  }

  void take_literal(char quote) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n')
      end += text_[end] == '\\' ? 2 : 1;
    end = std::min(end, text_.size());
    blank(at_ + 1, end);
    at_ = end + 1;
  }

  void take_raw_literal() {
    const std::size_t open = std::min(text_.find('(', at_), text_.size());
    const std::string close = ")" + text_.substr(at_ + 2, open - at_ - 2) + "\"";
    const std::size_t end = std::min(text_.find(close, open), text_.size());
    blank(at_ + 2, std::min(end + close.size() - 1, text_.size()));
    at_ = end + close.size();
  }

  Source& source_;
  const std::string& text_;
  std::size_t at_ = 0;
};

bool is_skipped_folder(const std::string& name) {
  return name == "build" || name.starts_with("build-") || name == ".git" || name == ".cache";
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

}  // namespace

Source parse_source(std::string path, std::string text) {
  Source source{std::move(path), std::move(text), {}, {}};
  Splitter(source).split();
  return source;
}

Tree read_tree(const std::filesystem::path& root) {
  Tree tree;
  auto entry = std::filesystem::recursive_directory_iterator(root);
  for (; entry != std::filesystem::recursive_directory_iterator(); ++entry) {
    if (entry->is_directory()) {
      if (is_skipped_folder(entry->path().filename())) entry.disable_recursion_pending();
      continue;
    }
    tree.paths.push_back(entry->path().lexically_relative(root).generic_string());
  }
  std::ranges::sort(tree.paths);
  for (const std::string& path : tree.paths) {
    if (path.ends_with(".h") || path.ends_with(".cpp"))
      tree.sources.push_back(parse_source(path, read_file(root / path)));
    else if (path.ends_with(".py"))
      tree.scripts.push_back({path, read_file(root / path), {}, {}});
    else if (path.ends_with(".patch"))
      tree.patches.push_back({path, read_file(root / path), {}, {}});
    else if (path.ends_with(".md"))
      tree.pages.push_back({path, read_file(root / path), {}, {}});
  }
  return tree;
}

std::size_t line_at(const Source& source, std::size_t offset) {
  const auto end = source.text.begin() + std::min(offset, source.text.size());
  return 1 + static_cast<std::size_t>(std::count(source.text.begin(), end, '\n'));
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

bool is_word_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::size_t find_word(std::string_view text, std::string_view word, std::size_t from) {
  for (std::size_t at = text.find(word, from); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !is_word_char(text[at - 1])) &&
        (end == text.size() || !is_word_char(text[end])))
      return at;
  }
  return std::string_view::npos;
}

bool has_word(std::string_view text, std::string_view word) {
  return find_word(text, word) != std::string_view::npos;
}

std::string_view word_before(std::string_view code, std::size_t end) {
  while (end > 0 && std::isspace(static_cast<unsigned char>(code[end - 1])) != 0) --end;
  std::size_t begin = end;
  while (begin > 0 && is_word_char(code[begin - 1])) --begin;
  return code.substr(begin, end - begin);
}

std::size_t matching_bracket(std::string_view code, std::size_t open) {
  std::size_t depth = 0;
  for (std::size_t at = open; at < code.size(); ++at) {
    const char c = code[at];
    if (c == '(' || c == '[' || c == '{') ++depth;
    if ((c == ')' || c == ']' || c == '}') && --depth == 0) return at;
  }
  return code.size();
}

bool is_header(const Source& source) { return source.path.ends_with(".h"); }

bool is_under(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/';
}

}  // namespace tubing::tidy
