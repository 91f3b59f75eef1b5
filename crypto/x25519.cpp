#include "tubing/crypto/x25519.h"

#include <sodium.h>

namespace tubing::crypto {

X25519KeyPair X25519KeyPair::generate(Entropy& entropy) {
  Secret<kX25519Bytes> secret;
  entropy.fill(secret.bytes());
  return X25519KeyPair(std::move(secret));
}

X25519KeyPair::X25519KeyPair(Secret<kX25519Bytes> secret) : secret_(std::move(secret)) {
  const int failed =
      crypto_scalarmult_base(as_uchars(MutableBytes(public_)), as_uchars(secret_.view()));
  TUBING_ASSERT(failed == 0);
}

Result<> X25519KeyPair::agree(ByteView peer, MutableBytes shared) const {
  TUBING_ASSERT(peer.size() == kX25519Bytes && shared.size() == kX25519Bytes);
  if (crypto_scalarmult(as_uchars(shared), as_uchars(secret_.view()), as_uchars(peer)) != 0) {
    return Error(Code::unauthenticated, "handshake",
                 "the peer's X25519 key yields an all-zero shared secret; no honest peer sends it");
  }
  return {};
}

}  // namespace tubing::crypto
