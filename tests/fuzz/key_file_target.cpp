// Key files: any bytes are refused by name or give the key that they state, at a bounded cost.
//
// The target brings its own Argon2id in the place of libsodium's: it checks what the reader asks
// for, and costs next to nothing, so that a fuzzer gets behind it thousands of times a second.
#include <sodium.h>

#include <algorithm>

#include "tests/fuzz/input.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"
#include "tubing/channel/base/assert.h"
#include "tubing/crypto/key_file.h"

extern "C" int crypto_pwhash_argon2id(unsigned char* const out, unsigned long long out_size,
                                      const char* const passphrase,
                                      unsigned long long passphrase_size,
                                      const unsigned char* const salt, unsigned long long passes,
                                      std::size_t memory_bytes, int algorithm) {
  using namespace tubing::crypto;
  TUBING_ASSERT(passes >= kArgon2idCostMin.passes && passes <= kArgon2idCostMax.passes, passes);
  TUBING_ASSERT(memory_bytes <= kArgon2idCostMax.memory_bytes, memory_bytes);
  TUBING_ASSERT(memory_bytes >= kArgon2idCostMin.memory_bytes, memory_bytes);
  TUBING_ASSERT(passphrase_size <= kPassphraseBytesMax, passphrase_size);
  TUBING_ASSERT(algorithm == crypto_pwhash_argon2id_ALG_ARGON2ID13, algorithm);
  std::array<unsigned char, crypto_pwhash_argon2id_SALTBYTES + 2> words{};
  std::copy_n(salt, crypto_pwhash_argon2id_SALTBYTES, words.begin());
  words[crypto_pwhash_argon2id_SALTBYTES] = static_cast<unsigned char>(passes);
  words.back() = passphrase_size == 0 ? 0 : static_cast<unsigned char>(passphrase[0]);
  return crypto_generichash(out, out_size, words.data(), words.size(), nullptr, 0);
}

