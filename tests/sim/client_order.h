// Which operations of a history come one behind the other: the rule of HISTORY.md, by itself.
#pragma once

#include "tubing/sim/judges/history.h"

namespace tubing::sim {

/// Whether a client that waits for its answers, or gives up at any time, may have asked for `one`
/// and only then for `other`.
inline bool may_be_asked_first(const Operation& one, const Operation& other) {
  const bool waits = one.ending != Ending::unknown;
  return (waits ? one.returned : one.called) <= other.called;
}

/// Whether `one` took effect before `other` did, whatever else happened.
inline bool comes_first(const Operation& one, const Operation& other) {
  if (one.ending != Ending::ok) return false;
  if (one.returned < other.called) return true;
  return one.client == other.client && may_be_asked_first(one, other) &&
         !may_be_asked_first(other, one);
}

}  // namespace tubing::sim
