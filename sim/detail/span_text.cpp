#include "tubing/sim/detail/span_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace tubing::sim::detail {
namespace {

/// `whole` and a fraction of so many digits, without zeros at its end.
std::string decimal(std::int64_t whole, std::int64_t fraction, int digits) {
  std::string text = fmt::format("{}.{:0{}}", whole, fraction, digits);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

bool is_plain(char c) { return c >= ' ' && c <= '~'; }

std::string hex(char c) { return fmt::format("\\x{:02x}", static_cast<unsigned char>(c)); }

/// Of the letter that `text` begins with, where it is UTF-8 beyond ASCII and no control; else 0.
std::size_t letter_bytes(std::string_view text) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const unsigned char lead = byte(0);
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if (byte(i) < 0x80 || byte(i) > 0xbf) return 0;
  const bool overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
  const bool no_letter = (lead == 0xed && byte(1) > 0x9f) || (lead == 0xf4 && byte(1) > 0x8f);
  const bool control = lead == 0xc2 && byte(1) < 0xa0;
  return overlong || no_letter || control ? 0 : size;
}

}  // namespace

std::string span_text(Duration span) {
  for (const SpanUnit& unit : kSpanUnits)
    if (span.count() % unit.ns == 0) return fmt::format("{}{}", span.count() / unit.ns, unit.name);
  return {};
}

Result<std::int64_t> read_amount(std::string_view text, std::string_view unit) {
  std::int64_t value = 0;
  const char* const last = text.data() + text.size() - (text.ends_with(unit) ? unit.size() : 0);
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (!text.ends_with(unit) || end != last || error == std::errc::invalid_argument)
    return Error(Code::invalid_argument, "read",
                 fmt::format("{} should be a number with its unit, as 1000{}", shown(text), unit));
  if (error != std::errc())
    return Error(Code::out_of_range, "read",
                 fmt::format("{} is more than can be counted; take less", shown(text)));
  return value;
}

Result<Duration> read_span(std::string_view text) {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max() / 4;
  for (const std::string_view name : {"ns", "us", "ms", "s"}) {
    if (!text.ends_with(name)) continue;
    const auto unit = std::ranges::find(kSpanUnits, name, &SpanUnit::name);
    const Result<std::int64_t> value = read_amount(text, name);
    if (value && *value <= kMax / unit->ns && *value >= -kMax / unit->ns)
      return Duration(*value * unit->ns);
    if (value.code() == Code::invalid_argument) break;
    return Error(Code::out_of_range, "read",
                 fmt::format("{} is more than time can count; take less", shown(text)));
  }
  return Error(Code::invalid_argument, "read",
               fmt::format("{} should be a time, as 1500ms: a whole number of s, ms, us or ns",
                           shown(text)));
}

std::string seconds_told(Duration span) {
  const std::int64_t us = span.count() / 1'000;
  return decimal(us / 1'000'000, us % 1'000'000, 6) + " s";
}

std::string span_told(Duration span) {
  const std::int64_t us = span.count() / 1'000;
  if (us < 1'000) return fmt::format("{} us", us);
  if (us < 1'000'000) return decimal(us / 1'000, us % 1'000 / 100, 1) + " ms";
  return decimal(us / 1'000'000, us % 1'000'000 / 1'000, 3) + " s";
}

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const std::size_t begin = line.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos || line[begin] == '#') break;
    const std::size_t end = std::min(line.find_first_of(kBlanks, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
  return words;
}

std::string shown(std::string_view word) {
  constexpr std::size_t kBytesMax = 60;
  std::string text = "'";
  for (const char c : word.substr(0, kBytesMax)) text += is_plain(c) ? std::string(1, c) : hex(c);
  return text + (word.size() > kBytesMax ? "…'" : "'");
}

std::string printable(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  while (!text.empty()) {
    const bool plain = is_plain(text.front()) || text.front() == '\n';
    const std::size_t letter = plain ? 1 : letter_bytes(text);
    if (letter == 0)
      shown += hex(text.front());
    else
      shown += text.substr(0, letter);
    text.remove_prefix(letter == 0 ? 1 : letter);
  }
  return shown;
}

}  // namespace tubing::sim::detail
