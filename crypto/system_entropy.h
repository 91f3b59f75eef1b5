// SystemEntropy: the operating system's generator.
#pragma once

#include "tubing/crypto/entropy.h"

namespace tubing::crypto {

/// Bytes from libsodium's generator, which draws on the kernel's. There is no way to seed it.
///
/// Threads: any.
class SystemEntropy final : public Entropy {
 public:
  SystemEntropy();

  void fill(MutableBytes out) override;
};

}  // namespace tubing::crypto
