#include "tubing/channel/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace tubing::detail {

void assertion_failed(const char* condition, const char* file, int line,
                      const std::string& operands) {
  std::fprintf(stderr, "%s:%d: assertion failed: %s%s%s\n", file, line, condition,
               operands.empty() ? "" : "; with", operands.c_str());
  std::abort();
}

}  // namespace tubing::detail
