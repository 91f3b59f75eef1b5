// X25519: the key pairs of Noise's Diffie-Hellman.
#pragma once

#include <array>

#include "tubing/channel/base/result.h"
#include "tubing/crypto/entropy.h"
#include "tubing/crypto/secret.h"

namespace tubing::crypto {

inline constexpr std::size_t kX25519Bytes = 32;

/// The public half: what travels.
using X25519Public = std::array<std::byte, kX25519Bytes>;

/// A key pair of Curve25519. As a process's static key it is made once and never stored.
///
/// Source: RFC 7748 §5; Noise rev 34 §12.1.
class X25519KeyPair {
 public:
  static X25519KeyPair generate(Entropy& entropy);
  explicit X25519KeyPair(Secret<kX25519Bytes> secret);

  const X25519Public& public_key() const { return public_; }

  /// Writes the shared secret into `shared`.
  /// Requires: `peer` and `shared` have 32 bytes.
  /// Errors: unauthenticated where the result is all zeros: the peer's key is one of the few that
  /// take no part in the result.
  Result<> agree(ByteView peer, MutableBytes shared) const;

 private:
  Secret<kX25519Bytes> secret_;
  X25519Public public_;
};

}  // namespace tubing::crypto
