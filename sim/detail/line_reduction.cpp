#include "tubing/sim/detail/line_reduction.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tubing/sim/detail/span_text.h"

namespace tubing::sim::detail {
namespace {

using namespace std::chrono_literals;

/// Lines that differ from the one of `words` in the word at `place`.
class Variants {
 public:
  explicit Variants(std::vector<std::string_view> words) : words_(words.begin(), words.end()) {}

  void add(std::size_t place, std::string word) {
    Lines changed = words_;
    changed[place] = std::move(word);
    variants_.push_back(fmt::format("{}", fmt::join(changed, " ")));
  }
  /// Rounder spans than the word's, the roundest first; `sign` stands before each.
  void add_rounder(std::size_t place, Duration span, std::string_view sign = {}) {
    for (const Duration unit : {Duration(1s), Duration(100ms), Duration(10ms), Duration(1ms),
                                Duration(100us), Duration(10us), Duration(1us)}) {
      const Duration rounded = (span + unit / 2) / unit * unit;
      if (span % unit != Duration::zero() && rounded > Duration::zero())
        add(place, fmt::format("{}{}", sign, span_text(rounded)));
    }
  }
  Lines take() { return std::move(variants_); }

 private:
  Lines words_;
  Lines variants_;
};

void add_smaller_groups(Variants& variants, std::size_t place, std::string_view word) {
  Lines members;
  for (std::string_view left = word; !left.empty();) {
    const std::size_t end = std::min(left.find(','), left.size());
    members.emplace_back(left.substr(0, end));
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  for (const std::string& member : members) variants.add(place, member);
  if (members.size() < 3) return;
  for (std::size_t i = 0; i < members.size(); ++i)
    variants.add(place,
                 fmt::format("{}", fmt::join(without_part(members, i, members.size()), ",")));
}

/// The ways of ddmin: leaves out ever smaller parts.
Lines without_parts(Lines lines, const LinesTrial& trial) {
  std::size_t parts = 2;
  std::size_t first = 0;  // The part that is tried first: the one behind what was left out.
  while (lines.size() >= 2) {
    parts = std::min(parts, lines.size());
    std::vector<Lines> candidates;
    candidates.reserve(parts);
    for (std::size_t i = 0; i < parts; ++i)
      candidates.push_back(without_part(lines, (first + i) % parts, parts));
    if (const auto held = trial(candidates)) {
      lines = std::move(candidates[*held]);
      parts = std::max<std::size_t>(parts - 1, 2);
      first = (first + *held) % parts;
    } else if (parts == lines.size()) {
      break;
    } else {
      parts *= 2;
      first = 0;
    }
  }
  return lines;
}

std::optional<Lines> without_some_pair(const Lines& lines, const LinesTrial& trial) {
  if (lines.size() < 3 || lines.size() > kPairsLinesMax) return std::nullopt;
  std::vector<Lines> candidates;
  for (std::size_t first = 0; first < lines.size(); ++first) {
    const Lines left = without_part(lines, first, lines.size());
    for (std::size_t second = first; second < left.size(); ++second)
      candidates.push_back(without_part(left, second, left.size()));
  }
  const auto held = trial(candidates);
  if (!held) return std::nullopt;
  return std::move(candidates[*held]);
}

}  // namespace

Lines without_part(const Lines& lines, std::size_t index, std::size_t parts) {
  const std::size_t begin = lines.size() * index / parts;
  const std::size_t end = lines.size() * (index + 1) / parts;
  Lines left(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(begin));
  left.insert(left.end(), lines.begin() + static_cast<std::ptrdiff_t>(end), lines.end());
  return left;
}

Lines minimize(Lines lines, const LinesTrial& trial) {
  if (lines.empty() || trial({Lines()})) return {};
  for (;;) {
    lines = without_parts(std::move(lines), trial);
    const auto fewer = without_some_pair(lines, trial);
    if (!fewer) return lines;
    lines = *fewer;
  }
}

Lines simplify(Lines lines, const LinesTrial& trial,
               const std::function<Lines(std::string_view)>& simpler) {
  for (std::size_t i = 0; i < lines.size();) {
    std::vector<Lines> candidates;
    for (std::string& line : simpler(lines[i])) {
      candidates.push_back(lines);
      candidates.back()[i] = std::move(line);
    }
    const auto held = candidates.empty() ? std::nullopt : trial(candidates);
    if (held) {
      lines = std::move(candidates[*held]);
    } else {
      ++i;
    }
  }
  return lines;
}

Lines simpler_faults(std::string_view line) {
  const std::vector<std::string_view> words = words_of(line);
  Variants variants(words);
  for (std::size_t i = 1; i < words.size(); ++i)
    if (words[i].contains(',')) add_smaller_groups(variants, i, words[i]);
  for (std::size_t i = 1; i < words.size(); ++i)
    if (words[i].ends_with("ppm") && words[i] != "1000000ppm") variants.add(i, "1000000ppm");
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto span = read_span(words[i]);
    if (!span || *span <= Duration::zero()) continue;
    for (const Duration shorter : {Duration(1ms), Duration(10ms), Duration(100ms), Duration(1s)})
      if (shorter < *span) variants.add(i, span_text(shorter));
    variants.add_rounder(i, *span);
  }
  if (!words.empty())
    if (const auto at = read_span(words[0])) variants.add_rounder(0, *at);
  return variants.take();
}

Lines simpler_operations(std::string_view line) {
  const std::vector<std::string_view> words = words_of(line);
  Variants variants(words);
  if (words.size() < 2) return {};
  const bool pause = words[1].starts_with('+');
  const auto span = read_span(words[1].substr(pause ? 1 : 0));
  if (!span || *span <= Duration::zero()) return {};
  if (pause) variants.add(1, "+0s");
  variants.add_rounder(1, *span, pause ? "+" : "");
  return variants.take();
}

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (!words_of(text.substr(0, end)).empty()) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string text_of(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace tubing::sim::detail
