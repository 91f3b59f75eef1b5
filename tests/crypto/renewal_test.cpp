#include "tubing/crypto/renewal.h"

#include <doctest/doctest.h>

#include "tests/crypto/identity_fixtures.h"

namespace tubing::crypto {
namespace {

/// The server db-1 with a session, and the authority that gave it a longer certificate since.
struct Scene {
  Authority authority{identity_of(1)};
  Identity server = identity_of(2);
  Trust trust = Trust::ca_only({authority.public_key()});
  HashBytes session_hash = filled(7);
  PeerIdentity current = *trust.verify_peer(issued(authority, db_claims(server.public_key())),
                                            Usage::server, ExpectedPeer::named("db-1"), kDuring);
  Usage required = Usage::server;
  WallTime now = kDuring;

  static HashBytes filled(std::uint8_t value) {
    HashBytes hash;
    hash.fill(static_cast<std::byte>(value));
    return hash;
  }
  /// The claims of db-1 with a year more.
  Claims longer() const {
    Claims claims = db_claims(server.public_key());
    claims.not_after = WallTime::from_seconds(kEndSeconds + 365 * 86'400);
    return claims;
  }
  Bytes shown(const Claims& claims) const {
    return *make_renewal(server, issued(authority, claims), session_hash);
  }
  Result<PeerIdentity> verify(ByteView renewal) const {
    return verify_renewal(renewal, {session_hash, current, trust, required}, now);
  }
};

void check_refused(const Result<PeerIdentity>& verified, Code code, const std::string& told) {
  REQUIRE(verified.code() == code);
  const std::string detail(verified.error().detail());
  CAPTURE(detail);
  CHECK(detail.contains(told));
}

TEST_CASE("a renewal carries a longer certificate with new roles for the same key") {
  const Scene scene;
  Claims claims = scene.longer();
  claims.roles = {"reader"};
  const auto peer = scene.verify(scene.shown(claims));
  REQUIRE(peer.has_value());
  CHECK(peer->not_after == claims.not_after);
  CHECK(peer->roles == std::vector<std::string>{"reader"});
  CHECK(peer->name == scene.current.name);
  CHECK(peer->key == scene.current.key);
}

// By a second implementation, over the certificate of Scene::longer() in the session of Scene.
constexpr std::string_view kGoldenSignature =
    "149d14aedfd51b0450a549b128b7099c53bad429b38e183058f9cfd33b205e00"
    "a9cdd1d14b834cc9b2fd50ac5bb5f811dc2a484df16b51a52656a63aea8aba0e";

TEST_CASE("a renewal has the golden bytes of its format") {
  const Scene scene;
  const Bytes renewal = scene.shown(scene.longer());
  const Bytes certificate = encode_certificate(issued(scene.authority, scene.longer()));
  CHECK(to_hex(renewal) == "01" + std::string(kGoldenSignature) + to_hex(certificate));
  CHECK(kRenewalMessageBytesMax == 1068);
}

TEST_CASE("a renewal that ends no later than the current certificate is refused") {
  const Scene scene;
  for (const std::int64_t end : {kEndSeconds, kEndSeconds - 1}) {
    Claims claims = scene.longer();
    claims.not_after = WallTime::from_seconds(end);
    check_refused(scene.verify(scene.shown(claims)), Code::unauthenticated, "must last longer");
  }
}

TEST_CASE("a renewal for another key is refused though that key signed it") {
  const Scene scene;
  const Identity other = identity_of(3);
  Claims claims = scene.longer();
  claims.subject = other.public_key();
  const auto renewal = make_renewal(other, issued(scene.authority, claims), scene.session_hash);
  REQUIRE(renewal.has_value());
  check_refused(scene.verify(*renewal), Code::unauthenticated, "for another key");
}

TEST_CASE("a renewal under another name is refused") {
  const Scene scene;
  Claims claims = scene.longer();
  claims.name = "db-2";
  check_refused(scene.verify(scene.shown(claims)), Code::unauthenticated, "for the name db-2");
}

TEST_CASE("a renewal is void in every other session") {
  Scene scene;
  const Bytes renewal = scene.shown(scene.longer());
  scene.session_hash = Scene::filled(8);
  check_refused(scene.verify(renewal), Code::unauthenticated, "was not signed by it");
}

TEST_CASE("a certificate that the peer did not sign into its session is no renewal") {
  const Scene scene;
  const Certificate certificate = issued(scene.authority, scene.longer());
  Bytes renewal = scene.shown(scene.longer());
  std::ranges::copy(scene.server.sign(kCertificateDomain, certificate_signed_bytes(certificate)),
                    renewal.begin() + 1);
  check_refused(scene.verify(renewal), Code::unauthenticated, "was not signed by it");
}

TEST_CASE("a renewal is held to authority and dates and usage as a new connection is") {
  Scene scene;
  const Bytes renewal = scene.shown(scene.longer());
  scene.required = Usage::client;
  check_refused(scene.verify(renewal), Code::permission_denied, "acts as a client");
  scene.required = Usage::server;
  scene.now = WallTime::from_seconds(kBeginSeconds - 1);
  check_refused(scene.verify(renewal), Code::unauthenticated, "not valid before");
  scene.now = kDuring;
  scene.trust = Trust::ca_only({identity_of(9).public_key()});
  check_refused(scene.verify(renewal), Code::unauthenticated, "foreign authority");
}

TEST_CASE("every truncation and every changed bit of a renewal is refused") {
  const Scene scene;
  const Bytes renewal = scene.shown(scene.longer());
  for (std::size_t size = 0; size < renewal.size(); ++size) {
    CAPTURE(size);
    CHECK(scene.verify(ByteView(renewal).first(size)).code() == Code::data_loss);
  }
  for (std::size_t i = 0; i < renewal.size(); ++i) {
    CAPTURE(i);
    Bytes changed = renewal;
    changed[i] ^= std::byte{1};
    CHECK_FALSE(scene.verify(changed).has_value());
  }
  Bytes longer = renewal;
  longer.push_back(std::byte{0});
  check_refused(scene.verify(longer), Code::data_loss, "1 bytes follow its end");
  Bytes newer = renewal;
  newer[0] = std::byte{2};
  check_refused(scene.verify(newer), Code::data_loss, "its version is 2");
}

TEST_CASE("a renewal of a certificate for another key is not made") {
  const Scene scene;
  const Certificate foreign = issued(scene.authority, db_claims(identity_of(3).public_key()));
  const auto renewal = make_renewal(scene.server, foreign, scene.session_hash);
  REQUIRE(renewal.code() == Code::invalid_argument);
  CHECK(renewal.error().detail().contains("belong together"));
}

}  // namespace
}  // namespace tubing::crypto
