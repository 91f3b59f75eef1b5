// Certificate: what an authority says of a key, in one canonical sequence of bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tubing/channel/base/bytes.h"
#include "tubing/channel/base/result.h"
#include "tubing/channel/base/time.h"
#include "tubing/channel/base/version.h"
#include "tubing/crypto/identity.h"

namespace tubing::crypto {

inline constexpr std::size_t kNameBytesMax = 64;
/// Source: RFC 5321 §4.5.3.1.3, without the angle brackets.
inline constexpr std::size_t kEmailBytesMax = 254;
inline constexpr std::size_t kRolesMax = 16;
inline constexpr std::size_t kRoleBytesMax = 32;
/// Every field at its longest: version, serial, subject, name, e-mail, roles, usage, two dates,
/// issuer, signature.
inline constexpr std::size_t kCertificateBytesMax =
    1 + 8 + kPublicKeyBytes + (1 + kNameBytesMax) + (1 + kEmailBytesMax) +
    (1 + kRolesMax * (1 + kRoleBytesMax)) + 1 + 8 + 8 + kPublicKeyBytes + kSignatureBytes;
static_assert(kCertificateBytesMax <= 1024, "must fit in a handshake message of 4 KiB");
/// The last second that WallTime can hold: 2262-04-11 23:47:16 UTC.
inline constexpr std::int64_t kCertificateSecondsMax = 9'223'372'036;

/// The purpose for which an authority signs; see `Identity::sign`.
inline constexpr std::string_view kCertificateDomain = "tubing certificate";

/// What a key may be used for: to dial, to listen, or to do both.
enum class Usage : std::uint8_t { client = 1, server = 2, both = 3 };

/// Returns "client", "server" or "both".
std::string_view usage_name(Usage usage);
/// Returns whether a key that was granted `granted` may do all of `required`.
inline bool allows(Usage granted, Usage required) {
  return (static_cast<unsigned>(granted) & static_cast<unsigned>(required)) ==
         static_cast<unsigned>(required);
}

/// What an authority says of a key.
struct Claims {
  PublicKey subject;
  /// The peer's name, as in NAME@HOST:PORT: lower-case letters, digits, '.', '_' and '-', first a
  /// letter or a digit.
  std::string name;
  /// Whom to ask about the key; empty, or printable ASCII with one '@' inside.
  std::string email;
  /// What policies know the peer as, in the alphabet of names; strictly ascending.
  std::vector<std::string> roles;
  Usage usage = Usage::both;
  /// The first and the last second of its life; whole seconds, not before 1970.
  WallTime not_before;
  WallTime not_after;

  friend bool operator==(const Claims&, const Claims&) = default;
};

/// Claims with the signature of an authority. A value of this type proves nothing: ask a Trust.
struct Certificate {
  std::uint64_t serial = 0;
  Claims claims;
  PublicKey issuer;
  Signature signature{};

  friend bool operator==(const Certificate&, const Certificate&) = default;
};

/// Errors: invalid_argument, with the rule that `name` breaks.
Result<void> check_name(std::string_view name);
/// Errors: invalid_argument, with the claim that breaks a rule and the rule.
Result<void> check_claims(const Claims& claims);

/// The bytes before the signature, over which it is made.
/// Requires: check_claims(certificate.claims).
Bytes certificate_signed_bytes(const Certificate& certificate);
/// Requires: check_claims(certificate.claims).
/// Returns: at most kCertificateBytesMax bytes.
/// Source: the section "Certificate" of CERTIFICATE.md.
Bytes encode_certificate(const Certificate& certificate);
/// Reads what `encode_certificate` wrote, and nothing else: every certificate has one encoding.
/// Errors: invalid_argument for an unknown version, a limit, a truncation, trailing bytes or a
/// second way to write the same certificate, with the field.
Result<Certificate> decode_certificate(ByteView bytes);

/// Returns whether the key that the certificate names as its issuer signed it; whether that issuer
/// is to be trusted is another question. Requires: check_claims(certificate.claims).
[[nodiscard]] bool signed_by_its_issuer(const Certificate& certificate);

/// A moment for people: "2026-11-23 07:51:20 UTC".
std::string date_text(WallTime moment);

}  // namespace tubing::crypto
