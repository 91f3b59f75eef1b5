#include "tubing/crypto/identity.h"

#include <fmt/format.h>
#include <sodium.h>

namespace tubing::crypto {
namespace {

static_assert(kPublicKeyBytes == crypto_sign_PUBLICKEYBYTES);
static_assert(kSignatureBytes == crypto_sign_BYTES);
static_assert(kIdentitySeedBytes == crypto_sign_SEEDBYTES);
static_assert(kIdentitySeedBytes + kPublicKeyBytes == crypto_sign_SECRETKEYBYTES);

constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t kBitsPerDigit = 5;

/// What the signature is made over: no two pairs of domain and message give the same bytes.
Bytes with_domain(std::string_view domain, ByteView message) {
  TUBING_ASSERT(!domain.empty() && domain.size() <= kDomainBytesMax, domain);
  Bytes out;
  out.reserve(1 + domain.size() + message.size());
  out.push_back(static_cast<std::byte>(domain.size()));
  append(out, as_bytes(domain));
  append(out, message);
  return out;
}

Error not_a_fingerprint(std::string_view what) {
  return Error(Code::invalid_argument, "fingerprint",
               fmt::format("{}; a fingerprint is {} and {} of the digits {}, as `tube key show` "
                           "prints it",
                           what, kFingerprintPrefix, kFingerprintChars - kFingerprintPrefix.size(),
                           kDigits));
}

}  // namespace

std::string PublicKey::fingerprint() const {
  std::string out(kFingerprintPrefix);
  out.reserve(kFingerprintChars);
  unsigned held = 0;
  std::size_t held_bits = 0;
  for (std::byte b : bytes) {
    held = (held << 8) | std::to_integer<unsigned>(b);
    held_bits += 8;
    for (; held_bits >= kBitsPerDigit; held_bits -= kBitsPerDigit)
      out += kDigits[(held >> (held_bits - kBitsPerDigit)) & 31];
    held &= (1U << held_bits) - 1;
  }
  out += kDigits[(held << (kBitsPerDigit - held_bits)) & 31];
  TUBING_ASSERT(out.size() == kFingerprintChars, out);
  return out;
}

Result<PublicKey> PublicKey::parse(std::string_view fingerprint) {
  if (!fingerprint.starts_with(kFingerprintPrefix))
    return not_a_fingerprint("it does not begin with its kind");
  if (fingerprint.size() != kFingerprintChars)
    return not_a_fingerprint(fmt::format("it is {} characters long instead of {}",
                                         fingerprint.size(), kFingerprintChars));
  PublicKey key;
  unsigned held = 0;
  std::size_t held_bits = 0;
  std::size_t filled = 0;
  for (char c : fingerprint.substr(kFingerprintPrefix.size())) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos)
      return not_a_fingerprint(
          fmt::format("byte 0x{:02x} is no digit", static_cast<unsigned char>(c)));
    held = (held << kBitsPerDigit) | static_cast<unsigned>(digit);
    held_bits += kBitsPerDigit;
    if (held_bits < 8) continue;
    held_bits -= 8;
    key.bytes[filled++] = static_cast<std::byte>(held >> held_bits);
    held &= (1U << held_bits) - 1;
  }
  TUBING_ASSERT(filled == kPublicKeyBytes, filled);
  if (held != 0) return not_a_fingerprint("its last digit is wrong");
  return key;
}

bool verify(const PublicKey& key, std::string_view domain, ByteView message,
            const Signature& signature) {
  const Bytes signed_bytes = with_domain(domain, message);
  return crypto_sign_verify_detached(as_uchars(ByteView(signature)), as_uchars(signed_bytes),
                                     signed_bytes.size(), as_uchars(ByteView(key.bytes))) == 0;
}

Identity Identity::generate(Entropy& entropy) {
  Scratch<kIdentitySeedBytes> seed;
  entropy.fill(seed.bytes());
  return from_seed(seed.view());
}

Identity Identity::from_seed(ByteView seed) {
  TUBING_ASSERT(seed.size() == kIdentitySeedBytes, seed.size());
  Identity identity;
  crypto_sign_seed_keypair(as_uchars(MutableBytes(identity.public_key_.bytes)),
                           as_uchars(identity.secret_.bytes()), as_uchars(seed));
  return identity;
}

Signature Identity::sign(std::string_view domain, ByteView message) const {
  const Bytes signed_bytes = with_domain(domain, message);
  Signature signature;
  crypto_sign_detached(as_uchars(MutableBytes(signature)), nullptr, as_uchars(signed_bytes),
                       signed_bytes.size(), as_uchars(secret_.view()));
  return signature;
}

ByteView Identity::seed() const { return secret_.view().first(kIdentitySeedBytes); }

}  // namespace tubing::crypto
