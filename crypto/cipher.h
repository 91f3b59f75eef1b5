// CipherState: a key, its nonce counter, and the AEAD that uses them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tubing/channel/base/result.h"
#include "tubing/crypto/secret.h"

namespace tubing::crypto {

inline constexpr std::size_t kCipherKeyBytes = 32;
inline constexpr std::size_t kTagBytes = 16;

/// The ciphers that a suite may name.
enum class Cipher : std::uint8_t { chacha_poly, aes_gcm };

/// Noise's name of the cipher, "ChaChaPoly" or "AESGCM".
std::string_view cipher_name(Cipher cipher);

/// The inverse of cipher_name(); empty for a name that is not in the list.
std::optional<Cipher> cipher_from_name(std::string_view name);

/// Whether this processor can run the cipher: AESGCM needs its AES instructions.
bool cipher_available(Cipher cipher);

/// What a cipher keeps of a key: ChaChaPoly the key itself, AESGCM what it computes from it once.
inline constexpr std::size_t kAesScheduleBytes = 512;

/// A key with the implicit counter that numbers its messages. Without a key the plaintext passes
/// as it is, as Noise has it for the first words of a handshake.
///
/// Owns: its key, which wipe() and the destructor erase.
/// Source: Noise rev 34 §5.1, §12.3, §12.4.
class CipherState {
 public:
  /// The last nonce is kept for rekey(); a message never gets it.
  static constexpr std::uint64_t kNonceMax = UINT64_MAX;

  /// Requires: cipher_available(cipher).
  explicit CipherState(Cipher cipher);

  /// Requires: `key` has 32 bytes; !wiped(). The counter starts at 0.
  void initialize_key(ByteView key);
  bool has_key() const { return key_.has_value() || aes_.has_value(); }
  std::uint64_t nonce() const { return nonce_; }
  /// Sets the counter, for transports that number their messages themselves, and for tests.
  void set_nonce(std::uint64_t nonce) { nonce_ = nonce; }
  /// How much longer a ciphertext is than its plaintext.
  std::size_t overhead() const { return has_key() ? kTagBytes : 0; }

  /// Encrypts in place: `message` holds the plaintext and behind it room for overhead() bytes.
  /// Errors: resource_exhausted when the counter is used up.
  Result<> encrypt(ByteView associated, MutableBytes message);

  /// Decrypts in place and returns the plaintext, the front of `message`. After an error the
  /// counter stands still and the bytes of `message` mean nothing.
  /// Errors: unauthenticated for a wrong tag or too few bytes; resource_exhausted as above.
  Result<MutableBytes> decrypt(ByteView associated, MutableBytes message);

  /// Replaces the key by one that follows from it and cannot lead back; the counter goes on.
  /// Requires: has_key().
  void rekey();

  /// Erases the key for good; nothing but wiped() may be asked of the cipher from here on.
  void wipe();
  bool wiped() const { return wiped_; }

 private:
  void seal(std::uint64_t counter, ByteView associated, MutableBytes message) const;
  bool open(ByteView associated, MutableBytes message) const;

  std::optional<Secret<kCipherKeyBytes>> key_;    ///< Of ChaChaPoly.
  std::optional<Secret<kAesScheduleBytes>> aes_;  ///< Of AESGCM.
  std::uint64_t nonce_ = 0;
  Cipher cipher_;
  bool wiped_ = false;
};

}  // namespace tubing::crypto
