#include "tubing/crypto/cipher.h"

#include <sodium.h>

#include <array>

namespace tubing::crypto {

namespace {

using Nonce = std::array<std::byte, 12>;

// 32 zero bits, then the counter: little-endian for ChaChaPoly, big-endian for AESGCM.
Nonce make_nonce(Cipher cipher, std::uint64_t counter) {
  Nonce nonce{};
  if (cipher == Cipher::chacha_poly) {
    store_le64(nonce.data() + 4, counter);
  } else {
    store_be64(nonce.data() + 4, counter);
  }
  return nonce;
}

void seal_bytes(Cipher cipher, ByteView key, std::uint64_t counter, ByteView associated,
                MutableBytes message) {
  const Nonce nonce = make_nonce(cipher, counter);
  const auto seal = cipher == Cipher::chacha_poly ? crypto_aead_chacha20poly1305_ietf_encrypt
                                                  : crypto_aead_aes256gcm_encrypt;
  seal(as_uchars(message), nullptr, as_uchars(message), message.size() - kTagBytes,
       as_uchars(associated), associated.size(), nullptr, as_uchars(ByteView(nonce)),
       as_uchars(key));
}

bool open_bytes(Cipher cipher, ByteView key, std::uint64_t counter, ByteView associated,
                MutableBytes message) {
  const Nonce nonce = make_nonce(cipher, counter);
  const auto open = cipher == Cipher::chacha_poly ? crypto_aead_chacha20poly1305_ietf_decrypt
                                                  : crypto_aead_aes256gcm_decrypt;
  return open(as_uchars(message), nullptr, nullptr, as_uchars(message), message.size(),
              as_uchars(associated), associated.size(), as_uchars(ByteView(nonce)),
              as_uchars(key)) == 0;
}

Error nonces_used_up() {
  return Error(Code::resource_exhausted, "cipher",
               "all 2^64-1 nonces of this key are used; open a new connection");
}

}  // namespace

std::string_view cipher_name(Cipher cipher) {
  return cipher == Cipher::chacha_poly ? "ChaChaPoly" : "AESGCM";
}

std::optional<Cipher> cipher_from_name(std::string_view name) {
  for (const Cipher cipher : {Cipher::chacha_poly, Cipher::aes_gcm}) {
    if (name == cipher_name(cipher)) return cipher;
  }
  return std::nullopt;
}

bool cipher_available(Cipher cipher) {
  TUBING_ASSERT(sodium_init() >= 0);
  return cipher == Cipher::chacha_poly || crypto_aead_aes256gcm_is_available() != 0;
}

CipherState::CipherState(Cipher cipher) : cipher_(cipher) {
  TUBING_ASSERT(cipher_available(cipher), cipher_name(cipher));
}

void CipherState::initialize_key(ByteView key) {
  TUBING_ASSERT(!wiped_);
  key_.emplace(key);
  nonce_ = 0;
}

Result<> CipherState::encrypt(ByteView associated, MutableBytes message) {
  TUBING_ASSERT(!wiped_);
  if (!has_key()) return {};
  TUBING_ASSERT(message.size() >= kTagBytes, message.size());
  if (nonce_ == kNonceMax) return nonces_used_up();
  seal_bytes(cipher_, key_->view(), nonce_, associated, message);
  ++nonce_;
  return {};
}

Result<MutableBytes> CipherState::decrypt(ByteView associated, MutableBytes message) {
  TUBING_ASSERT(!wiped_);
  if (!has_key()) return message;
  if (nonce_ == kNonceMax) return nonces_used_up();
  if (message.size() < kTagBytes) {
    return Error(Code::unauthenticated, "cipher", "the message is shorter than its tag");
  }
  if (!open_bytes(cipher_, key_->view(), nonce_, associated, message)) {
    return Error(Code::unauthenticated, "cipher",
                 "the tag does not match: the bytes were changed, reordered or sealed with "
                 "another key");
  }
  ++nonce_;
  return message.first(message.size() - kTagBytes);
}

void CipherState::rekey() {
  TUBING_ASSERT(has_key());
  Scratch<kCipherKeyBytes + kTagBytes> next;
  seal_bytes(cipher_, key_->view(), kNonceMax, {}, next.bytes());
  std::memcpy(key_->bytes().data(), next.view().data(), kCipherKeyBytes);
}

void CipherState::wipe() {
  key_.reset();
  wiped_ = true;
}

}  // namespace tubing::crypto
