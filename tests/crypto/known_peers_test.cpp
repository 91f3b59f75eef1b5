#include "tubing/crypto/known_peers.h"

#include <doctest/doctest.h>

#include "tests/crypto/identity_fixtures.h"
#include "tests/crypto/temp_folder.h"
#include "tubing/crypto/trust.h"

namespace tubing::crypto {
namespace {

using Part = KnownPeers::Part;
using State = KnownPeers::State;

/// A process that trusts on first use, and peers that certify themselves.
struct Scene {
  TempFolder folder;
  KnownPeers known{KeyFolder(folder.path())};
  Trust trust = Trust::tofu(known);
  CountingEntropy entropy;

  /// Puts a file there, and reads it.
  void write(const std::string& name, const std::string& text, unsigned mode = 0600) {
    overwrite(folder.file(name), as_bytes(text));
    set_mode(folder.file(name), mode);
    REQUIRE(known.read().has_value());
  }
  std::string text(const std::string& name) const {
    return std::string(as_text(file_bytes(folder.file(name))));
  }
  /// What is believed of the owner of the key of `seed`, which is dialled as `expected`.
  Result<PeerIdentity> dial(std::uint8_t seed, const ExpectedPeer& expected) {
    return trust.verify_peer(shown(seed, "db-1"), Usage::server, expected, kDuring);
  }
  Result<PeerIdentity> dial(std::uint8_t seed) { return dial(seed, ExpectedPeer::named("db-1")); }
  Result<PeerIdentity> listen(std::uint8_t seed, const std::string& name) {
    return trust.verify_peer(shown(seed, name), Usage::client, ExpectedPeer::anyone(), kDuring);
  }
  /// The certificate by which the key of `seed` calls itself `name`, by its own authority.
  static Certificate shown(std::uint8_t seed, const std::string& name) {
    Claims claims = db_claims(identity_of(seed).public_key());
    claims.name = name;
    return issued(Authority(identity_of(seed)), std::move(claims));
  }
};

std::string fingerprint_of(std::uint8_t seed) {
  return identity_of(seed).public_key().fingerprint();
}

void check_refused(const Result<PeerIdentity>& peer, std::initializer_list<std::string> told) {
  REQUIRE(peer.code() == Code::unauthenticated);
  const std::string detail(peer.error().detail());
  CAPTURE(detail);
  for (const std::string& words : told) CHECK(detail.contains(words));
}

TEST_CASE("without a file nobody is believed on first use") {
  Scene scene;
  REQUIRE(scene.known.read().has_value());
  CHECK(scene.known.state(Part::servers) == State::off);
  check_refused(scene.dial(2), {"there is no " + scene.folder.file("known_servers"), "mode 600"});
  check_refused(scene.listen(2, "ann"), {"there is no " + scene.folder.file("known_clients")});
}

TEST_CASE("the first key under a dialled name is learned and another one refused") {
  Scene scene;
  scene.write("known_servers", "");
  const auto first = scene.dial(2);
  REQUIRE(first.has_value());
  CHECK(first->name == "db-1");
  CHECK(first->roles.empty());
  CHECK(first->email == "");
  CHECK(scene.dial(2).has_value());
  check_refused(scene.dial(3), {"the key of db-1 has changed", fingerprint_of(2), fingerprint_of(3),
                                "take its line out of " + scene.folder.file("known_servers")});
}

TEST_CASE("a peer is learned only after every other check") {
  Scene scene;
  scene.write("known_servers", "");
  const auto refused = [&](const Certificate& certificate, const std::string& dialled,
                           WallTime now) {
    CHECK_FALSE(
        scene.trust.verify_peer(certificate, Usage::server, ExpectedPeer::named(dialled), now)
            .has_value());
    CHECK_FALSE(scene.known.has_news());
  };
  const Certificate good = Scene::shown(2, "db-1");
  refused(good, "db-2", kDuring);
  refused(good, "db-1", WallTime::from_seconds(kEndSeconds + 1));
  Certificate forged = good;
  forged.signature[0] ^= std::byte{1};
  refused(forged, "db-1", kDuring);
  Revocations revoked;
  REQUIRE(revoked.add(Revocation::of_key(good.claims.subject)).has_value());
  scene.trust = Trust::tofu(scene.known, revoked);
  refused(good, "db-1", kDuring);
}

TEST_CASE("a list that is read-only believes only who stands in it") {
  Scene scene;
  scene.write("known_servers", fingerprint_of(2) + " db-1\n", 0400);
  CHECK(scene.known.state(Part::servers) == State::locked);
  CHECK(scene.dial(2).has_value());
  scene.write("known_clients", fingerprint_of(3) + " ann admin\n", 0400);
  CHECK(scene.listen(3, "ann").has_value());
  check_refused(scene.listen(4, "bob"),
                {"bob is not known here", "is read-only", "`" + fingerprint_of(4) + " bob`"});
}

TEST_CASE("a known client has the roles of its line and no others") {
  Scene scene;
  scene.write("known_clients", fingerprint_of(3) + " ann writer admin\n");
  const auto ann = scene.listen(3, "ann");
  REQUIRE(ann.has_value());
  CHECK(ann->roles == std::vector<std::string>{"admin", "writer"});
  CHECK(ann->usage == Usage::client);
  const auto bob = scene.listen(4, "bob");
  REQUIRE(bob.has_value());
  CHECK(bob->roles.empty());
}

TEST_CASE("a client cannot take the name of another client or server") {
  Scene scene;
  scene.write("known_clients", fingerprint_of(3) + " ann\n");
  scene.write("known_servers", fingerprint_of(2) + " db-1\n");
  check_refused(scene.listen(4, "ann"), {"the key of ann has changed"});
  check_refused(scene.listen(4, "db-1"), {"the key of db-1 has changed", "known_servers"});
  check_refused(scene.listen(3, "bob"), {"is known here as ann and calls itself bob"});
}

TEST_CASE("who was signed by a known key is not known by that") {
  Scene scene;
  scene.write("known_clients", fingerprint_of(3) + " ann\n", 0400);
  Claims claims = db_claims(identity_of(4).public_key());
  claims.name = "bob";
  const Certificate by_ann = issued(Authority(identity_of(3)), claims);
  check_refused(scene.trust.verify_peer(by_ann, Usage::client, ExpectedPeer::anyone(), kDuring),
                {"bob is not known here"});
}

TEST_CASE("a server that was dialled by its key needs no list and teaches none") {
  Scene scene;
  const ExpectedPeer by_key = ExpectedPeer::with_key(identity_of(2).public_key());
  const auto peer = scene.dial(2, by_key);
  REQUIRE(peer.has_value());
  CHECK(peer->name == fingerprint_of(2));
  CHECK(scene.trust.recheck(*peer, kDuring).has_value());
  check_refused(scene.dial(3, by_key), {fingerprint_of(2), fingerprint_of(3)});
  scene.write("known_servers", fingerprint_of(2) + " db-1\n");
  CHECK(scene.dial(2, by_key)->name == "db-1");
  CHECK_FALSE(scene.known.has_news());
}

TEST_CASE("what was learned reaches the file when it is saved and stays across processes") {
  Scene scene;
  scene.write("known_servers", "# ours");
  scene.write("known_clients", "");
  REQUIRE(scene.dial(2).has_value());
  REQUIRE(scene.listen(3, "ann").has_value());
  CHECK(scene.known.has_news());
  CHECK(scene.text("known_servers") == "# ours");
  REQUIRE(scene.known.save(scene.entropy).has_value());
  CHECK_FALSE(scene.known.has_news());
  CHECK(scene.text("known_servers") == "# ours\n" + fingerprint_of(2) + " db-1\n");
  CHECK(scene.text("known_clients") == fingerprint_of(3) + " ann\n");
  CHECK(mode_of(scene.folder.file("known_servers")) == 0600);
  KnownPeers next(KeyFolder(scene.folder.path()));
  REQUIRE(next.read().has_value());
  CHECK(next.peers(Part::servers) ==
        std::vector{KnownPeer{identity_of(2).public_key(), "db-1", {}}});
}

TEST_CASE("what people wrote into a list since it was read counts when it is saved") {
  Scene scene;
  scene.write("known_clients", "");
  const auto ann = scene.listen(3, "ann");
  REQUIRE(ann.has_value());
  REQUIRE(scene.listen(5, "cid").has_value());
  const std::string theirs = fingerprint_of(4) + " ann admin # by hand\n";
  overwrite(scene.folder.file("known_clients"), as_bytes(theirs));
  const auto saved = scene.known.save(scene.entropy);
  REQUIRE(saved.code() == Code::failed_precondition);
  CHECK(saved.error().detail().contains("ann (" + fingerprint_of(3)));
  CHECK(scene.text("known_clients") == theirs + fingerprint_of(5) + " cid\n");
  CHECK(scene.trust.recheck(*ann, kDuring).error().detail().contains("not known here any more"));
  CHECK(scene.listen(4, "ann")->roles == std::vector<std::string>{"admin"});
}

TEST_CASE("two processes that learn at once both reach the file") {
  Scene scene;
  scene.write("known_servers", "");
  KnownPeers other(KeyFolder(scene.folder.path()));
  REQUIRE(other.read().has_value());
  REQUIRE(scene.dial(2).has_value());
  REQUIRE(other.learn(Part::servers, {identity_of(3).public_key(), "db-2"}).has_value());
  REQUIRE(other.save(scene.entropy).has_value());
  REQUIRE(scene.known.save(scene.entropy).has_value());
  CHECK(scene.text("known_servers") ==
        fingerprint_of(3) + " db-2\n" + fingerprint_of(2) + " db-1\n");
}

TEST_CASE("a list that was locked before it was saved takes nobody in") {
  Scene scene;
  scene.write("known_servers", "");
  REQUIRE(scene.dial(2).has_value());
  set_mode(scene.folder.file("known_servers"), 0400);
  CHECK(scene.known.save(scene.entropy).error().detail().contains("takes no longer db-1"));
  CHECK(scene.text("known_servers") == "");
  CHECK_FALSE(scene.known.has_news());
}

TEST_CASE("a peer whose line was taken out or has other roles is dropped") {
  Scene scene;
  scene.write("known_clients", fingerprint_of(3) + " ann admin\n");
  const auto ann = scene.listen(3, "ann");
  REQUIRE(ann.has_value());
  CHECK(scene.trust.recheck(*ann, kDuring).has_value());
  scene.write("known_clients", fingerprint_of(3) + " ann\n");
  CHECK(scene.trust.recheck(*ann, kDuring).code() == Code::unauthenticated);
  scene.write("known_clients", "");
  CHECK(scene.trust.recheck(*ann, kDuring).code() == Code::unauthenticated);
}

TEST_CASE("reading the lists again keeps who was learned and not saved") {
  Scene scene;
  scene.write("known_servers", "");
  REQUIRE(scene.dial(2).has_value());
  REQUIRE(scene.known.read().has_value());
  CHECK(scene.known.has_news());
  check_refused(scene.dial(3), {"has changed"});
}

TEST_CASE("a list that is bad keeps what it said and not the other list from counting") {
  Scene scene;
  scene.write("known_servers", fingerprint_of(2) + " db-1\n");
  scene.write("known_clients", fingerprint_of(3) + " ann\n");
  overwrite(scene.folder.file("known_servers"), as_bytes("db-1\n"));
  overwrite(scene.folder.file("known_clients"), as_bytes(fingerprint_of(4) + " bob\n"));
  const auto read = scene.known.read();
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().detail().contains("known_servers: line 1"));
  CHECK(scene.known.knows({identity_of(2).public_key(), "db-1"}));
  CHECK(scene.known.knows({identity_of(4).public_key(), "bob"}));
  CHECK_FALSE(scene.known.knows({identity_of(3).public_key(), "ann"}));
  overwrite(scene.folder.file("known_clients"), as_bytes("ann\n"));
  CHECK(scene.known.read().error().detail().contains("known_clients: line 1"));
}

TEST_CASE("a learning list that is full refuses whom it does not know") {
  Scene scene;
  std::string text;
  for (std::size_t i = 0; i < kKnownPeersMax; ++i) {
    PublicKey key;
    store_be64(key.bytes.data(), i);
    text += key.fingerprint() + " p" + std::to_string(i) + "\n";
  }
  scene.write("known_clients", text);
  const auto beyond = scene.listen(3, "ann");
  REQUIRE(beyond.code() == Code::resource_exhausted);
  CHECK(beyond.error().detail().contains("4096 peers already"));
  PublicKey key;
  store_be64(key.bytes.data(), kKnownPeersMax);
  CHECK(parse_known_peers(text + key.fingerprint() + " q", true).code() ==
        Code::resource_exhausted);
}

TEST_CASE("a bad line of a list of known peers is refused with its number and changes nothing") {
  Scene scene;
  const std::string ann = fingerprint_of(3) + " ann";
  scene.write("known_clients", ann + "\n");
  const struct {
    std::string text;
    std::string told;
  } rows[] = {{ann + "\n" + fingerprint_of(4) + " ann", "line 2: the name ann stands here twice"},
              {ann + "\n" + fingerprint_of(3) + " bob", "line 2: the key " + fingerprint_of(3)},
              {fingerprint_of(3), "line 1: is not `FINGERPRINT NAME [ROLE...]`"},
              {"ann " + fingerprint_of(3), "line 1: it does not begin with its kind"},
              {fingerprint_of(3) + " ANN", "line 1: the name has the byte 0x41"},
              {ann + " Admin", "line 1: a role has the byte 0x41"},
              {std::string(kKnownPeersFileBytesMax + 1, '#'), "is longer than 1048576 bytes"}};
  for (const auto& row : rows) {
    CAPTURE(row.told);
    overwrite(scene.folder.file("known_clients"), as_bytes(row.text));
    const auto read = scene.known.read();
    REQUIRE(read.code() == Code::invalid_argument);
    CHECK(read.error().detail().contains("known_clients: "));
    CHECK(read.error().detail().contains(row.told));
    CHECK(scene.listen(3, "ann").has_value());
  }
  CHECK(parse_known_peers(ann + " admin", false).error().detail().contains("`FINGERPRINT NAME`"));
}

TEST_CASE("a list of known peers that others may read is refused") {
  Scene scene;
  overwrite(scene.folder.file("known_servers"), {});
  set_mode(scene.folder.file("known_servers"), 0644);
  const auto read = scene.known.read();
  REQUIRE(read.code() == Code::permission_denied);
  CHECK(read.error().detail().contains("chmod 600"));
}

}  // namespace
}  // namespace tubing::crypto