namespace tubing::fuzz {
namespace {

// Places in a file, said a second time; the page is crypto/CERTIFICATE.md.
constexpr std::size_t kPublicKeyAt = 10;
constexpr std::size_t kClearSeedAt = kPublicKeyAt + crypto::kPublicKeyBytes;
constexpr std::size_t kCostAt = kClearSeedAt;
constexpr std::size_t kSaltAt = kCostAt + 16;
constexpr std::size_t kNonceAt = kSaltAt + crypto_pwhash_argon2id_SALTBYTES;
constexpr std::size_t kSealedSeedAt = kNonceAt + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kChecksumBytes = 32;
constexpr std::size_t kSealedBytes =
    kSealedSeedAt + crypto::kIdentitySeedBytes + kTagBytes + kChecksumBytes;

/// What a forger who knows the format mends behind his changes.
enum Forgery : unsigned { kChecksum = 1, kPublicKey = 2, kSeal = 4 };

void put_public_key(MutableBytes file, std::size_t seed_at) {
  if (file.size() < seed_at + crypto::kIdentitySeedBytes) return;
  const auto identity =
      crypto::Identity::from_seed(ByteView(file).subspan(seed_at, crypto::kIdentitySeedBytes));
  std::ranges::copy(identity.public_key().bytes, file.begin() + kPublicKeyAt);
}

/// Seals what stands in the place of the seed, for a passphrase that begins with 'p'.
void put_seal(MutableBytes file) {
  const std::uint64_t passes = load_be64(file.data() + kCostAt);
  const std::uint64_t memory = load_be64(file.data() + kCostAt + 8);
  const bool is_cheap = passes >= crypto::kArgon2idCostMin.passes &&
                        passes <= crypto::kArgon2idCostMax.passes &&
                        memory >= crypto::kArgon2idCostMin.memory_bytes &&
                        memory <= crypto::kArgon2idCostMax.memory_bytes;
  if (!is_cheap) return;
  std::array<unsigned char, crypto_aead_xchacha20poly1305_ietf_KEYBYTES> key;
  const int status =
      crypto_pwhash_argon2id(key.data(), key.size(), "p", 1, as_uchars(ByteView(file)) + kSaltAt,
                             passes, memory, crypto_pwhash_argon2id_ALG_ARGON2ID13);
  TUBING_ASSERT(status == 0);
  unsigned char* bytes = as_uchars(file);
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + kSealedSeedAt, nullptr, bytes + kSealedSeedAt,
                                             crypto::kIdentitySeedBytes, bytes, kSealedSeedAt,
                                             nullptr, bytes + kNonceAt, key.data());
}

void forge(Bytes& file, unsigned forgery) {
  const bool is_sealed = file.size() == kSealedBytes;
  if ((forgery & kPublicKey) != 0) put_public_key(file, is_sealed ? kSealedSeedAt : kClearSeedAt);
  if ((forgery & kSeal) != 0 && is_sealed) put_seal(file);
  if ((forgery & kChecksum) == 0 || file.size() < kChecksumBytes) return;
  const std::size_t body = file.size() - kChecksumBytes;
  crypto_generichash(as_uchars(MutableBytes(file)) + body, kChecksumBytes,
                     as_uchars(ByteView(file)), body, nullptr, 0);
}

void check_refusal(const Error& error) {
  const Code code = error.code();
  TUBING_ASSERT(
      code == Code::invalid_argument || code == Code::data_loss || code == Code::permission_denied,
      error.text());
}

void run(ByteView input) {
  Input in(input);
  const unsigned forgery = in.byte();
  const ByteView rest = in.rest();
  Bytes bytes(rest.begin(), rest.end());
  forge(bytes, forgery);
  const MemoryFile file(bytes, 0600);
  const auto info = crypto::inspect_key_file(file.path());
  const auto identity = crypto::read_key_file(file.path(), "passphrase");
  if (!info) {
    check_refusal(info.error());
    TUBING_ASSERT(identity.code() == info.code());
    return;
  }
  const bool wants_more = crypto::read_key_file(file.path()).code() == Code::permission_denied;
  TUBING_ASSERT(info->needs_passphrase == wants_more);
  if (!identity) return check_refusal(identity.error());
  TUBING_ASSERT(identity->public_key() == info->public_key);
  TUBING_ASSERT(std::ranges::equal(identity->public_key().bytes,
                                   ByteView(bytes).subspan(kPublicKeyAt, crypto::kPublicKeyBytes)));
}

/// A file in the form of the page, before any forgery.
Script file_of(unsigned forgery, bool is_sealed, std::uint64_t passes) {
  Script script;
  script.byte(forgery).text("TUBEKEY\n").byte(1).byte(is_sealed ? 1 : 0);
  script.bytes(Bytes(crypto::kPublicKeyBytes, std::byte{9}));
  if (is_sealed) {
    Bytes cost(16);
    store_be64(cost.data(), passes);
    store_be64(cost.data() + 8, 8 << 10);
    script.bytes(cost).bytes(Bytes(kSealedSeedAt - kSaltAt, std::byte{3}));
  }
  script.bytes(Bytes(crypto::kIdentitySeedBytes, std::byte{7}));
  if (is_sealed) script.bytes(Bytes(kTagBytes, std::byte{0}));
  return script.bytes(Bytes(kChecksumBytes, std::byte{0}));
}

std::vector<Bytes> seeds() {
  return {file_of(0, false, 0),
          file_of(kChecksum, false, 0),
          file_of(kChecksum | kPublicKey, false, 0),
          file_of(kChecksum, true, 3),
          file_of(kChecksum | kPublicKey | kSeal, true, 1),
          file_of(kChecksum | kPublicKey, true, 2),
          Script().byte(kChecksum).text("TUBEKEY\n").byte(2).byte(0)};
}

}  // namespace

Target key_file_target() { return {"key_file", run, seeds}; }

}  // namespace tubing::fuzz
