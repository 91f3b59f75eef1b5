#include "tubing/crypto/authority.h"

#include <algorithm>
#include <array>

namespace tubing::crypto {
namespace {

WallTime whole_seconds(WallTime moment) { return WallTime::from_seconds(moment.seconds()); }

}  // namespace

Result<Certificate> Authority::issue(Claims claims, Entropy& entropy) const {
  std::ranges::sort(claims.roles);
  const auto repeated = std::ranges::unique(claims.roles);
  claims.roles.erase(repeated.begin(), repeated.end());
  claims.not_before = whole_seconds(claims.not_before);
  claims.not_after = whole_seconds(claims.not_after);
  if (auto checked = check_claims(claims); !checked) return std::move(checked).error();

  std::array<std::byte, 8> serial;
  entropy.fill(serial);
  Certificate certificate{.serial = load_be64(serial.data()),
                          .claims = std::move(claims),
                          .issuer = public_key(),
                          .signature = {}};
  certificate.signature = identity_.sign(kCertificateDomain, certificate_signed_bytes(certificate));
  TUBING_ASSERT(signed_by_its_issuer(certificate));
  return certificate;
}

}  // namespace tubing::crypto
