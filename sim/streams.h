// Streams: generators of one purpose, one for each class of draws and each occurrence.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tubing/channel/base/prng.h"
#include "tubing/channel/base/time.h"

namespace tubing::sim {

/// What is drawn follows from the seed, the class and the occurrence alone, and not from what was
/// drawn for something else before. So a run keeps most of its draws where a fault or an operation
/// is left out of it, or code is changed that draws elsewhere; a failure that is made smaller stays
/// the same failure.
class Streams {
 public:
  explicit Streams(std::uint64_t root) : root_(root) {}

  /// The stream of a class, from its begin: alike for the same words.
  Prng of(std::uint64_t a, std::uint64_t b = 0, std::uint64_t c = 0) const;
  /// Likewise, for what has a name: a process in its `occurrence`-th life.
  Prng of(std::string_view name, std::uint64_t occurrence = 0) const;

 private:
  std::uint64_t root_;
};

/// Of what comes again and again. The occurrence is the time, in whole windows, and which of its
/// class it is within the window: what went over a link a second ago does not move what is drawn
/// for it now.
template <std::size_t kClasses>
class TimedDraws {
 public:
  static constexpr Duration kWindow = std::chrono::milliseconds(1);

  explicit TimedDraws(std::uint64_t root) : streams_(root) {}

  /// What the next one of the class draws from.
  Prng next(Time now, std::size_t what) {
    const auto window = static_cast<std::uint64_t>(now.time_since_epoch() / kWindow);
    if (window != window_) {
      window_ = window;
      drawn_ = {};
    }
    return streams_.of(window, what, drawn_[what]++);
  }

 private:
  Streams streams_;
  std::uint64_t window_ = 0;
  std::array<std::uint32_t, kClasses> drawn_{};
};

}  // namespace tubing::sim
