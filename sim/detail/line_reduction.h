// Line reduction: the fewest and simplest lines of a text for which something still holds.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tubing::sim::detail {

using Lines = std::vector<std::string>;

/// Tries candidates. Returns: the place of the first for which it still holds; none where it holds
/// for none.
using LinesTrial = std::function<std::optional<std::size_t>(const std::vector<Lines>&)>;

/// Of so few lines all pairs are tried as well.
inline constexpr std::size_t kPairsLinesMax = 24;

/// Leaves out as many lines as possible. Of what it returns no line can be left out alone, nor two
/// of kPairsLinesMax, unless the trial gave up.
/// Requires: it holds for `lines`.
/// Source: Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", 2002, ddmin.
/// Differs: of parts alone only the empty one and halves are tried; what needs few of many lines
/// is found by leaving out parts as well. Pairs are tried at the end, since an operation may make
/// up for what leaving out another changed.
Lines minimize(Lines lines, const LinesTrial& trial);

/// `lines` without the part `index` of so many.
Lines without_part(const Lines& lines, std::size_t index, std::size_t parts);

/// Replaces each line by a simpler one, as long as there is one for which it holds. `simpler` gives
/// those of a line, the best first; no line may lead back to itself.
Lines simplify(Lines lines, const LinesTrial& trial,
               const std::function<Lines(std::string_view)>& simpler);

/// Simpler lines of a schedule: fewer hosts in a group, a rate of everything, a shorter span,
/// rounder times.
Lines simpler_faults(std::string_view line);
/// Simpler lines of a workload: no pause, rounder times.
Lines simpler_operations(std::string_view line);

Lines lines_of(std::string_view text);
std::string text_of(const Lines& lines);

}  // namespace tubing::sim::detail
