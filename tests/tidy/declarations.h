// The declarations of a file, found by its brackets: enough for rules about their shape.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tidy/source.h"

namespace tubing::tidy {

enum class Scope { name_space, type };

enum class Kind {
  function,
  variable,
  other,  ///< A type, an alias, a forward declaration.
};

// One declaration or definition at the scope of a namespace or a type.
struct Declaration {
  Kind kind = Kind::other;
  Scope scope = Scope::name_space;
  std::string_view head;  ///< Its code up to the body or the semicolon.
  std::string_view body;  ///< What a function has between its braces; empty in a declaration.
  std::size_t first = 0;  ///< The offset where it begins.
  std::size_t last = 0;   ///< The offset of its closing brace or semicolon.
};

// Owns: nothing; the views point into `source`.
std::vector<Declaration> find_declarations(const Source& source);

// How many parameters the function of this head takes.
std::size_t parameter_count(std::string_view head);

}  // namespace tubing::tidy
