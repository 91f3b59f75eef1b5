#include "tubing/crypto/trust_files.h"

#include <doctest/doctest.h>

#include "tests/crypto/identity_fixtures.h"
#include "tests/crypto/temp_folder.h"
#include "tubing/crypto/key_set.h"

namespace tubing::crypto {
namespace {

std::string fingerprint_of(std::uint8_t seed) {
  return identity_of(seed).public_key().fingerprint();
}

/// A key folder, and the certificate of a server that its authority vouches for.
struct Scene {
  TempFolder folder;
  KeyFolder files{folder.path()};
  Certificate certificate =
      issued(Authority(identity_of(1)), db_claims(identity_of(2).public_key()));

  void write(const std::string& name, const std::string& text) const {
    overwrite(folder.file(name), as_bytes(text));
  }
  /// Puts these lines into a whole file `revoked`.
  void revoke(const std::string& lines) const { write("revoked", revocations_text(lines)); }
  bool believes(const Result<Trust>& trust) const {
    REQUIRE(trust.has_value());
    return trust->verify_peer(certificate, Usage::server, ExpectedPeer::named("db-1"), kDuring)
        .has_value();
  }
};

TEST_CASE("the trust of a folder is its authorities without what it has revoked") {
  const Scene scene;
  scene.write("ca.pub", fingerprint_of(9) + " # the old one\n" + fingerprint_of(1) + "\n");
  CHECK(scene.believes(read_trust(scene.files)));
  scene.revoke("key " + fingerprint_of(2) + "\n");
  CHECK_FALSE(scene.believes(read_trust(scene.files)));
  scene.revoke("");
  scene.write("ca.pub", fingerprint_of(9));
  CHECK_FALSE(scene.believes(read_trust(scene.files)));
}

TEST_CASE("the pins of a folder are read with usage and roles") {
  const Scene scene;
  const TrustOptions options{.mode = Trust::Mode::pinned};
  scene.write("pinned", fingerprint_of(2) + " db-1 server storage admin # ann's\n");
  const auto trust = read_trust(scene.files, options);
  CHECK(scene.believes(trust));
  const auto peer =
      trust->verify_peer(scene.certificate, Usage::server, ExpectedPeer::named("db-1"), kDuring);
  CHECK(peer->roles == std::vector<std::string>{"admin", "storage"});
  scene.revoke("serial 0102030405060708 " + fingerprint_of(1));
  CHECK_FALSE(scene.believes(read_trust(scene.files, options)));
}

TEST_CASE("the known peers of a folder are its trust where that is asked for") {
  const Scene scene;
  KnownPeers known(scene.files);
  const TrustOptions options{.mode = Trust::Mode::tofu, .known = &known};
  CHECK_FALSE(scene.believes(read_trust(scene.files, options)));
  scene.write("known_servers", fingerprint_of(2) + " db-1\n");
  set_mode(scene.folder.file("known_servers"), 0400);
  CHECK(scene.believes(read_trust(scene.files, options)));
}

TEST_CASE("a bad trust file is told with its name and its line") {
  const Scene scene;
  const auto told = [&](Trust::Mode mode) {
    KnownPeers known(scene.files);
    const auto trust = read_trust(scene.files, {.mode = mode, .known = &known});
    REQUIRE_FALSE(trust.has_value());
    return std::string(trust.error().detail());
  };
  CHECK(told(Trust::Mode::ca_only).contains("ca.pub: No such file"));
  CHECK(told(Trust::Mode::pinned).contains("pinned: No such file"));
  scene.write("ca.pub", "\n" + fingerprint_of(1) + " db-1\n");
  CHECK(told(Trust::Mode::ca_only).contains("ca.pub: line 2: has more than a fingerprint"));
  scene.revoke("key\n");
  for (const auto mode : {Trust::Mode::ca_only, Trust::Mode::pinned, Trust::Mode::tofu})
    CHECK(told(mode).contains("revoked: line 1"));
}

TEST_CASE("every trust file that is bad is told at once") {
  const Scene scene;
  scene.write("ca.pub", "nobody\n");
  scene.write("revoked", "");
  const auto trust = read_trust(scene.files);
  REQUIRE(trust.code() == Code::invalid_argument);
  CAPTURE(trust.error().text());
  CHECK(trust.error().detail().contains("ca.pub: line 1: "));
  CHECK(trust.error().detail().contains("; and " + scene.folder.file("revoked") + ": it does not"));
  scene.revoke("");
  CHECK_FALSE(read_trust(scene.files).error().detail().contains("revoked"));
}

TEST_CASE("a trust file that is bad keeps what it said and no other from counting") {
  const Scene scene;
  const std::string key = fingerprint_of(2);
  scene.write("ca.pub", fingerprint_of(1) + "\n");
  scene.revoke("");
  const Trust before = *read_trust(scene.files);
  CHECK(scene.believes(before));
  scene.write("ca.pub", "nobody\n");
  scene.revoke("key " + key + "\n");
  const TrustFiles bad_authorities = read_trust_files(scene.files);
  CHECK(bad_authorities.trouble().error().detail().contains("ca.pub"));
  const Trust revoking = bad_authorities.over(before);
  CHECK_FALSE(scene.believes(revoking));
  CHECK(scene.believes(revoking.with_revoked({})));  // by the authorities from before

  scene.write("ca.pub", fingerprint_of(9) + "\n");
  scene.write("revoked", "");
  const TrustFiles bad_revoked = read_trust_files(scene.files);
  CHECK(bad_revoked.trouble().error().detail().contains("revoked: it does not end with"));
  const Trust after = bad_revoked.over(revoking);
  CHECK(after.revoked().has_key(identity_of(2).public_key()));
  CHECK_FALSE(scene.believes(after.with_revoked({})));  // for another authority stands there now
}

TEST_CASE("a list or a folder that others may write to is refused") {
  const Scene scene;
  const std::string lines = fingerprint_of(2) + " db-1 server\n";
  scene.write("ca.pub", fingerprint_of(1) + "\n");
  scene.write("pinned", lines);
  scene.revoke("");
  const auto told = [&](const std::string& path, Trust::Mode mode) {
    for (const unsigned opened : {0020U, 0002U}) {
      const unsigned before = mode_of(path);
      set_mode(path, before | opened);
      const auto trust = read_trust(scene.files, {.mode = mode});
      set_mode(path, before);
      REQUIRE(trust.code() == Code::permission_denied);
      CHECK(trust.error().detail().starts_with(path + " has mode "));
      CHECK(trust.error().detail().ends_with("run `chmod go-w " + path + "`"));
    }
    CHECK(read_trust(scene.files, {.mode = mode}).has_value());
  };
  told(scene.folder.file("ca.pub"), Trust::Mode::ca_only);
  told(scene.folder.file("revoked"), Trust::Mode::ca_only);
  told(scene.folder.file("pinned"), Trust::Mode::pinned);
  told(scene.folder.path(), Trust::Mode::ca_only);
}

TEST_CASE("a bad line of the pins is refused with its number") {
  const std::string key = fingerprint_of(2);
  const struct {
    std::string text;
    std::string told;
  } rows[] = {
      {key + " db-1", "line 1: is not `FINGERPRINT NAME USAGE [ROLE...]`"},
      {key + " db-1 peer", "line 1: the usage peer is none of"},
      {key + " DB server", "line 1: the name has the byte"},
      {key + " db-1 server A", "line 1: a role has the byte"},
      {"db-1 " + key + " server", "line 1: it does not begin with its kind"},
      {key + " a both\n" + key + " b both", "line 2: the key " + key + " stands here twice"}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    const auto pins = parse_pins(row.text);
    REQUIRE(pins.code() == Code::invalid_argument);
    CHECK(pins.error().detail().contains(row.told));
  }
}

TEST_CASE("keys that no peer would believe now are told before the first one refuses them") {
  const Scene scene;
  KeySet keys{identity_of(2), scene.certificate, {identity_of(1).public_key()}};
  CHECK(check_key_set(keys, kDuring).has_value());
  const auto told = [&](WallTime now) {
    const auto checked = check_key_set(keys, now);
    REQUIRE(checked.code() == Code::unauthenticated);
    return std::string(checked.error().detail());
  };
  CHECK(told(WallTime::from_seconds(kEndSeconds + 1)).contains("expired on 2027-01-15"));
  CHECK(told(WallTime::from_seconds(kBeginSeconds - 1)).contains("not valid before 2023-11-14"));
  keys.authorities = {identity_of(9).public_key()};
  CHECK(told(kDuring).contains("foreign authority"));
  keys.identity = identity_of(3);
  CHECK(told(kDuring).contains("bring the two that belong together"));
}

}  // namespace
}  // namespace tubing::crypto
