#include "tubing/crypto/secret.h"

#include <sodium.h>

namespace tubing::crypto {

namespace detail {

std::byte* allocate_secret(std::size_t size) {
  TUBING_ASSERT(sodium_init() >= 0);
  auto* bytes = static_cast<std::byte*>(sodium_malloc(size));
  TUBING_ASSERT(bytes != nullptr, size);
  sodium_memzero(bytes, size);
  return bytes;
}

void free_secret(std::byte* bytes) noexcept { sodium_free(bytes); }

}  // namespace detail

void wipe(MutableBytes bytes) { sodium_memzero(bytes.data(), bytes.size()); }

bool equal_in_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tubing::crypto
