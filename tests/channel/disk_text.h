// Text as the bytes of a file, and back.
#pragma once

#include <string>
#include <string_view>

#include "tubing/channel/base/bytes.h"

namespace tubing::test {

inline Bytes bytes_of(std::string_view text) {
  const ByteView view = as_bytes(text);
  return {view.begin(), view.end()};
}
inline std::string text_of(const Bytes& bytes) { return std::string(as_text(bytes)); }

}  // namespace tubing::test
