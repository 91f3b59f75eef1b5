// Spans of time as schedules and workloads write them: a whole number of s, ms, us or ns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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
/// None for what is no such text, or is longer than a quarter of what a Duration can hold.
std::optional<Duration> read_span(std::string_view text);
/// For people, to the microsecond: "1.2 s", "1.203417 s".
std::string seconds_told(Duration span);
/// For people, how long something took: "3.2 ms", "410 us", "1.5 s".
std::string span_told(Duration span);

/// What stands between blanks, without a comment: `#` begins one.
std::vector<std::string_view> words_of(std::string_view line);

}  // namespace tubing::sim::detail
