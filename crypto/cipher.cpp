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

static_assert(kAesScheduleBytes == sizeof(crypto_aead_aes256gcm_state));

const crypto_aead_aes256gcm_state* schedule_of(const Secret<kAesScheduleBytes>& aes) {
  return reinterpret_cast<const crypto_aead_aes256gcm_state*>(aes.view().data());
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
  TUBING_ASSERT(key.size() == kCipherKeyBytes, key.size());
  nonce_ = 0;
  if (cipher_ == Cipher::chacha_poly) {
    key_.emplace(key);
    return;
  }
  aes_.emplace();
  auto* state = reinterpret_cast<crypto_aead_aes256gcm_state*>(aes_->bytes().data());
  TUBING_ASSERT(crypto_aead_aes256gcm_beforenm(state, as_uchars(key)) == 0);
}

void CipherState::seal(std::uint64_t counter, ByteView associated, MutableBytes message) const {
  const Nonce nonce = make_nonce(cipher_, counter);
  const std::size_t size = message.size() - kTagBytes;
  unsigned char* const bytes = as_uchars(message);
  if (aes_) {
    crypto_aead_aes256gcm_encrypt_afternm(bytes, nullptr, bytes, size, as_uchars(associated),
                                          associated.size(), nullptr, as_uchars(ByteView(nonce)),
                                          schedule_of(*aes_));
  } else {
    crypto_aead_chacha20poly1305_ietf_encrypt(bytes, nullptr, bytes, size, as_uchars(associated),
                                              associated.size(), nullptr,
                                              as_uchars(ByteView(nonce)), as_uchars(key_->view()));
  }
}

bool CipherState::open(ByteView associated, MutableBytes message) const {
  const Nonce nonce = make_nonce(cipher_, nonce_);
  unsigned char* const bytes = as_uchars(message);
  if (aes_)
    return crypto_aead_aes256gcm_decrypt_afternm(
               bytes, nullptr, nullptr, bytes, message.size(), as_uchars(associated),
               associated.size(), as_uchars(ByteView(nonce)), schedule_of(*aes_)) == 0;
  return crypto_aead_chacha20poly1305_ietf_decrypt(
             bytes, nullptr, nullptr, bytes, message.size(), as_uchars(associated),
             associated.size(), as_uchars(ByteView(nonce)), as_uchars(key_->view())) == 0;
}

Result<> CipherState::encrypt(ByteView associated, MutableBytes message) {
  TUBING_ASSERT(!wiped_);
  if (!has_key()) return {};
  TUBING_ASSERT(message.size() >= kTagBytes, message.size());
  if (nonce_ == kNonceMax) return nonces_used_up();
  seal(nonce_, associated, message);
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
  if (!open(associated, message)) {
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
  seal(kNonceMax, {}, next.bytes());
  const std::uint64_t nonce = nonce_;
  initialize_key(next.view().first(kCipherKeyBytes));
  nonce_ = nonce;
}

void CipherState::wipe() {
  key_.reset();
  aes_.reset();
  wiped_ = true;
}

}  // namespace tubing::crypto
