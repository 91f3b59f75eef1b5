#include "tubing/channel/base/result.h"

#include <string>

namespace tubing {

Result<> both_ok(const Result<>& one, const Result<>& other) {
  if (one || other) return one ? other : one;
  const Error& first = one.error();
  if (first.detail() == other.error().detail()) return first;
  const std::string texts =
      std::string(first.detail()) + "; and " + std::string(other.error().detail());
  return Error(first.status(), first.operation(), texts);
}

}  // namespace tubing
