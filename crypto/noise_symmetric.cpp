#include "tubing/crypto/noise_symmetric.h"

#include <sodium.h>

namespace tubing::crypto {

namespace {

// HMAC-SHA256 over two parts, so that HKDF need not join them.
void hmac(ByteView key, ByteView first, ByteView second, MutableBytes out) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, as_uchars(key), key.size());
  crypto_auth_hmacsha256_update(&state, as_uchars(first), first.size());
  crypto_auth_hmacsha256_update(&state, as_uchars(second), second.size());
  crypto_auth_hmacsha256_final(&state, as_uchars(out));
  sodium_memzero(&state, sizeof state);
}

// Noise's HKDF: `out` is cut into two or three outputs of 32 bytes. `out` overlaps no input.
void hkdf(ByteView chaining_key, ByteView input, MutableBytes out) {
  Scratch<kHashBytes> temporary;
  hmac(chaining_key, input, {}, temporary.bytes());
  ByteView previous;
  for (std::size_t i = 0; i < out.size() / kHashBytes; ++i) {
    const std::byte counter{static_cast<unsigned char>(i + 1)};
    const MutableBytes output = out.subspan(i * kHashBytes, kHashBytes);
    hmac(temporary.view(), previous, {&counter, 1}, output);
    previous = output;
  }
}

HashBytes sha256(ByteView first, ByteView second) {
  HashBytes digest;
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, as_uchars(first), first.size());
  crypto_hash_sha256_update(&state, as_uchars(second), second.size());
  crypto_hash_sha256_final(&state, as_uchars(MutableBytes(digest)));
  return digest;
}

void copy(ByteView from, MutableBytes to) { std::memcpy(to.data(), from.data(), to.size()); }

}  // namespace

SymmetricState::SymmetricState(std::string_view protocol_name, Cipher cipher)
    : cipher_(cipher), cipher_kind_(cipher) {
  if (protocol_name.size() <= kHashBytes) {
    std::memcpy(hash_.data(), protocol_name.data(), protocol_name.size());
  } else {
    hash_ = sha256(as_bytes(protocol_name), {});
  }
  copy(hash_, chaining_key_.bytes());
}

void SymmetricState::mix_key(ByteView input) {
  Scratch<2 * kHashBytes> outputs;
  hkdf(chaining_key_.view(), input, outputs.bytes());
  copy(outputs.view().first(kHashBytes), chaining_key_.bytes());
  cipher_.initialize_key(outputs.view().last(kHashBytes));
}

void SymmetricState::mix_hash(ByteView data) { hash_ = sha256(hash_, data); }

void SymmetricState::mix_key_and_hash(ByteView input) {
  Scratch<3 * kHashBytes> outputs;
  hkdf(chaining_key_.view(), input, outputs.bytes());
  copy(outputs.view().first(kHashBytes), chaining_key_.bytes());
  mix_hash(outputs.view().subspan(kHashBytes, kHashBytes));
  cipher_.initialize_key(outputs.view().last(kHashBytes));
}

Result<> SymmetricState::encrypt_and_hash(MutableBytes message) {
  if (auto sealed = cipher_.encrypt(hash_, message); !sealed) return sealed;
  mix_hash(message);
  return {};
}

Result<MutableBytes> SymmetricState::decrypt_and_hash(MutableBytes message) {
  const HashBytes next = sha256(hash_, message);
  auto plaintext = cipher_.decrypt(hash_, message);
  if (plaintext) hash_ = next;
  return plaintext;
}

CipherPair SymmetricState::split() const {
  Scratch<2 * kHashBytes> outputs;
  hkdf(chaining_key_.view(), {}, outputs.bytes());
  CipherPair pair{CipherState(cipher_kind_), CipherState(cipher_kind_)};
  pair.initiator_to_responder.initialize_key(outputs.view().first(kHashBytes));
  pair.responder_to_initiator.initialize_key(outputs.view().last(kHashBytes));
  return pair;
}

void SymmetricState::wipe() {
  chaining_key_.wipe();
  cipher_.wipe();
}

}  // namespace tubing::crypto
