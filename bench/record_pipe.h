// The record pipe: what encryption and the kernel's TCP allow, without channels.
#pragma once

#include <cstdint>

#include "tubing/crypto/cipher.h"

namespace tubing::bench {

/// Two blocking threads: one seals full records, four to a write, the other opens them in place.
/// Returns: plaintext in GB/s over `bytes`.
double record_pipe_gb_per_s(crypto::Cipher cipher, std::uint64_t bytes);

}  // namespace tubing::bench
