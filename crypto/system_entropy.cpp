#include "tubing/crypto/system_entropy.h"

#include <sodium.h>

#include "tubing/channel/base/assert.h"

namespace tubing::crypto {

SystemEntropy::SystemEntropy() { TUBING_ASSERT(sodium_init() >= 0); }

void SystemEntropy::fill(MutableBytes out) { randombytes_buf(out.data(), out.size()); }

}  // namespace tubing::crypto
