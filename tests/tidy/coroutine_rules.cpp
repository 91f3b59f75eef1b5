#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

#include "tests/tidy/rules.h"

namespace tubing::tidy {

namespace {

constexpr auto kNone = std::string_view::npos;

// One lambda: where its captures, its body and its end lie.
struct Lambda {
  std::size_t open = 0;
  std::size_t body = 0;
  std::size_t end = 0;
  bool captures = false;
};

char last_before(std::string_view code, std::size_t at) {
  while (at > 0 && std::isspace(static_cast<unsigned char>(code[at - 1])) != 0) --at;
  return at == 0 ? '\0' : code[at - 1];
}

// Behind a name or a closing bracket stands a subscript; two brackets are an attribute.
bool opens_lambda(std::string_view code, std::size_t at) {
  const char before = last_before(code, at);
  const bool is_value = is_word_char(before) || before == ')' || before == ']';
  const std::string_view word = word_before(code, at);
  return (!is_value || word == "return" || word == "co_return" || word == "co_await") &&
         before != '[' && code.substr(at + 1, 1) != "[";
}

// The brace of the body; between it and the captures lie parameters and a return type.
std::size_t body_of(std::string_view code, std::size_t at) {
  for (; at < code.size(); ++at) {
    if (code[at] == '(')
      at = matching_bracket(code, at);
    else if (code[at] == '{')
      return at;
    else if (code[at] == ';' || code[at] == ')' || code[at] == ']' || code[at] == '}' ||
             code[at] == '=')
      return kNone;
  }
  return kNone;
}

std::vector<Lambda> find_lambdas(std::string_view code) {
  std::vector<Lambda> lambdas;
  for (std::size_t at = code.find('['); at != kNone; at = code.find('[', at + 1)) {
    if (!opens_lambda(code, at)) continue;
    const std::size_t close = matching_bracket(code, at);
    const std::size_t body = body_of(code, std::min(close + 1, code.size()));
    if (body == kNone) continue;
    const bool captures = !trim(code.substr(at + 1, close - at - 1)).empty();
    lambdas.push_back({at, body, matching_bracket(code, body), captures});
  }
  return lambdas;
}

bool is_coroutine(std::string_view code, const std::vector<Lambda>& all, const Lambda& lambda) {
  std::string body(code.substr(lambda.body, lambda.end - lambda.body));
  for (const Lambda& inner : all)
    if (inner.open > lambda.body && inner.end < lambda.end)
      std::fill_n(body.begin() + static_cast<std::ptrdiff_t>(inner.open - lambda.body),
                  inner.end - inner.open, ' ');
  return has_word(body, "co_await") || has_word(body, "co_return") || has_word(body, "co_yield");
}

// The name of the call that the lambda is an argument of, in small letters; empty for none.
std::string call_around(std::string_view code, std::size_t at) {
  std::size_t depth = 0;
  while (at-- > 0) {
    const char c = code[at];
    if (c == ')' || c == ']' || c == '}') ++depth;
    if (c == '(' && depth == 0) {
      std::string name(word_before(code, at));
      std::ranges::transform(name, name.begin(), [](unsigned char l) { return std::tolower(l); });
      return name;
    }
    if (c == '(' || c == '[' || c == '{') {
      if (depth == 0) return {};
      --depth;
    }
    if (c == ';' && depth == 0) return {};
  }
  return {};
}

// nursery, spawn and serve store the closure; a call of run_… does not return before its end.
bool keeps_closures(const std::string& call) {
  if (call == "run" || call.starts_with("run_")) return true;
  constexpr std::array<std::string_view, 3> kKeepers{"nursery", "spawn", "serve"};
  return std::ranges::any_of(
      kKeepers, [&](std::string_view keeper) { return call.find(keeper) != std::string::npos; });
}

// The lambda has a name, and in its block the name is only handed to calls that keep closures.
bool is_only_handed_on(std::string_view code, const Lambda& lambda) {
  if (last_before(code, lambda.open) != '=') return false;
  const std::string_view name = word_before(code, code.rfind('=', lambda.open));
  if (name.empty()) return false;
  std::size_t end = lambda.end + 1;
  for (; end < code.size() && code[end] != '}'; ++end)
    if (code[end] == '{') end = matching_bracket(code, end);
  bool is_handed_on = false;
  for (std::size_t at = find_word(code, name, lambda.end); at < end;
       at = find_word(code, name, at + 1)) {
    if (!keeps_closures(call_around(code, at))) return false;
    is_handed_on = true;
  }
  return is_handed_on;
}

// CHECK, REQUIRE_FALSE, INFO …
bool is_test_macro(std::string_view word) {
  constexpr std::array<std::string_view, 9> kMacros{
      "CHECK", "REQUIRE", "WARN", "INFO", "CAPTURE", "MESSAGE", "FAIL", "FAST_", "DOCTEST_"};
  const bool is_upper =
      std::ranges::none_of(word, [](unsigned char c) { return std::islower(c) != 0; });
  return is_upper && std::ranges::any_of(
                         kMacros, [&](std::string_view macro) { return word.starts_with(macro); });
}

}  // namespace

Findings check_coroutine_captures(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    const std::vector<Lambda> lambdas = find_lambdas(source.code);
    for (const Lambda& lambda : lambdas) {
      if (!lambda.captures || !is_coroutine(source.code, lambdas, lambda)) continue;
      if (keeps_closures(call_around(source.code, lambda.open))) continue;
      if (is_only_handed_on(source.code, lambda)) continue;
      findings.push_back({source.path, line_at(source, lambda.open),
                          "a coroutine's captures die with the closure: hand them in as "
                          "parameters; only closures given to nursery, spawn and serve are kept"});
    }
  }
  return findings;
}

Findings check_await_in_macros(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    const std::string_view code = source.code;
    for (std::size_t at = code.find('('); at != kNone; at = code.find('(', at + 1)) {
      if (!is_test_macro(word_before(code, at))) continue;
      const std::string_view inside = code.substr(at, matching_bracket(code, at) - at);
      if (has_word(inside, "co_await"))
        findings.push_back({source.path, line_at(source, at),
                            "co_await inside a test macro: await into a variable first"});
    }
  }
  return findings;
}

}  // namespace tubing::tidy
