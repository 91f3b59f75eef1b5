// A stranger's first program: it must compile and link against nothing but tubing::tubing.
#include <cstdio>

#include "tubing/channel/base/error.h"
#include "tubing/channel/base/result.h"

namespace {

tubing::Result<int> half(int number) {
  if (number % 2 != 0)
    return tubing::Error(tubing::Code::invalid_argument, "half", "the number is odd");
  return number / 2;
}

}  // namespace

int main() {
  const auto refused = half(3);
  if (half(42).code() != tubing::Code::ok || refused.code() != tubing::Code::invalid_argument)
    return 1;
  std::puts(refused.error().text().c_str());
  return 0;
}
