// Certificates: what decodes obeys every rule and has no second encoding.
#include <algorithm>

#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"
#include "tubing/channel/base/assert.h"
#include "tubing/crypto/authority.h"
#include "tubing/crypto/certificate.h"

namespace tubing::fuzz {
namespace {

using crypto::Certificate;
using crypto::Claims;

/// The rules, said a second time and another way.
void check_decoded(const Certificate& certificate, ByteView bytes) {
  const Claims& claims = certificate.claims;
  TUBING_ASSERT(crypto::check_claims(claims).has_value());
  TUBING_ASSERT(!claims.name.empty() && claims.name.size() <= crypto::kNameBytesMax);
  TUBING_ASSERT(claims.email.size() <= crypto::kEmailBytesMax);
  TUBING_ASSERT(printable(claims.email) == claims.email);
  TUBING_ASSERT(claims.roles.size() <= crypto::kRolesMax);
  TUBING_ASSERT(std::ranges::adjacent_find(claims.roles, std::greater_equal()) ==
                claims.roles.end());
  for (const std::string& role : claims.roles) {
    TUBING_ASSERT(crypto::check_name(role).has_value() && role.size() <= crypto::kRoleBytesMax);
  }
  TUBING_ASSERT(claims.not_before <= claims.not_after);
  TUBING_ASSERT(crypto::date_text(claims.not_after).ends_with(" UTC"));
  const Bytes again = crypto::encode_certificate(certificate);
  TUBING_ASSERT(std::ranges::equal(again, bytes), again.size(), bytes.size());
}

void decode(ByteView bytes) {
  const auto certificate = crypto::decode_certificate(bytes);
  if (certificate) return check_decoded(*certificate, bytes);
  TUBING_ASSERT(certificate.code() == Code::invalid_argument);
  TUBING_ASSERT(certificate.error().detail().size() > 10);
}

/// Claims that a user might have written: those that pass the check survive their encoding.
void encode(Input in) {
  Certificate certificate{.serial = in.word(), .claims = {}, .issuer = {}, .signature = {}};
  Claims& claims = certificate.claims;
  claims.name = as_text(in.piece());
  claims.email = as_text(in.piece());
  claims.usage = static_cast<crypto::Usage>(1 + in.byte() % 3);
  claims.not_before = WallTime::from_seconds(in.word());
  claims.not_after = WallTime::from_seconds(in.word());
  while (!in.empty() && claims.roles.size() < 20) claims.roles.emplace_back(as_text(in.piece()));
  if (!crypto::check_claims(claims)) return;
  const Bytes bytes = crypto::encode_certificate(certificate);
  TUBING_ASSERT(bytes.size() <= crypto::kCertificateBytesMax);
  const auto again = crypto::decode_certificate(bytes);
  TUBING_ASSERT(again.has_value() && *again == certificate);
}

void run(ByteView input) {
  Input in(input);
  if (in.flag()) return encode(in);
  decode(in.rest());
}

Bytes issued(std::string name, std::string email, std::vector<std::string> roles) {
  const crypto::Authority authority(
      crypto::Identity::from_seed(Bytes(crypto::kIdentitySeedBytes, std::byte{7})));
  const Claims claims{.subject = authority.public_key(),
                      .name = std::move(name),
                      .email = std::move(email),
                      .roles = std::move(roles),
                      .usage = crypto::Usage::both,
                      .not_before = WallTime::from_seconds(1'700'000'000),
                      .not_after = WallTime::from_seconds(1'900'000'000)};
  Certificate certificate{
      .serial = 77, .claims = claims, .issuer = authority.public_key(), .signature = {}};
  certificate.signature = authority.identity().sign(crypto::kCertificateDomain,
                                                    crypto::certificate_signed_bytes(certificate));
  return crypto::encode_certificate(certificate);
}

std::vector<Bytes> seeds() {
  const Bytes plain = issued("a", "", {});
  return {Script().byte(0).bytes(plain),
          Script().byte(0).bytes(issued("db-1", "ann@example.org", {"admin", "storage"})),
          Script().byte(0).bytes(issued(std::string(64, 'n'), "", {"a", "b", "c"})),
          Script().byte(0).bytes(ByteView(plain).first(60)),
          Script()
              .byte(1)
              .word(5)
              .piece(as_bytes("db-1"))
              .piece(as_bytes("a@b"))
              .byte(2)
              .word(10)
              .word(20)
              .piece(as_bytes("admin"))
              .piece(as_bytes("user"))};
}

}  // namespace

Target certificate_target() { return {"certificate", run, seeds}; }

}  // namespace tubing::fuzz
