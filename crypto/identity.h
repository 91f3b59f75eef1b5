// Identity: an Ed25519 key pair that says who a process is, and the text of its public half.
#pragma once

#include <array>
#include <compare>
#include <string>
#include <string_view>

#include "tubing/channel/base/bytes.h"
#include "tubing/channel/base/result.h"
#include "tubing/crypto/entropy.h"
#include "tubing/crypto/secret.h"

namespace tubing::crypto {

inline constexpr std::size_t kPublicKeyBytes = 32;
inline constexpr std::size_t kSignatureBytes = 64;
inline constexpr std::size_t kIdentitySeedBytes = 32;
/// The longest name of a purpose that a signature may be made for.
inline constexpr std::size_t kDomainBytesMax = 64;

/// How a fingerprint begins; no peer's name can, for names have no colon.
inline constexpr std::string_view kFingerprintPrefix = "ed25519:";
/// The prefix and 52 digits in base 32.
inline constexpr std::size_t kFingerprintChars = 60;

using Signature = std::array<std::byte, kSignatureBytes>;

/// The public half of an Ed25519 key pair: safe to print, to compare, and to send.
struct PublicKey {
  std::array<std::byte, kPublicKeyBytes> bytes{};

  /// Returns "ed25519:" and the whole key in 52 lower-case digits, so that a fingerprint stands
  /// wherever a key is asked for, as in FINGERPRINT@HOST:PORT.
  /// Source: RFC 4648 §6 (base32), lower case, without padding.
  std::string fingerprint() const;
  /// Errors: invalid_argument for anything that `fingerprint` does not print.
  static Result<PublicKey> parse(std::string_view fingerprint);

  friend auto operator<=>(const PublicKey&, const PublicKey&) = default;
};

/// Returns whether `signature` was made by the owner of `key` over `message` for `domain`.
/// Requires: 1 <= domain.size() <= kDomainBytesMax.
/// Source: RFC 8032 §5.1.7; keys of small order and non-canonical encodings are refused.
[[nodiscard]] bool verify(const PublicKey& key, std::string_view domain, ByteView message,
                          const Signature& signature);

/// An Ed25519 key pair.
///
/// Owns: the secret half, in locked memory that is wiped at the end.
/// Threads: any; it never changes.
class Identity {
 public:
  static Identity generate(Entropy& entropy);
  /// The identity that `generate` made from these bytes; for reading a key file.
  /// Requires: seed.size() == kIdentitySeedBytes.
  static Identity from_seed(ByteView seed);

  const PublicKey& public_key() const { return public_key_; }
  /// Signs `message` for one purpose: a signature made for one domain is void in every other.
  /// Requires: 1 <= domain.size() <= kDomainBytesMax.
  /// Source: RFC 8032 §5.1.6, over one byte of the domain's length, the domain and the message.
  Signature sign(std::string_view domain, ByteView message) const;
  /// The secret itself; for writing a key file, and for nothing else.
  ByteView seed() const;

 private:
  Identity() = default;

  Secret<kIdentitySeedBytes + kPublicKeyBytes> secret_;
  PublicKey public_key_;
};

}  // namespace tubing::crypto
