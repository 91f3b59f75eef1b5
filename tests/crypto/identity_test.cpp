#include "tubing/crypto/identity.h"

#include <doctest/doctest.h>

#include "tests/crypto/identity_fixtures.h"

namespace tubing::crypto {
namespace {

// Source: RFC 8032 §7.1, TEST 1.
constexpr std::array<std::uint8_t, kIdentitySeedBytes> kRfcSeed = {
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60};
constexpr std::string_view kRfcPublicHex =
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

TEST_CASE("an identity derives its public key from the seed as RFC 8032 does") {
  const Identity identity = Identity::from_seed(std::as_bytes(std::span(kRfcSeed)));
  CHECK(to_hex(identity.public_key().bytes) == kRfcPublicHex);
  CHECK(to_hex(identity.seed()) == to_hex(std::as_bytes(std::span(kRfcSeed))));
}

TEST_CASE("an identity is generated from entropy alone") {
  CountingEntropy first;
  CountingEntropy again;
  const Identity a = Identity::generate(first);
  CHECK(a.public_key() == Identity::generate(again).public_key());
  CHECK(a.public_key() != Identity::generate(first).public_key());
}

TEST_CASE("a signature holds for its own key and domain and message only") {
  const Identity signer = identity_of(1);
  const ByteView message = as_bytes("hello");
  const Signature signature = signer.sign("greeting", message);
  CHECK(verify(signer.public_key(), "greeting", message, signature));
  CHECK_FALSE(verify(signer.public_key(), "greetin", as_bytes("ghello"), signature));
  CHECK_FALSE(verify(signer.public_key(), "farewell", message, signature));
  CHECK_FALSE(verify(signer.public_key(), "greeting", as_bytes("hellO"), signature));
  CHECK_FALSE(verify(identity_of(2).public_key(), "greeting", message, signature));
  for (std::size_t i = 0; i < signature.size(); ++i) {
    CAPTURE(i);
    Signature damaged = signature;
    damaged[i] ^= std::byte{0x10};
    CHECK_FALSE(verify(signer.public_key(), "greeting", message, damaged));
  }
}

TEST_CASE("a key of small order signs nothing") {
  PublicKey neutral;
  neutral.bytes[0] = std::byte{1};
  Signature signature{};
  signature[0] = std::byte{1};
  CHECK_FALSE(verify(neutral, "greeting", as_bytes("hello"), signature));
}

TEST_CASE("a fingerprint is the whole key and parses back") {
  for (int byte = 0; byte < 256; ++byte) {
    const PublicKey key = identity_of(static_cast<std::uint8_t>(byte)).public_key();
    const std::string text = key.fingerprint();
    CAPTURE(text);
    CHECK(text.size() == kFingerprintChars);
    REQUIRE(PublicKey::parse(text).has_value());
    CHECK(*PublicKey::parse(text) == key);
  }
  PublicKey ones;
  ones.bytes.fill(std::byte{0xff});
  CHECK(PublicKey{}.fingerprint() == "ed25519:" + std::string(52, 'a'));
  CHECK(ones.fingerprint() == "ed25519:" + std::string(51, '7') + "q");
}

TEST_CASE("what is not a fingerprint is refused with the reason") {
  const std::string zeros = "ed25519:" + std::string(51, 'a');
  struct Row {
    std::string text;
    std::string_view reason;
  };
  for (const Row& row :
       {Row{"", "does not begin with its kind"}, Row{"rsa:abc", "does not begin with its kind"},
        Row{zeros, "59 characters long instead of 60"},
        Row{zeros + "aa", "61 characters long instead of 60"},
        Row{zeros + "1", "byte 0x31 is no digit"}, Row{zeros + "A", "byte 0x41 is no digit"},
        Row{zeros + "b", "its last digit is wrong"}}) {
    CAPTURE(row.text);
    const auto parsed = PublicKey::parse(row.text);
    REQUIRE(parsed.code() == Code::invalid_argument);
    CHECK(parsed.error().detail().contains(row.reason));
  }
}

}  // namespace
}  // namespace tubing::crypto
