#include "tubing/crypto/revocations.h"

#include <doctest/doctest.h>

#include "tests/crypto/identity_fixtures.h"
#include "tests/crypto/temp_folder.h"
#include "tubing/crypto/trust.h"

namespace tubing::crypto {
namespace {

const PublicKey kAuthority = identity_of(1).public_key();
const PublicKey kServer = identity_of(2).public_key();

Certificate db_certificate() { return issued(Authority(identity_of(1)), db_claims(kServer)); }

/// What a Trust that revokes `revocation` says of db-1, at its door and in its sessions.
void check_refused(const Revocation& revocation, const std::string& told) {
  Revocations revoked;
  REQUIRE(revoked.add(revocation).has_value());
  const Certificate certificate = db_certificate();
  const ExpectedPeer expected = ExpectedPeer::named("db-1");
  const auto before =
      Trust::ca_only({kAuthority}).verify_peer(certificate, Usage::server, expected, kDuring);
  REQUIRE(before.has_value());
  const Trust trust = Trust::ca_only({kAuthority}, revoked);
  const auto verified = trust.verify_peer(certificate, Usage::server, expected, kDuring);
  REQUIRE(verified.code() == Code::unauthenticated);
  CHECK(verified.error().detail().contains(told));
  const auto rechecked = trust.recheck(*before, kDuring);
  REQUIRE(rechecked.code() == Code::unauthenticated);
  CHECK(rechecked.error().detail().contains(told));
}

TEST_CASE("a peer whose key was revoked is refused and dropped") {
  check_refused(Revocation::of_key(kServer), "the key of db-1 (" + kServer.fingerprint());
}

TEST_CASE("a certificate that was revoked by its serial is refused and dropped") {
  check_refused(Revocation::of_certificate(db_certificate()),
                "the certificate 0102030405060708 of db-1");
}

TEST_CASE("an authority that was revoked takes with it all that it has signed") {
  check_refused(Revocation::of_key(kAuthority), "the authority that vouched for db-1");
}

TEST_CASE("a revocation counts for pinned keys too") {
  const Certificate certificate = db_certificate();
  Revocations revoked;
  REQUIRE(revoked.add(Revocation::of_key(kServer)).has_value());
  const Trust trust = Trust::pinned({Pin::of(certificate)}, revoked);
  CHECK(
      trust.verify_peer(certificate, Usage::server, ExpectedPeer::named("db-1"), kDuring).code() ==
      Code::unauthenticated);
}

TEST_CASE("a serial is revoked for the issuer that gave it alone") {
  Revocations revoked;
  REQUIRE(revoked.add({identity_of(9).public_key(), 0x0102030405060708}).has_value());
  REQUIRE(revoked.add({kAuthority, 0x0102030405060709}).has_value());
  CHECK(Trust::ca_only({kAuthority}, revoked)
            .verify_peer(db_certificate(), Usage::server, ExpectedPeer::named("db-1"), kDuring)
            .has_value());
}

TEST_CASE("a list of revocations is read with its comments and its blanks") {
  const std::string text = "# who left\n\n  key " + kServer.fingerprint() +
                           "  # ann\r\nserial 00000000000000ff\t" + kAuthority.fingerprint();
  const auto revoked = parse_revocations(revocations_text(text));
  REQUIRE(revoked.has_value());
  CHECK(revoked->size() == 2);
  CHECK(revoked->has_key(kServer));
  CHECK(revoked->has_certificate(kAuthority, 255));
  CHECK_FALSE(revoked->has_key(kAuthority));
  CHECK(parse_revocations(revocations_text(""))->size() == 0);
}

TEST_CASE("a bad line of a list of revocations is refused with its number") {
  const std::string key = kServer.fingerprint();
  const struct {
    std::string line;
    std::string told;
  } rows[] = {{"keys " + key, "line 2: is neither"},
              {"key", "line 2: is neither"},
              {"key " + key + " " + key, "line 2: is neither"},
              {"key ed25519:abc", "line 2: it is 11 characters long"},
              {"serial 12 " + key, "line 2: a serial is 16 digits"},
              {"serial 00000000000000FF " + key, "line 2: a serial is 16 digits"},
              {"serial 00000000000000ff", "line 2: is neither"},
              {key, "line 2: is neither"}};
  for (const auto& row : rows) {
    CAPTURE(row.line);
    const auto revoked = parse_revocations(revocations_text("# list\n" + row.line + "\n"));
    REQUIRE(revoked.code() == Code::invalid_argument);
    CHECK(revoked.error().detail().contains(row.told));
  }
}

TEST_CASE("a list of revocations takes no more than its most") {
  Revocations revoked;
  for (std::uint64_t serial = 0; serial < kRevocationsMax; ++serial)
    REQUIRE(revoked.add({kAuthority, serial}).has_value());
  CHECK(revoked.add({kAuthority, 0}).has_value());
  const auto beyond = revoked.add({kAuthority, kRevocationsMax});
  REQUIRE(beyond.code() == Code::resource_exhausted);
  CHECK(beyond.error().detail().contains("8192"));
}

TEST_CASE("a revocation is added to its file once and leaves there what people wrote") {
  const TempFolder folder;
  const std::string path = folder.file("revoked");
  overwrite(path, as_bytes(revocations_text("# ours\nkey " + kAuthority.fingerprint())));
  CountingEntropy entropy;
  const auto add = [&](const Revocation& what) {
    return add_to_revocations(path, what, "db-1", entropy);
  };
  CHECK(*add(Revocation::of_key(kServer)));
  CHECK_FALSE(*add(Revocation::of_key(kServer)));
  CHECK_FALSE(*add(Revocation::of_key(kAuthority)));
  CHECK(*add({kAuthority, 255}));
  CHECK(as_text(file_bytes(path)) ==
        revocations_text("# ours\nkey " + kAuthority.fingerprint() + "\nkey " +
                         kServer.fingerprint() + "  # db-1\nserial 00000000000000ff " +
                         kAuthority.fingerprint() + "  # db-1\n"));
  CHECK(read_revocations(path)->size() == 3);
  for (const std::string& bad : {revocations_text("keys\n"), std::string("# ours\n")}) {
    overwrite(path, as_bytes(bad));
    CHECK(add(Revocation::of_key(kServer)).error().detail().contains("revoked: "));
    CHECK(as_text(file_bytes(path)) == bad);
  }
}

TEST_CASE("a list of revocations ends with a line that counts and sums what stands before it") {
  const std::string lines = "# two\n\nkey " + kServer.fingerprint() + "\nserial 00000000000000ff " +
                            kAuthority.fingerprint() + "\n";
  CHECK(revocations_text(lines) == lines + "end 2 b6f3632fa47faefc\n");
  CHECK(revocations_text("") == "end 0 ff9bd71d64b513bb\n");
  CHECK(revocations_text("key x") == "key x\nend 1 fd3dbf15ad2b241d\n");
}

TEST_CASE("a list of revocations that was cut off or changed anywhere is refused") {
  const std::string whole = revocations_text("# list\nkey " + kServer.fingerprint() + "  # ann\n" +
                                             "key " + kAuthority.fingerprint() + "\n");
  const auto refused = [](const std::string& text) {
    return parse_revocations(text).code() == Code::data_loss;
  };
  REQUIRE(parse_revocations(whole).has_value());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(refused(whole.substr(0, size)));
    CHECK(refused(whole.substr(size + 1)));
    std::string changed = whole;
    changed[size] ^= 1;
    CHECK(refused(changed));
  }
  CHECK(refused(whole + "\n"));
  CHECK(refused(whole + "key " + kServer.fingerprint() + "\n"));
  CHECK(refused(whole + whole));
}

TEST_CASE("a file of revocations that is not whole says what closes it again") {
  const TempFolder folder;
  const std::string path = folder.file("revoked");
  const std::string lines = "key " + kServer.fingerprint() + "\n";
  CountingEntropy entropy;
  const struct {
    std::string text;
    std::string told;
  } rows[] = {{"", "it does not end with a closing line"},
              {lines, "it does not end with a closing line"},
              {revocations_text(lines) + lines, "it does not end with a closing line"},
              {lines + revocations_text(""), "its closing line is `end 0 "}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    overwrite(path, as_bytes(row.text));
    const auto refused = read_revocations(path);
    REQUIRE(refused.code() == Code::data_loss);
    CAPTURE(refused.error().text());
    CHECK(refused.error().detail().starts_with(path + ": " + row.told));
    CHECK(refused.error().detail().contains("copy it again"));
    CHECK(refused.error().detail().ends_with("run `tube key revoke --rewrite`"));
    const auto rewritten = rewrite_revocations(path, entropy);
    REQUIRE(rewritten.has_value());
    CHECK(rewritten->has_key(kServer) == !row.text.empty());
    CHECK(read_revocations(path)->size() == rewritten->size());
  }
  overwrite(path, as_bytes("keys\n"));
  CHECK(
      rewrite_revocations(path, entropy).error().detail().contains("revoked: line 1: is neither"));
  CHECK(as_text(file_bytes(path)) == "keys\n");
}

TEST_CASE("a file of revocations that is missing is made") {
  const TempFolder folder;
  CountingEntropy entropy;
  CHECK(read_revocations(folder.file("revoked")).code() == Code::not_found);
  CHECK(*add_to_revocations(folder.file("revoked"), Revocation::of_key(kServer), "", entropy));
  CHECK(read_revocations(folder.file("revoked"))->has_key(kServer));
}

}  // namespace
}  // namespace tubing::crypto
