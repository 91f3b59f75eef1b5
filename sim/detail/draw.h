// draw: a span of time from a stream.
#pragma once

#include <algorithm>

#include "tubing/channel/base/prng.h"
#include "tubing/channel/base/time.h"

namespace tubing::sim::detail {

/// Uniform from `min` to `max`, both included; one draw. Requires: min <= max.
inline Duration draw(Prng& prng, Duration min, Duration max) {
  const auto span = static_cast<std::uint64_t>((max - min).count());
  return min + Duration(static_cast<std::int64_t>(prng.below(span + 1)));
}

/// Uniform from zero to below `bound`; zero where that is not positive. One draw.
inline Duration draw_below(Prng& prng, Duration bound) {
  return draw(prng, Duration::zero(), std::max(bound, Duration(1)) - Duration(1));
}

}  // namespace tubing::sim::detail
