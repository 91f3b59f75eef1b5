// FixedEntropy: an Entropy that gives bytes chosen by a test, once.
#pragma once

#include <cstring>

#include "tubing/channel/base/assert.h"
#include "tubing/crypto/entropy.h"

namespace tubing::crypto {

class FixedEntropy final : public Entropy {
 public:
  explicit FixedEntropy(Bytes bytes) : bytes_(std::move(bytes)) {}

  /// Requires: as many bytes are left.
  void fill(MutableBytes out) override {
    TUBING_ASSERT(out.size() <= bytes_.size() - used_, out.size(), bytes_.size() - used_);
    std::memcpy(out.data(), bytes_.data() + used_, out.size());
    used_ += out.size();
  }

 private:
  Bytes bytes_;
  std::size_t used_ = 0;
};

}  // namespace tubing::crypto
