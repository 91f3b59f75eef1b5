// SymmetricState: the running hash and chaining key of a Noise handshake.
#pragma once

#include <array>

#include "tubing/crypto/cipher.h"

namespace tubing::crypto {

inline constexpr std::size_t kHashBytes = 32;

/// A SHA-256 digest.
using HashBytes = std::array<std::byte, kHashBytes>;

/// The two ciphers of a finished handshake.
struct CipherPair {
  CipherState initiator_to_responder;
  CipherState responder_to_initiator;
};

/// Everything that both sides have said so far, as one hash, and everything that they share in
/// secret, as one chaining key.
///
/// Source: Noise rev 34 §5.2, with SHA-256 (§12.5) and HKDF on HMAC (§4.3).
class SymmetricState {
 public:
  SymmetricState(std::string_view protocol_name, Cipher cipher);

  void mix_key(ByteView input);
  void mix_hash(ByteView data);
  void mix_key_and_hash(ByteView input);

  /// How much longer the next ciphertext is than its plaintext.
  std::size_t overhead() const { return cipher_.overhead(); }
  /// Encrypts in place as CipherState::encrypt() does, bound to the hash, which it extends.
  Result<> encrypt_and_hash(MutableBytes message);
  /// The inverse. After an error the state is of no use: wipe it.
  Result<MutableBytes> decrypt_and_hash(MutableBytes message);

  const HashBytes& hash() const { return hash_; }
  CipherPair split() const;
  void wipe();

 private:
  Secret<kHashBytes> chaining_key_;
  HashBytes hash_{};
  CipherState cipher_;
  Cipher cipher_kind_;
};

}  // namespace tubing::crypto
