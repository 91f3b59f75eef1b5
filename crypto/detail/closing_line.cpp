#include "tubing/crypto/detail/closing_line.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>

#include "tubing/channel/base/bytes.h"
#include "tubing/crypto/detail/line_reader.h"

namespace tubing::crypto::detail {
namespace {

constexpr std::string_view kWord = "end";
/// What the checksum is made over, before the text.
constexpr std::string_view kChecksumDomain = "tubing list checksum";
constexpr std::size_t kHashBytes = 16;
constexpr std::size_t kChecksumBytes = 8;

std::string checksum(std::string_view text) {
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, kHashBytes);
  for (const std::string_view part : {kChecksumDomain, text})
    crypto_generichash_update(&state, as_uchars(as_bytes(part)), part.size());
  std::array<std::byte, kHashBytes> sum;
  crypto_generichash_final(&state, as_uchars(MutableBytes(sum)), sum.size());
  return to_hex(ByteView(sum).first(kChecksumBytes));
}

std::size_t count_lines(std::string_view text) {
  std::size_t count = 0;
  for (LineReader reader(text); reader.next();) ++count;
  return count;
}

std::string closing_line(std::string_view text) {
  return fmt::format("{} {} {}\n", kWord, count_lines(text), checksum(text));
}

bool is_closing_line(std::string_view line) {
  LineReader reader(line);
  return reader.next() && reader.words()[0] == kWord;
}

/// Takes the first line off `text`, with its end where it has one.
std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
  text.remove_prefix(line.size());
  return line;
}

Error not_whole(std::string_view what) { return Error(Code::data_loss, "read file", what); }

}  // namespace

std::string with_closing_line(std::string text) {
  text = with_lines(std::move(text), "");
  const std::string line = closing_line(text);
  return text + line;
}

Result<std::string_view> before_closing_line(std::string_view text) {
  std::string_view rest = text;
  std::string_view last;
  while (!rest.empty()) last = take_line(rest);
  if (!is_closing_line(last) || !last.ends_with('\n'))
    return not_whole("it does not end with a closing line: something is missing from its end");
  const std::string_view before = text.substr(0, text.size() - last.size());
  const std::string fitting = closing_line(before);
  if (last != fitting)
    return not_whole(
        fmt::format("its closing line is `{}`, where `{}` would fit what stands before",
                    printable(last.substr(0, last.find('\n'))),
                    std::string_view(fitting).substr(0, fitting.size() - 1)));
  return before;
}

std::string without_closing_lines(std::string_view text) {
  std::string out;
  while (!text.empty())
    if (const std::string_view line = take_line(text); !is_closing_line(line)) out += line;
  return out;
}

}  // namespace tubing::crypto::detail
