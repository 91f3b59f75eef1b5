#include "tubing/crypto/detail/line_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace tubing::crypto::detail {
namespace {

constexpr std::string_view kBlanks = " \t\r";

}  // namespace

bool LineReader::next() {
  words_.clear();
  while (words_.empty() && !rest_.empty()) {
    const std::string_view line = rest_.substr(0, rest_.find('\n'));
    rest_.remove_prefix(std::min(rest_.size(), line.size() + 1));
    ++number_;
    std::string_view content = line.substr(0, line.find('#'));
    while (true) {
      content.remove_prefix(std::min(content.size(), content.find_first_not_of(kBlanks)));
      if (content.empty()) break;
      words_.push_back(content.substr(0, content.find_first_of(kBlanks)));
      content.remove_prefix(words_.back().size());
    }
  }
  return !words_.empty();
}

std::vector<std::string> LineReader::sorted_words(std::size_t first) const {
  std::vector<std::string> out;
  for (std::size_t i = first; i < words_.size(); ++i) out.emplace_back(words_[i]);
  std::ranges::sort(out);
  const auto repeated = std::ranges::unique(out);
  out.erase(repeated.begin(), repeated.end());
  return out;
}

Error LineReader::error(std::string_view what) const {
  return Error(Code::invalid_argument, "read file", fmt::format("line {}: {}", number_, what));
}

Result<std::string> read_text_file(const std::string& path, Readers readers,
                                   std::size_t file_bytes_max) {
  std::string text(file_bytes_max, '\0');
  const auto size = read_small_file(path, readers, std::as_writable_bytes(std::span(text)));
  if (size.code() == Code::out_of_range)
    return Error(
        Code::invalid_argument, "read file",
        fmt::format("{}: is longer than {} bytes, the most that are read", path, file_bytes_max));
  if (!size) return size.error();
  text.resize(*size);
  return text;
}

Error in_file(const std::string& path, const Error& error) {
  return Error(error.code(), "read file", fmt::format("{}: {}", path, error.detail()));
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

std::string with_lines(std::string text, std::string_view lines) {
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  text += lines;
  return text;
}

}  // namespace tubing::crypto::detail
