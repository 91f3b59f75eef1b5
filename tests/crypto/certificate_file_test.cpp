#include "tubing/crypto/certificate_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/crypto/identity_fixtures.h"
#include "tests/crypto/temp_folder.h"

namespace tubing::crypto {
namespace {

/// A folder, a certificate to keep there, and the names of both files.
struct Scene {
  TempFolder folder;
  std::string cert = folder.file("db-1.cert");
  std::string authorities = folder.file("ca.pub");
  CountingEntropy entropy;
  Certificate certificate =
      issued(Authority(identity_of(1)), db_claims(identity_of(2).public_key()));
};

TEST_CASE("a certificate file gives back its certificate") {
  Scene scene;
  REQUIRE(write_certificate_file(scene.cert, scene.certificate, IfExists::refuse, scene.entropy)
              .has_value());
  CHECK(file_bytes(scene.cert) == encode_certificate(scene.certificate));
  const auto read = read_certificate_file(scene.cert);
  REQUIRE(read.has_value());
  CHECK(*read == scene.certificate);
}

TEST_CASE("a certificate file is replaced only when that is asked for") {
  Scene scene;
  const auto write = [&scene](IfExists if_exists) {
    return write_certificate_file(scene.cert, scene.certificate, if_exists, scene.entropy).code();
  };
  CHECK(write(IfExists::refuse) == Code::ok);
  CHECK(write(IfExists::refuse) == Code::already_exists);
  scene.certificate = issued(Authority(identity_of(3)), scene.certificate.claims);
  CHECK(write(IfExists::replace) == Code::ok);
  CHECK(*read_certificate_file(scene.cert) == scene.certificate);
  CHECK(scene.folder.files() == 1);
}

TEST_CASE("who reads a file while it is replaced reads the old one to its end") {
  Scene scene;
  const auto write = [&scene](IfExists if_exists) {
    return write_certificate_file(scene.cert, scene.certificate, if_exists, scene.entropy).code();
  };
  REQUIRE(write(IfExists::refuse) == Code::ok);
  const Bytes before = encode_certificate(scene.certificate);
  const int reader = ::open(scene.cert.c_str(), O_RDONLY | O_CLOEXEC);
  REQUIRE(reader >= 0);
  scene.certificate = issued(Authority(identity_of(3)), scene.certificate.claims);
  REQUIRE(write(IfExists::replace) == Code::ok);
  Bytes read(before.size() + 1);
  CHECK(::read(reader, read.data(), read.size()) == static_cast<ssize_t>(before.size()));
  ::close(reader);
  read.resize(before.size());
  CHECK(read == before);
}

TEST_CASE("a certificate file that is damaged or too long is refused by name") {
  const Scene scene;
  Bytes bytes = encode_certificate(scene.certificate);
  bytes.push_back(std::byte{0});
  overwrite(scene.cert, bytes);
  const auto trailing = read_certificate_file(scene.cert);
  REQUIRE(trailing.code() == Code::invalid_argument);
  CHECK(trailing.error().detail().contains("db-1.cert: is no good certificate: 1 bytes follow"));
  overwrite(scene.cert, Bytes(kCertificateBytesMax + 1));
  CHECK(read_certificate_file(scene.cert).code() == Code::invalid_argument);
  CHECK(read_certificate_file(scene.folder.file("none.cert")).code() == Code::not_found);
}

TEST_CASE("an authority file gives back its authority") {
  Scene scene;
  const PublicKey authority = identity_of(1).public_key();
  REQUIRE(write_authority_file(scene.authorities, authority, scene.entropy).has_value());
  CHECK(as_text(file_bytes(scene.authorities)) == authority.fingerprint() + "\n");
  CHECK(*read_authority_file(scene.authorities) == std::vector{authority});
  CHECK(write_authority_file(scene.authorities, authority, scene.entropy).code() ==
        Code::already_exists);
}

TEST_CASE("an authority file may name several with comments") {
  const Scene scene;
  const PublicKey a = identity_of(1).public_key();
  const PublicKey b = identity_of(2).public_key();
  overwrite(scene.authorities,
            as_bytes("# ours\n\n  " + a.fingerprint() + " # north\r\n" + b.fingerprint()));
  CHECK(*read_authority_file(scene.authorities) == std::vector{a, b});
}

TEST_CASE("an authority file that names none or nonsense or too many is refused") {
  const Scene scene;
  const auto refused = [&scene](const std::string& text) {
    overwrite(scene.authorities, as_bytes(text));
    const auto read = read_authority_file(scene.authorities);
    return read ? "accepted" : std::string(read.error().detail());
  };
  CHECK(refused("").contains("ca.pub: names no authority"));
  CHECK(refused("# none\n").contains("ca.pub: names no authority"));
  CHECK(refused("#\nhello\n").contains("ca.pub: line 2: it does not begin with its kind"));
  std::string many;
  for (std::size_t i = 0; i <= kAuthoritiesMax; ++i) many += PublicKey{}.fingerprint() + "\n";
  CHECK(refused(many).contains("names more than 64 authorities"));
  CHECK(refused(std::string(kAuthoritiesFileBytesMax + 1, '\n')).contains("is longer than"));
}

}  // namespace
}  // namespace tubing::crypto
