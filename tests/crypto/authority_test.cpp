#include "tubing/crypto/authority.h"

#include <doctest/doctest.h>

#include "tests/crypto/identity_fixtures.h"

namespace tubing::crypto {
namespace {

TEST_CASE("an authority signs the claims that it was given") {
  const Authority authority(identity_of(1));
  const Claims claims = db_claims(identity_of(2).public_key());
  const Certificate certificate = issued(authority, claims);
  CHECK(certificate.claims == claims);
  CHECK(certificate.issuer == authority.public_key());
  CHECK(signed_by_its_issuer(certificate));
}

TEST_CASE("an authority draws a new serial for every certificate") {
  const Authority authority(identity_of(1));
  CountingEntropy entropy;
  const Claims claims = db_claims(identity_of(2).public_key());
  CHECK(authority.issue(claims, entropy)->serial == 0x0102030405060708);
  CHECK(authority.issue(claims, entropy)->serial == 0x090a0b0c0d0e0f10);
}

TEST_CASE("an authority puts roles in order and cuts dates to whole seconds") {
  Claims claims = db_claims(identity_of(2).public_key());
  claims.roles = {"storage", "admin", "storage"};
  claims.not_before.since_epoch_ns += 999'999'999;
  claims.not_after.since_epoch_ns += 1;
  const Certificate certificate = issued(Authority(identity_of(1)), claims);
  CHECK(certificate.claims == db_claims(identity_of(2).public_key()));
}

TEST_CASE("an authority refuses to sign claims that break a rule") {
  Claims claims = db_claims(identity_of(2).public_key());
  claims.name = "no spaces";
  CountingEntropy entropy;
  const auto refused = Authority(identity_of(1)).issue(claims, entropy);
  REQUIRE(refused.code() == Code::invalid_argument);
  CHECK(refused.error().detail().contains("the byte 0x20"));
}

TEST_CASE("a generated authority depends on entropy alone") {
  CountingEntropy first;
  CountingEntropy again;
  CHECK(Authority::generate(first).public_key() == Authority::generate(again).public_key());
}

}  // namespace
}  // namespace tubing::crypto
