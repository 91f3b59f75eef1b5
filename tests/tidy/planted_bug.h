// A planted bug as the head of its patch tells of it.
#pragma once

#include <string_view>

#include "tests/tidy/source.h"

namespace tubing::tidy {

// What the first two lines say; empty where they say nothing of the kind. Borrows from the patch.
struct PlantedBug {
  std::string_view name;    ///< The file's, without folder and ending.
  std::string_view test;    ///< The case that catches it, or
  std::string_view target;  ///< the fuzz target that does.
  std::string_view module;
};

PlantedBug planted_bug(const Source& patch);

}  // namespace tubing::tidy
