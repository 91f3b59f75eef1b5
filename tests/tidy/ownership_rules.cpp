#include <string>

#include "tests/tidy/declarations.h"
#include "tests/tidy/rules.h"

namespace tubing::tidy {

namespace {

bool is_constant(std::string_view head) {
  return has_word(head, "const") || has_word(head, "constexpr");
}

// `Shared:` on the line, or in the comment right above; in a test, anywhere above in the same case.
bool says_shared(const std::vector<std::string_view>& comments,
                 const std::vector<std::string_view>& code, std::size_t index, bool is_test) {
  if (comments[index].find("Shared:") != std::string_view::npos) return true;
  const auto goes_on = [&](std::size_t above) {
    if (is_test) return !code[above].starts_with('}');
    return trim(code[above]).empty() && !trim(comments[above]).empty();
  };
  while (index > 0 && goes_on(index - 1)) {
    --index;
    if (comments[index].find("Shared:") != std::string_view::npos) return true;
  }
  return false;
}

constexpr auto kNoGlobals = "a mutable global: make it const, or hand it in through a constructor";

// A function's own static variables are globals too.
void check_statics(const Source& source, const Declaration& function, Findings& findings) {
  const auto begin = static_cast<std::size_t>(function.body.data() - source.code.data());
  for (std::size_t at = find_word(function.body, "static"); at != std::string_view::npos;
       at = find_word(function.body, "static", at + 1)) {
    const std::string_view rest = function.body.substr(at);
    if (!is_constant(rest.substr(0, rest.find_first_of("=({;"))))
      findings.push_back({source.path, line_at(source, begin + at), kNoGlobals});
  }
}

}  // namespace

Findings check_shared_ownership(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    const auto code = lines_of(source.code);
    const auto comments = lines_of(source.comments);
    const bool is_test = is_under(source.path, "tests");
    for (std::size_t i = 0; i < code.size(); ++i)
      if (code[i].find("shared_ptr<") != std::string_view::npos &&
          !says_shared(comments, code, i, is_test))
        findings.push_back({source.path, i + 1,
                            "a shared_ptr: let one value or unique_ptr own, or say in a line "
                            "'// Shared: …' above who owns it and why it cannot cycle"});
  }
  return findings;
}

Findings check_mutable_globals(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    for (const Declaration& declaration : find_declarations(source)) {
      const bool is_static =
          declaration.scope == Scope::name_space || has_word(declaration.head, "static");
      if (declaration.kind == Kind::function)
        check_statics(source, declaration, findings);
      else if (declaration.kind == Kind::variable && is_static && !is_constant(declaration.head) &&
               !has_word(declaration.head, "thread_local"))
        findings.push_back({source.path, line_at(source, declaration.first), kNoGlobals});
    }
  }
  return findings;
}

Findings check_thread_local(const Tree& tree) {
  Findings findings;
  for (const Source& source : tree.sources) {
    if (source.path.find("frame_pool") != std::string::npos) continue;
    for (std::size_t at = find_word(source.code, "thread_local"); at != std::string::npos;
         at = find_word(source.code, "thread_local", at + 1))
      findings.push_back({source.path, line_at(source, at),
                          "thread_local is for frame pools alone: hand the state in"});
  }
  return findings;
}

}  // namespace tubing::tidy
