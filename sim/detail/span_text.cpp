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
  for (const char c : word.substr(0, kBytesMax)) {
    const bool plain = c >= ' ' && c <= '~';
    text += plain ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return text + (word.size() > kBytesMax ? "…'" : "'");
}

}  // namespace tubing::sim::detail
