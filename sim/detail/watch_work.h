// WatchWork: how much the judge of watches may still do.
#pragma once

#include <cstdint>

#include "tubing/sim/judges/ruling.h"

namespace tubing::sim::detail {

class WatchWork {
 public:
  explicit WatchWork(std::uint64_t max) : max_(max), left_(max) {}

  /// False where there is no more; from then on always.
  bool spend(std::uint64_t steps) {
    const bool enough = steps <= left_;
    left_ = enough ? left_ - steps : 0;
    return enough;
  }

  Ruling undecided() const;

 private:
  const std::uint64_t max_;
  std::uint64_t left_;
};

}  // namespace tubing::sim::detail
