#include "tubing/crypto/trust.h"

#include <doctest/doctest.h>

#include "tests/crypto/identity_fixtures.h"

namespace tubing::crypto {
namespace {

/// One authority, one server that it vouches for, and a process that dials it.
struct Scene {
  Authority authority{identity_of(1)};
  PublicKey server = identity_of(2).public_key();
  Certificate certificate = issued(authority, db_claims(server));
  Trust trust = Trust::ca_only({authority.public_key()});
  ExpectedPeer expected = ExpectedPeer::named("db-1");
  Usage required = Usage::server;
  WallTime now = kDuring;

  Result<PeerIdentity> verify() const {
    return trust.verify_peer(certificate, required, expected, now);
  }
  void certify(Claims claims) { certificate = issued(authority, std::move(claims)); }
};

void check_refused(const Scene& scene, Code code, std::initializer_list<std::string> told) {
  const auto verified = scene.verify();
  REQUIRE(verified.code() == code);
  const std::string detail(verified.error().detail());
  CAPTURE(detail);
  for (const std::string& words : told) {
    CAPTURE(words);
    CHECK(detail.contains(words));
  }
}

TEST_CASE("a peer that the authority signed is accepted with its claims") {
  const Scene scene;
  const auto peer = scene.verify();
  REQUIRE(peer.has_value());
  CHECK(*peer == PeerIdentity{.name = "db-1",
                              .email = "ann@example.org",
                              .key = scene.server,
                              .roles = {"admin", "storage"},
                              .usage = Usage::server,
                              .serial = 0x0102030405060708,
                              .issuer = scene.authority.public_key(),
                              .not_after = WallTime::from_seconds(kEndSeconds)});
  CHECK(peer->has_role("admin"));
  CHECK_FALSE(peer->has_role("adm"));
}

TEST_CASE("any of several authorities may vouch for a peer") {
  Scene scene;
  const PublicKey other = identity_of(9).public_key();
  scene.trust = Trust::ca_only({other, scene.authority.public_key()});
  CHECK(scene.verify().has_value());
}

TEST_CASE("a certificate is valid from its first second to the end of its last") {
  Scene scene;
  scene.now = WallTime::from_seconds(kBeginSeconds);
  CHECK(scene.verify().has_value());
  scene.now = {kEndSeconds * 1'000'000'000 + 999'999'999};
  CHECK(scene.verify().has_value());
}

TEST_CASE("an expired certificate is refused with the date") {
  Scene scene;
  scene.now = WallTime::from_seconds(kEndSeconds + 1);
  check_refused(scene, Code::unauthenticated,
                {"db-1", "expired on 2027-01-15 08:00:00 UTC", "it is 2027-01-15 08:00:01 UTC",
                 "tube key renew db-1"});
}

TEST_CASE("a certificate that is not valid yet is refused with the date") {
  Scene scene;
  scene.now = {kBeginSeconds * 1'000'000'000 - 1};
  check_refused(scene, Code::unauthenticated,
                {"not valid before 2023-11-14 22:13:20 UTC", "compare the clocks"});
}

TEST_CASE("a foreign authority is refused with both fingerprints") {
  Scene scene;
  scene.trust = Trust::ca_only({identity_of(9).public_key()});
  check_refused(scene, Code::unauthenticated,
                {"foreign authority", scene.authority.public_key().fingerprint(),
                 identity_of(9).public_key().fingerprint()});
  scene.trust = Trust::ca_only({});
  check_refused(scene, Code::unauthenticated, {"trusted here: none"});
}

TEST_CASE("a certificate that merely names the trusted authority is refused") {
  Scene scene;
  Certificate forged = issued(Authority(identity_of(9)), db_claims(scene.server));
  forged.issuer = scene.authority.public_key();
  scene.certificate = forged;
  check_refused(scene, Code::unauthenticated, {"was not made by its issuer"});
}

TEST_CASE("a peer signs no certificates for others") {
  Scene scene;
  scene.certificate = issued(Authority(identity_of(2)), db_claims(identity_of(3).public_key()));
  check_refused(scene, Code::unauthenticated, {"foreign authority", scene.server.fingerprint()});
}

TEST_CASE("the key of a client cannot pose as a server") {
  Scene scene;
  Claims claims = db_claims(scene.server);
  claims.usage = Usage::client;
  scene.certify(claims);
  check_refused(
      scene, Code::permission_denied,
      {"db-1", "is for usage client and acts as a server", "tube key renew db-1 --usage both"});
  scene.required = Usage::client;
  CHECK(scene.verify().has_value());
}

TEST_CASE("the key of a server cannot dial as a client") {
  Scene scene;
  scene.required = Usage::client;
  scene.expected = ExpectedPeer::anyone();
  check_refused(scene, Code::permission_denied, {"is for usage server and acts as a client"});
}

TEST_CASE("a server cannot pose as another and both names are told") {
  Scene scene;
  scene.expected = ExpectedPeer::named("db-2");
  check_refused(scene, Code::unauthenticated, {"db-2 was expected and db-1", "answered"});
}

TEST_CASE("a dialled fingerprint accepts that key alone") {
  Scene scene;
  scene.expected = ExpectedPeer::with_key(scene.server);
  CHECK(scene.verify().has_value());
  scene.expected = ExpectedPeer::with_key(identity_of(9).public_key());
  check_refused(scene, Code::unauthenticated,
                {identity_of(9).public_key().fingerprint(), scene.server.fingerprint()});
}

TEST_CASE("a certificate whose claims were changed is refused") {
  Scene scene;
  scene.certificate.claims.roles.push_back("z");
  check_refused(scene, Code::unauthenticated, {"was not made by its issuer"});
  scene.certificate.claims.name = "a b";
  check_refused(scene, Code::invalid_argument, {"the byte 0x20"});
}

/// The scene's server, pinned, and certified by an authority that nobody knows.
Scene pinned_scene() {
  Scene scene;
  scene.trust = Trust::pinned({Pin::of(scene.certificate)});
  scene.certificate = issued(Authority(identity_of(9)), db_claims(scene.server));
  return scene;
}

TEST_CASE("a pinned key is accepted whoever issued its certificate") {
  CHECK(pinned_scene().verify().has_value());
}

TEST_CASE("a key that is not pinned is refused though the pinned one signed it") {
  Scene scene = pinned_scene();
  const PublicKey stranger = identity_of(3).public_key();
  scene.certificate = issued(Authority(identity_of(2)), db_claims(stranger));
  check_refused(scene, Code::unauthenticated, {"is not pinned", stranger.fingerprint()});
}

TEST_CASE("a pinned peer is what its pin says and not what its certificate claims") {
  Scene scene = pinned_scene();
  Claims boasting = db_claims(scene.server);
  boasting.roles = {"root"};
  boasting.email = "president@example.org";
  boasting.usage = Usage::both;
  scene.certificate = issued(Authority(identity_of(2)), boasting);
  const auto peer = scene.verify();
  REQUIRE(peer.has_value());
  CHECK(peer->roles == std::vector<std::string>{"admin", "storage"});
  CHECK(peer->email == "");
  scene.required = Usage::client;
  check_refused(scene, Code::permission_denied, {"is for usage server"});
}

TEST_CASE("a pinned peer cannot take the name of another") {
  Scene scene = pinned_scene();
  Claims claims = db_claims(scene.server);
  claims.name = "db-2";
  scene.certificate = issued(Authority(identity_of(2)), claims);
  scene.expected = ExpectedPeer::named("db-2");
  check_refused(scene, Code::unauthenticated, {"is pinned here as db-1 and calls itself db-2"});
}

TEST_CASE("a pinned peer is held to dates and name and signature as any other") {
  Scene scene = pinned_scene();
  scene.now = WallTime::from_seconds(kEndSeconds + 1);
  check_refused(scene, Code::unauthenticated, {"expired"});
  scene.now = kDuring;
  scene.expected = ExpectedPeer::named("db-2");
  check_refused(scene, Code::unauthenticated, {"db-2 was expected"});
  scene.expected = ExpectedPeer::named("db-1");
  scene.certificate.signature[0] ^= std::byte{1};
  check_refused(scene, Code::unauthenticated, {"was not made by its issuer"});
}

/// Checks that the peer of `accepted` is not believed any more by `scene`, and that it is told why.
void check_dropped(const Scene& accepted, const Scene& scene, const std::string& told) {
  const auto peer = accepted.verify();
  REQUIRE(peer.has_value());
  const auto again = scene.trust.recheck(*peer, scene.now);
  REQUIRE(again.code() == Code::unauthenticated);
  const std::string detail(again.error().detail());
  CAPTURE(detail);
  CHECK(detail.contains(told));
  CHECK(detail.contains(peer->key.fingerprint()));
}

TEST_CASE("an accepted peer is believed until a grace after its certificate has expired") {
  Scene scene;
  const auto peer = scene.verify();
  REQUIRE(peer.has_value());
  const std::int64_t grace_seconds = kExpiryGrace / std::chrono::seconds(1);
  CHECK(grace_seconds == 60);
  scene.now = WallTime::from_seconds(kEndSeconds + grace_seconds);
  CHECK(scene.trust.recheck(*peer, scene.now).has_value());
  scene.now = WallTime::from_seconds(kEndSeconds + grace_seconds + 1);
  check_dropped(Scene(), scene, "expired on 2027-01-15 08:00:00 UTC");
  CHECK_FALSE(scene.verify().has_value());
}

TEST_CASE("an accepted peer whose authority was removed is believed no more") {
  Scene scene;
  scene.trust = Trust::ca_only({identity_of(9).public_key()});
  check_dropped(Scene(), scene, "is trusted no more; trusted here: ed25519:");
}

TEST_CASE("an accepted peer whose pin was removed or changed is believed no more") {
  Scene scene = pinned_scene();
  CHECK(scene.trust.recheck(*scene.verify(), scene.now).has_value());
  scene.trust = Trust::pinned({});
  check_dropped(pinned_scene(), scene, "is pinned here no more");
  const Pin before = Pin::of(pinned_scene().certificate);
  Pin other = before;
  other.name = "db-2";
  Pin fewer = before;
  fewer.roles = {"storage"};
  Pin client = before;
  client.usage = Usage::client;
  for (const Pin& pin : {other, fewer, client}) {
    scene.trust = Trust::pinned({pin});
    check_dropped(pinned_scene(), scene, "connect again");
  }
}

TEST_CASE("an expected peer is read from a name or a fingerprint") {
  const PublicKey key = identity_of(2).public_key();
  CHECK(*ExpectedPeer::parse("db-1") == ExpectedPeer::named("db-1"));
  CHECK(*ExpectedPeer::parse(key.fingerprint()) == ExpectedPeer::with_key(key));
  CHECK(ExpectedPeer::named("db-1").text() == "db-1");
  CHECK(ExpectedPeer::with_key(key).text() == key.fingerprint());
  CHECK(ExpectedPeer::anyone().text() == "anyone");
  CHECK(ExpectedPeer::anyone().is_anyone());
}

TEST_CASE("an expected peer that is neither name nor fingerprint is refused with advice") {
  CHECK(ExpectedPeer::parse("").error().detail().contains("NAME@HOST:PORT"));
  CHECK(ExpectedPeer::parse("A").error().detail().contains("only lower-case letters"));
  CHECK(ExpectedPeer::parse("ed25519:abc").error().detail().contains("11 characters long"));
  CHECK(ExpectedPeer::parse("[::1]").code() == Code::invalid_argument);
}

}  // namespace
}  // namespace tubing::crypto
