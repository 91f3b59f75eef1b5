#include "tubing/crypto/cipher.h"

#include <doctest/doctest.h>

#include <string>

namespace tubing::crypto {
namespace {

constexpr Cipher kCiphers[] = {Cipher::chacha_poly, Cipher::aes_gcm};

CipherState keyed(Cipher cipher) {
  CipherState state(cipher);
  state.initialize_key(as_bytes("0123456789abcdef0123456789abcdef"));
  return state;
}

Bytes sealed(CipherState& state, std::string_view text) {
  Bytes bytes(as_bytes(text).begin(), as_bytes(text).end());
  bytes.resize(text.size() + state.overhead());
  REQUIRE(state.encrypt(as_bytes("with"), bytes));
  return bytes;
}

TEST_CASE("a cipher opens what it sealed and numbers its messages") {
  for (const Cipher cipher : kCiphers) {
    if (!cipher_available(cipher)) continue;
    CAPTURE(cipher_name(cipher));
    CipherState sender = keyed(cipher);
    CipherState receiver = keyed(cipher);
    Bytes first = sealed(sender, "hello");
    Bytes second = sealed(sender, "hello");
    CHECK(first != second);
    CHECK(sender.nonce() == 2);
    CHECK(as_text(*receiver.decrypt(as_bytes("with"), first)) == "hello");
    CHECK(as_text(*receiver.decrypt(as_bytes("with"), second)) == "hello");
  }
}

TEST_CASE("a cipher refuses changed bytes and keeps its counter") {
  CipherState sender = keyed(Cipher::chacha_poly);
  CipherState receiver = keyed(Cipher::chacha_poly);
  const Bytes good = sealed(sender, "hello");
  for (std::size_t i = 0; i < good.size(); ++i) {
    Bytes changed = good;
    changed[i] ^= std::byte{1};
    CHECK(receiver.decrypt(as_bytes("with"), changed).code() == Code::unauthenticated);
  }
  Bytes other_data = good;
  CHECK(receiver.decrypt(as_bytes("without"), other_data).code() == Code::unauthenticated);
  Bytes short_of_tag(kTagBytes - 1);
  CHECK(receiver.decrypt({}, short_of_tag).code() == Code::unauthenticated);
  Bytes untouched = good;
  CHECK(as_text(*receiver.decrypt(as_bytes("with"), untouched)) == "hello");
}

TEST_CASE("a cipher without a key passes the plaintext") {
  CipherState state(Cipher::chacha_poly);
  CHECK(state.overhead() == 0);
  Bytes bytes = sealed(state, "hello");
  CHECK(as_text(bytes) == "hello");
  CHECK(as_text(*state.decrypt({}, bytes)) == "hello");
}

TEST_CASE("a cipher refuses to seal or open under the last nonce") {
  CipherState sender = keyed(Cipher::chacha_poly);
  CipherState receiver = keyed(Cipher::chacha_poly);
  for (CipherState* state : {&sender, &receiver}) state->set_nonce(CipherState::kNonceMax - 1);
  Bytes last = sealed(sender, "last");
  Bytes more(4 + kTagBytes);
  CHECK(sender.encrypt({}, more).code() == Code::resource_exhausted);
  CHECK(receiver.decrypt(as_bytes("with"), last));
  CHECK(receiver.decrypt({}, more).code() == Code::resource_exhausted);
}

TEST_CASE("a rekeyed cipher keeps its counter and opens only what the new key sealed") {
  for (const Cipher cipher : kCiphers) {
    if (!cipher_available(cipher)) continue;
    CAPTURE(cipher_name(cipher));
    CipherState sender = keyed(cipher);
    CipherState behind = keyed(cipher);
    CipherState beside = keyed(cipher);
    for (CipherState* state : {&sender, &behind, &beside}) state->set_nonce(5);
    sender.rekey();
    beside.rekey();
    CHECK(sender.nonce() == 5);
    Bytes bytes = sealed(sender, "hello");
    Bytes copy = bytes;
    CHECK(behind.decrypt(as_bytes("with"), copy).code() == Code::unauthenticated);
    CHECK(as_text(*beside.decrypt(as_bytes("with"), bytes)) == "hello");
  }
}

}  // namespace
}  // namespace tubing::crypto
