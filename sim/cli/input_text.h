// InputText: what a user's file holds, of a size that is bounded while it is read.
#pragma once

#include <istream>
#include <string>

#include "tubing/channel/base/result.h"

namespace tubing::cli {

/// Of a schedule, or a workload: the longest that there may be, and room for comments.
inline constexpr std::size_t kRunTextBytesMax = std::size_t{64} << 20;

/// What a file holds, which may have no end: no more than a mebibyte beyond `bytes_max` is read.
/// Errors: invalid_argument, with advice: it cannot be read, or is longer.
Result<std::string> read_input_file(const std::string& path, std::size_t bytes_max);
/// The same of a stream that is open; `name` is what it is called in an error.
Result<std::string> read_input(std::istream& in, const std::string& name, std::size_t bytes_max);

}  // namespace tubing::cli
