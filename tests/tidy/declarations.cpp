#include "tests/tidy/declarations.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace tubing::tidy {

namespace {

constexpr auto kNone = std::string_view::npos;

bool is_blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// Returns: the offset behind the angle bracket that closes the one at `open`.
std::size_t behind_angle(std::string_view code, std::size_t open) {
  std::size_t depth = 0;
  for (std::size_t at = open; at < code.size(); ++at) {
    if (code[at] == '(') at = matching_bracket(code, at);
    if (at >= code.size()) break;
    if (code[at] == '<') ++depth;
    if (code[at] == '>' && code[at - 1] != '-' && --depth == 0) return at + 1;
  }
  return code.size();
}

// Cuts `template <…>`, `requires(…)`, `alignas(…)` and attributes from the front of a head.
std::string_view without_prefixes(std::string_view head) {
  for (;;) {
    head = trim(head);
    std::size_t cut = 0;
    if (head.starts_with("template")) {
      const std::size_t open = head.find_first_not_of(" \n", 8);
      if (open == kNone || head[open] != '<') return head;
      cut = behind_angle(head, open);
    } else if (head.starts_with("[[")) {
      cut = matching_bracket(head, 0) + 1;
    } else if (head.starts_with("requires(") || head.starts_with("alignas(")) {
      cut = matching_bracket(head, head.find('(')) + 1;
    }
    if (cut == 0) return head;
    head.remove_prefix(std::min(cut, head.size()));
  }
}

bool names_a_type(std::string_view head) {
  const std::string_view before = head.substr(0, head.find('('));
  return has_word(before, "class") || has_word(before, "struct") || has_word(before, "union");
}

// A constructor's list of initialisers begins with a colon behind the parameters.
bool has_initialisers(std::string_view head) {
  for (std::size_t at = 0; at < head.size(); ++at) {
    if (head[at] == '(') {
      at = matching_bracket(head, at);
      std::size_t next = head.find(':', at);
      while (next != kNone && next + 1 < head.size() && head[next + 1] == ':')
        next = head.find(':', next + 2);
      return next != kNone;
    }
  }
  return false;
}

// The first bracket of the parameters; it is not one of a template argument or of decltype.
std::size_t parameters_at(std::string_view head) {
  constexpr std::array<std::string_view, 5> kNoNames{"decltype", "noexcept", "requires", "alignas",
                                                     "explicit"};
  for (std::size_t at = 0; at < head.size(); ++at) {
    const std::string_view word = word_before(head, at);
    if (head[at] == '<' && at > 0 && is_word_char(head[at - 1]) && word != "operator") {
      at = behind_angle(head, at) - 1;
    } else if (head[at] == '(') {
      const bool is_call_operator =
          word == "operator" && trim(head.substr(at + 1)).starts_with(')');
      if (!is_call_operator && std::ranges::find(kNoNames, word) == kNoNames.end()) return at;
      at = matching_bracket(head, at);
    } else if (head[at] == '{' || (head[at] == '=' && word != "operator")) {
      return kNone;
    }
  }
  return kNone;
}

// Walks over one namespace or type, and over those inside.
class Walker {
 public:
  explicit Walker(const Source& source) : code_(source.code) {}

  std::vector<Declaration> walk() {
    walk(Scope::name_space, 0, code_.size());
    return std::move(found_);
  }

 private:
  void walk(Scope scope, std::size_t from, std::size_t end) {
    std::size_t start = from;
    for (std::size_t at = from; at < end; ++at) {
      const char c = code_[at];
      if (c == '#' && trim(code_.substr(start, at - start)).empty()) {
        at = end_of_directive(at);
        start = at + 1;
      } else if (c == '(' || c == '[') {
        at = matching_bracket(code_, at);
      } else if (c == ';') {
        add_statement(scope, start, at);
        start = at + 1;
      } else if (c == ':' && is_access(trim(code_.substr(start, at - start)))) {
        start = at + 1;
      } else if (c == '{') {
        const std::size_t close = std::min(matching_bracket(code_, at), end);
        if (take_block(scope, start, at, close)) start = close + 1;
        at = close;
      }
    }
  }

  // Returns: whether the block ends its declaration; the braces of an initialiser do not.
  bool take_block(Scope scope, std::size_t start, std::size_t open, std::size_t close) {
    const std::string_view head = without_prefixes(code_.substr(start, open - start));
    const std::string_view before = head.substr(0, head.find('('));
    if (has_word(before, "namespace") || (has_word(before, "extern") && head.ends_with('"'))) {
      walk(Scope::name_space, open + 1, close);
    } else if (has_word(before, "enum")) {
      return true;
    } else if (names_a_type(head)) {
      walk(Scope::type, open + 1, close);
    } else if (is_initialiser(head)) {
      return false;
    } else {
      add(Kind::function, scope, start, open, close);
    }
    return true;
  }

  static bool is_initialiser(std::string_view head) {
    if (head.empty() || head.find('(') == kNone || head.ends_with('=')) return true;
    const bool names_a_member = is_word_char(head.back()) || head.ends_with('>');
    return names_a_member && has_initialisers(head);
  }

  void add_statement(Scope scope, std::size_t start, std::size_t end) {
    constexpr std::array<std::string_view, 9> kOthers{"using",   "typedef",   "friend",
                                                      "enum",    "template",  "static_assert",
                                                      "concept", "namespace", "goto"};
    const std::string_view head = without_prefixes(code_.substr(start, end - start));
    if (head.empty()) return;
    const std::string_view first =
        head.substr(0, head.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"));
    Kind kind = Kind::variable;
    if (std::ranges::find(kOthers, first) != kOthers.end() || is_forward(head))
      kind = Kind::other;
    else if (parameters_at(head) != kNone)
      kind = Kind::function;
    add(kind, scope, start, end, end);
  }

  // `class Channel`: no initialiser and no second name.
  static bool is_forward(std::string_view head) {
    return names_a_type(head) && head.find('=') == kNone;
  }

  void add(Kind kind, Scope scope, std::size_t start, std::size_t open, std::size_t close) {
    while (start < open && is_blank(code_[start])) ++start;
    const std::string_view body = close > open ? code_.substr(open + 1, close - open - 1) : "";
    found_.push_back({kind, scope, code_.substr(start, open - start), body, start, close});
  }

  static bool is_access(std::string_view word) {
    return word == "public" || word == "private" || word == "protected";
  }

  // A preprocessor's line, with the lines that it is continued on.
  std::size_t end_of_directive(std::size_t at) const {
    std::size_t end = code_.find('\n', at);
    while (end != kNone && code_[end - 1] == '\\') end = code_.find('\n', end + 1);
    return std::min(end, code_.size());
  }

  std::string_view code_;
  std::vector<Declaration> found_;
};

}  // namespace

std::vector<Declaration> find_declarations(const Source& source) { return Walker(source).walk(); }

std::size_t parameter_count(std::string_view head) {
  head = without_prefixes(head);
  const std::size_t open = parameters_at(head);
  if (open == kNone) return 0;
  const std::string_view list = head.substr(open + 1, matching_bracket(head, open) - open - 1);
  if (trim(list).empty()) return 0;
  std::size_t count = 1;
  for (std::size_t at = 0; at < list.size(); ++at) {
    const char c = list[at];
    if (c == '(' || c == '[' || c == '{')
      at = matching_bracket(list, at);
    else if (c == '<' && at > 0 && is_word_char(list[at - 1]))
      at = behind_angle(list, at) - 1;
    else if (c == ',')
      ++count;
  }
  return count;
}

}  // namespace tubing::tidy
