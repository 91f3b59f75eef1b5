#include "tubing/sim/cli/input_text.h"

#include <fmt/format.h>

#include <fstream>

namespace tubing::cli {
namespace {

Error refused(const std::string& name, std::string_view why) {
  return Error(Code::invalid_argument, "read", fmt::format("{} {}", name, why));
}

}  // namespace

Result<std::string> read_input_file(const std::string& path, std::size_t bytes_max) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return refused(path, "cannot be read; is there such a file?");
  return read_input(file, path, bytes_max);
}

Result<std::string> read_input(std::istream& in, const std::string& name, std::size_t bytes_max) {
  constexpr std::size_t kChunk = std::size_t{1} << 20;
  std::string content;
  while (in && content.size() <= bytes_max) {
    const std::size_t size = content.size();
    content.resize(size + kChunk);
    in.read(content.data() + size, kChunk);
    content.resize(size + static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad() || (content.empty() && !in.eof()))
    return refused(name, "cannot be read; is it a file?");
  if (content.size() > bytes_max)
    return refused(
        name, fmt::format("has more than {} MiB; is it the file that was meant?", bytes_max >> 20));
  return content;
}

}  // namespace tubing::cli
