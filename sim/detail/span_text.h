// The words of which schedules and workloads consist: amounts with their units, spans of time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/channel/base/time.h"

namespace tubing::sim::detail {

struct SpanUnit {
  std::string_view name;
  std::int64_t ns;
};
/// The largest first.
inline constexpr SpanUnit kSpanUnits[] = {
    {"s", 1'000'000'000}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}};

/// In the largest unit that holds it exactly: "1500ms".
std::string span_text(Duration span);
/// Errors: invalid_argument for what is no such text, out_of_range for more than a quarter of what
/// a Duration can hold; both say what would do.
Result<Duration> read_span(std::string_view text);
/// "1000ppm", with `unit` "ppm". Errors: likewise; out_of_range for more than 64 bits can count.
Result<std::int64_t> read_amount(std::string_view text, std::string_view unit);
/// For people, to the microsecond: "1.2 s", "1.203417 s".
std::string seconds_told(Duration span);
/// For people, how long something took: "3.2 ms", "410 us", "1.5 s".
std::string span_told(Duration span);

/// What stands between blanks, without a comment: `#` begins one where a word would begin.
std::vector<std::string_view> words_of(std::string_view line);
/// A word as an error shows it: in quotes, cut where it is long; a byte that is not printable ASCII
/// as "\xef".
std::string shown(std::string_view word);
/// A text of lines that a terminal may have: control bytes but for the ends of lines, and bytes
/// that are no UTF-8, as "\xef".
std::string printable(std::string_view text);

}  // namespace tubing::sim::detail
