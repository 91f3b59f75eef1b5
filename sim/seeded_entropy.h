// SeededEntropy: key material that follows from a seed, so that a simulated handshake repeats.
#pragma once

#include "tubing/channel/base/prng.h"
#include "tubing/crypto/entropy.h"

namespace tubing::sim {

/// Anybody who knows the seed knows every key: it exists in simulations alone.
///
/// Threads: one.
class SeededEntropy final : public crypto::Entropy {
 public:
  explicit SeededEntropy(Prng prng) : prng_(prng) {}

  void fill(MutableBytes out) override {
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (i % sizeof(word_) == 0) word_ = prng_.next();
      out[i] = static_cast<std::byte>(word_ >> (8 * (i % sizeof(word_))));
    }
  }

 private:
  Prng prng_;
  std::uint64_t word_ = 0;
};

}  // namespace tubing::sim
