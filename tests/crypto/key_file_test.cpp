#include "tubing/crypto/key_file.h"

#include <doctest/doctest.h>
#include <sodium.h>

#include <algorithm>

#include "tests/crypto/identity_fixtures.h"
#include "tests/crypto/temp_folder.h"

namespace tubing::crypto {
namespace {

// The cheapest cost there is: the tests do not guess passphrases.
constexpr KeyProtection kSealed{.passphrase = "correct horse", .cost = kArgon2idCostMin};
constexpr KeyProtection kInClear{};
constexpr std::size_t kChecksumBytes = 32;

void check_refused(const auto& result, Code code, std::initializer_list<std::string> told) {
  REQUIRE(result.code() == code);
  const std::string detail(result.error().detail());
  CAPTURE(detail);
  for (const std::string& words : told) {
    CAPTURE(words);
    CHECK(detail.contains(words));
  }
}

Bytes bytes_of(std::string_view digits) {
  Bytes out(digits.size() / 2);
  REQUIRE(sodium_hex2bin(as_uchars(MutableBytes(out)), out.size(), digits.data(), digits.size(),
                         nullptr, nullptr, nullptr) == 0);
  return out;
}

/// A folder with one key file in it.
struct Scene {
  explicit Scene(const KeyProtection& protection) {
    REQUIRE(write_key_file(path, identity, protection, entropy).has_value());
  }

  TempFolder folder;
  std::string path = folder.file("db-1.key");
  Identity identity = identity_of(7);
  CountingEntropy entropy;

  /// Edits the file as somebody would who knows the format: with a checksum that fits.
  void forge(std::size_t at, std::byte value) {
    Bytes bytes = file_bytes(path);
    bytes[at] = value;
    const std::size_t body = bytes.size() - kChecksumBytes;
    crypto_generichash(as_uchars(MutableBytes(bytes).subspan(body)), kChecksumBytes,
                       as_uchars(ByteView(bytes)), body, nullptr, 0);
    overwrite(path, bytes);
  }
};

TEST_CASE("a key file gives back the identity that it was made from") {
  for (const KeyProtection& protection : {kInClear, kSealed}) {
    CAPTURE(protection.passphrase);
    const Scene scene(protection);
    const auto read = read_key_file(scene.path, protection.passphrase);
    REQUIRE(read.has_value());
    CHECK(to_hex(read->seed()) == to_hex(scene.identity.seed()));
    CHECK(mode_of(scene.path) == 0600);
    CHECK(scene.folder.files() == 1);
  }
}

TEST_CASE("a key file in the clear has the golden bytes of its format") {
  const Scene scene(kInClear);
  const Bytes bytes = file_bytes(scene.path);
  const std::string body =
      "545542454b45590a"  // magic
      "01"                // version
      "00"                // protection
      "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c"
      "0707070707070707070707070707070707070707070707070707070707070707";
  CHECK(to_hex(ByteView(bytes).first(bytes.size() - kChecksumBytes)) == body);
  CHECK(to_hex(ByteView(bytes).last(kChecksumBytes)) ==
        "2d3a99e2604488fad679ec3d685b68e9e7ce4f5f642f5f26feb194043d38766f");
}

TEST_CASE("a sealed key file has the golden bytes of its format and hides the seed") {
  const Scene scene(kSealed);
  const Bytes bytes = file_bytes(scene.path);
  CHECK(to_hex(bytes) ==
        "545542454b45590a"                                                    // magic
        "01"                                                                  // version
        "01"                                                                  // protection
        "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c"    // public key
        "0000000000000001"                                                    // passes
        "0000000000002000"                                                    // memory
        "0102030405060708090a0b0c0d0e0f10"                                    // salt
        "1112131415161718191a1b1c1d1e1f202122232425262728"                    // nonce
        "c4cfa173bebc08ca90351ed61de6cff2c7010e896208ab9f09c5b8e6fccd3cdf"    // seed
        "71503ff061d486327f786ce2ca3beb42"                                    // tag
        "9cfdff2440567e29ea5eb3616457602624aef3ff9f299cf83964ba3c403f4094");  // checksum
  CHECK(std::ranges::search(bytes, scene.identity.seed()).empty());
}

TEST_CASE("a key file that was sealed elsewhere opens at the cost that it states and no other") {
  Scene scene(kSealed);
  overwrite(
      scene.path,
      bytes_of("545542454b45590a"                                                     // magic
               "01"                                                                   // version
               "01"                                                                   // protection
               "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c"     // public key
               "0000000000000003"                                                     // passes
               "0000000000004000"                                                     // memory
               "6162636465666768696a6b6c6d6e6f70"                                     // salt
               "7172737475767778797a7b7c7d7e7f808182838485868788"                     // nonce
               "1b7f5ce3a2c6749ad0dabbd457af161f0d911574ca1a626f35f78fb2bccb2348"     // seed
               "f9c3cd3083452e1e09cf9d83f3e0f2fa"                                     // tag
               "85b92854a58c88ce6f2fea85608b11b1d2bbc7188ec0d976b74dcc9c537c353e"));  // checksum
  const auto read = read_key_file(scene.path, "correct horse");
  REQUIRE(read.has_value());
  CHECK(to_hex(read->seed()) == to_hex(scene.identity.seed()));
  const std::size_t passes_at = 49;  // Their last bytes that count.
  const std::size_t memory_at = 56;
  scene.forge(passes_at, std::byte{2});
  CHECK(read_key_file(scene.path, "correct horse").code() == Code::permission_denied);
  scene.forge(passes_at, std::byte{3});
  CHECK(read_key_file(scene.path, "correct horse").has_value());
  scene.forge(memory_at, std::byte{0x20});
  CHECK(read_key_file(scene.path, "correct horse").code() == Code::permission_denied);
}

TEST_CASE("a key file shows its public key without the passphrase") {
  const Scene scene(kSealed);
  const auto info = inspect_key_file(scene.path);
  REQUIRE(info.has_value());
  CHECK(info->public_key == scene.identity.public_key());
  CHECK(info->needs_passphrase);
  CHECK(info->cost == kArgon2idCostMin);
  CHECK_FALSE(inspect_key_file(Scene(kInClear).path)->needs_passphrase);
}

TEST_CASE("a wrong passphrase is refused as such") {
  const Scene scene(kSealed);
  check_refused(read_key_file(scene.path, "correct horsE"), Code::permission_denied,
                {scene.path, "wrong passphrase"});
  check_refused(read_key_file(scene.path), Code::permission_denied,
                {scene.path, "needs its passphrase"});
}

TEST_CASE("a key file that others may read is refused with the command that mends it") {
  const Scene scene(kInClear);
  for (const unsigned mode : {0644U, 0640U, 0604U, 0620U, 0601U}) {
    CAPTURE(mode);
    set_mode(scene.path, mode);
    check_refused(read_key_file(scene.path), Code::permission_denied,
                  {fmt::format("has mode {:04o}", mode), "`chmod 600 " + scene.path + "`"});
    CHECK(inspect_key_file(scene.path).code() == Code::permission_denied);
  }
  set_mode(scene.path, 0400);
  CHECK(read_key_file(scene.path).has_value());
}

TEST_CASE("a key file is never overwritten") {
  Scene scene(kInClear);
  const auto again = write_key_file(scene.path, identity_of(8), kInClear, scene.entropy);
  check_refused(again, Code::already_exists, {scene.path, "is not overwritten"});
  CHECK(read_key_file(scene.path)->public_key() == scene.identity.public_key());
  CHECK(scene.folder.files() == 1);
}

TEST_CASE("every truncation of a key file is refused") {
  for (const KeyProtection& protection : {kInClear, kSealed}) {
    const Scene scene(protection);
    const Bytes whole = file_bytes(scene.path);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      CAPTURE(size);
      overwrite(scene.path, ByteView(whole).first(size));
      const Code code = read_key_file(scene.path, protection.passphrase).code();
      CHECK(code == (size < 10 ? Code::invalid_argument : Code::data_loss));
    }
  }
}

TEST_CASE("every flipped bit of a key file is refused as damage") {
  for (const KeyProtection& protection : {kInClear, kSealed}) {
    const Scene scene(protection);
    const Bytes whole = file_bytes(scene.path);
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      CAPTURE(bit);
      Bytes flipped = whole;
      flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      overwrite(scene.path, flipped);
      const Code code = read_key_file(scene.path, protection.passphrase).code();
      CHECK(code == (bit / 8 < 9 ? Code::invalid_argument : Code::data_loss));
    }
  }
}

