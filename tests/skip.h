#pragma once
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace tubing::tests {

// Ends the process with 77, which ctest reports as Skipped: ctest runs one case per process.
// Requires: what the case needs of the machine (a file, a privilege) is missing, and `reason` says
// what that is and how to get it. A defect is never a reason.
[[noreturn]] inline void skip(std::string_view reason) {
  std::printf("Skipped: %.*s\n", static_cast<int>(reason.size()), reason.data());
  std::fflush(stdout);
  std::_Exit(77);
}

}  // namespace tubing::tests
