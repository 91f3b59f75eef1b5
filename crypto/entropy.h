// Entropy: the seam through which all key material enters a process.
#pragma once

#include "tubing/channel/base/bytes.h"

namespace tubing::crypto {

/// A source of unpredictable bytes.
///
/// Threads: as the implementation says.
class Entropy {
 public:
  virtual ~Entropy() = default;

  /// Overwrites all of `out`. It cannot fail: a process without entropy ends.
  virtual void fill(MutableBytes out) = 0;
};

}  // namespace tubing::crypto