TEST_CASE("bytes after a key file are refused") {
  for (const std::size_t extra : {1U, 100U}) {
    const Scene scene(kInClear);
    Bytes bytes = file_bytes(scene.path);
    bytes.resize(bytes.size() + extra);
    overwrite(scene.path, bytes);
    CHECK_FALSE(read_key_file(scene.path).has_value());
  }
}

TEST_CASE("the seal of a key file covers its header") {
  const std::size_t public_key_at = 10;
  Scene sealed(kSealed);
  sealed.forge(public_key_at, sealed.identity.public_key().bytes[0]);
  REQUIRE(read_key_file(sealed.path, kSealed.passphrase).has_value());
  sealed.forge(public_key_at, std::byte{0});
  CHECK(read_key_file(sealed.path, kSealed.passphrase).code() == Code::permission_denied);
  Scene clear(kInClear);
  clear.forge(public_key_at, std::byte{0});
  check_refused(read_key_file(clear.path), Code::data_loss, {"do not belong together"});
}

TEST_CASE("a key file that asks for too much work is refused before the work") {
  const std::size_t passes_at = 42;
  Scene scene(kSealed);
  scene.forge(passes_at, std::byte{1});
  check_refused(read_key_file(scene.path, kSealed.passphrase), Code::invalid_argument,
                {"72057594037927937 passes", "allowed are 1 to 16 passes"});
}

TEST_CASE("a key file of another version is refused with both versions") {
  Scene scene(kInClear);
  scene.forge(8, std::byte{2});
  check_refused(read_key_file(scene.path), Code::invalid_argument,
                {"its version is 2", "reads version 1"});
}

TEST_CASE("what cannot be sealed as asked is refused before anything is written") {
  const TempFolder folder;
  CountingEntropy entropy;
  const std::string path = folder.file("x.key");
  const std::string endless(kPassphraseBytesMax + 1, 'p');
  const Identity identity = identity_of(7);
  CHECK(write_key_file(path, identity, {.passphrase = endless, .cost = kArgon2idCostMin}, entropy)
            .code() == Code::invalid_argument);
  CHECK(
      write_key_file(path, identity, {.passphrase = "p", .cost = {.passes = 17}}, entropy).code() ==
      Code::invalid_argument);
  CHECK(folder.files() == 0);
}

TEST_CASE("a key file that is not there or no file is told apart") {
  const TempFolder folder;
  check_refused(read_key_file(folder.file("none.key")), Code::not_found,
                {"none.key: No such file or directory"});
  check_refused(read_key_file(folder.path()), Code::invalid_argument, {"is no regular file"});
  CountingEntropy entropy;
  check_refused(write_key_file(folder.file("none/x.key"), identity_of(7), kInClear, entropy),
                Code::not_found, {"none/x.key"});
}

}  // namespace
}  // namespace tubing::crypto
