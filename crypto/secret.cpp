#include "tubing/crypto/secret.h"

#include <sodium.h>

#include "tubing/crypto/detail/secret_arena.h"

namespace tubing::crypto {

namespace detail {

std::byte* allocate_secret(std::size_t size) { return process_arena().allocate(size); }

void free_secret(std::byte* bytes) noexcept {
  if (bytes != nullptr) process_arena().free(bytes);
}

}  // namespace detail

void wipe(MutableBytes bytes) { sodium_memzero(bytes.data(), bytes.size()); }

bool equal_in_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace tubing::crypto
