#include "tubing/crypto/key_file.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>

#include "tubing/crypto/detail/small_file.h"
#include "tubing/crypto/secret.h"

namespace tubing::crypto {
namespace {

constexpr const char* kOperation = "key file";
constexpr std::string_view kMagic = "TUBEKEY\n";
constexpr std::size_t kVersionAt = kMagic.size();
constexpr std::size_t kProtectionAt = kVersionAt + 1;
constexpr std::size_t kPublicKeyAt = kProtectionAt + 1;
constexpr std::size_t kClearHeaderBytes = kPublicKeyAt + kPublicKeyBytes;
constexpr std::size_t kPassesAt = kClearHeaderBytes;
constexpr std::size_t kMemoryAt = kPassesAt + 8;
constexpr std::size_t kSaltAt = kMemoryAt + 8;
constexpr std::size_t kSaltBytes = crypto_pwhash_argon2id_SALTBYTES;
constexpr std::size_t kNonceAt = kSaltAt + kSaltBytes;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kSealedHeaderBytes = kNonceAt + kNonceBytes;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kSealingKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kChecksumBytes = 32;
constexpr std::size_t kClearFileBytes = kClearHeaderBytes + kIdentitySeedBytes + kChecksumBytes;
constexpr std::size_t kSealedFileBytes =
    kSealedHeaderBytes + kIdentitySeedBytes + kTagBytes + kChecksumBytes;

constexpr std::byte kInClear{0};
constexpr std::byte kSealed{1};

using FileBytes = Scratch<kSealedFileBytes>;

/// A key file that was read and whose form is good; its secret may still be sealed.
struct Loaded {
  FileBytes file;
  std::size_t size = 0;
  KeyFileInfo info;

  ByteView header() const {
    return file.view().first(info.needs_passphrase ? kSealedHeaderBytes : kClearHeaderBytes);
  }
  /// The seed, sealed or in the clear.
  ByteView secret() const {
    return file.view().first(size - kChecksumBytes).subspan(header().size());
  }
};

Error bad_file(Code code, const std::string& path, std::string_view what) {
  return Error(code, kOperation, fmt::format("{}: {}", path, what));
}

bool within_limits(const Argon2idCost& cost) {
  return cost.passes >= kArgon2idCostMin.passes && cost.passes <= kArgon2idCostMax.passes &&
         cost.memory_bytes >= kArgon2idCostMin.memory_bytes &&
         cost.memory_bytes <= kArgon2idCostMax.memory_bytes;
}

std::string cost_advice(const Argon2idCost& cost) {
  return fmt::format(
      "Argon2id with {} passes over {} bytes; allowed are {} to {} passes over {} to "
      "{} bytes",
      cost.passes, cost.memory_bytes, kArgon2idCostMin.passes, kArgon2idCostMax.passes,
      kArgon2idCostMin.memory_bytes, kArgon2idCostMax.memory_bytes);
}

/// The BLAKE2b hash that tells damage from a wrong passphrase; it keeps no forger away.
void checksum(ByteView body, MutableBytes out) {
  TUBING_ASSERT(out.size() == kChecksumBytes, out.size());
  crypto_generichash(as_uchars(out), out.size(), as_uchars(body), body.size(), nullptr, 0);
}

/// Stretches the passphrase with the cost and the salt that the header states.
/// Returns false where the memory is not to be had.
bool derive_sealing_key(std::string_view passphrase, const Argon2idCost& cost, ByteView header,
                        MutableBytes key) {
  return crypto_pwhash_argon2id(as_uchars(key), key.size(), passphrase.data(), passphrase.size(),
                                as_uchars(header.subspan(kSaltAt)), cost.passes, cost.memory_bytes,
                                crypto_pwhash_argon2id_ALG_ARGON2ID13) == 0;
}

/// Writes magic, version, protection and public key.
void put_header(const Identity& identity, std::byte protection, MutableBytes out) {
  std::ranges::copy(as_bytes(kMagic), out.begin());
  out[kVersionAt] = static_cast<std::byte>(kKeyFileVersion);
  out[kProtectionAt] = protection;
  std::ranges::copy(identity.public_key().bytes, out.begin() + kPublicKeyAt);
}

/// Writes the rest of the header and the sealed seed. Returns false as derive_sealing_key().
bool seal(const Identity& identity, const KeyProtection& protection, Entropy& entropy,
          MutableBytes out) {
  store_be64(out.data() + kPassesAt, protection.cost.passes);
  store_be64(out.data() + kMemoryAt, protection.cost.memory_bytes);
  entropy.fill(out.subspan(kSaltAt, kSaltBytes + kNonceBytes));
  const ByteView header = out.first(kSealedHeaderBytes);
  Scratch<kSealingKeyBytes> key;
  if (!derive_sealing_key(protection.passphrase, protection.cost, header, key.bytes()))
    return false;
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      as_uchars(out.subspan(kSealedHeaderBytes)), nullptr, as_uchars(identity.seed()),
      kIdentitySeedBytes, as_uchars(header), header.size(), nullptr,
      as_uchars(header.subspan(kNonceAt)), as_uchars(key.view()));
  return true;
}

/// Opens the sealed seed. Returns false where key, header and secret do not belong together.
bool unseal(const Loaded& loaded, ByteView key, MutableBytes seed) {
  const ByteView header = loaded.header();
  const ByteView sealed = loaded.secret();
  return crypto_aead_xchacha20poly1305_ietf_decrypt(
             as_uchars(seed), nullptr, nullptr, as_uchars(sealed), sealed.size(), as_uchars(header),
             header.size(), as_uchars(header.subspan(kNonceAt)), as_uchars(key)) == 0;
}

Result<void> check_passphrase(const std::string& path, std::string_view passphrase) {
  if (passphrase.size() > kPassphraseBytesMax)
    return bad_file(Code::invalid_argument, path,
                    fmt::format("the passphrase has {} bytes; at most {} are allowed",
                                passphrase.size(), kPassphraseBytesMax));
  return {};
}

/// Checks everything that needs no passphrase, and fills `loaded.info`.
Result<void> check_form(const std::string& path, Loaded& loaded) {
  const ByteView file = loaded.file.view().first(loaded.size);
  if (file.size() <= kProtectionAt || as_text(file.first(kMagic.size())) != kMagic)
    return bad_file(Code::invalid_argument, path, "is no key file");
  if (file[kVersionAt] != static_cast<std::byte>(kKeyFileVersion))
    return bad_file(Code::invalid_argument, path,
                    fmt::format("its version is {}; this program reads version {}",
                                std::to_integer<unsigned>(file[kVersionAt]), kKeyFileVersion));
  const std::byte protection = file[kProtectionAt];
  loaded.info.needs_passphrase = protection != kInClear;
  const std::size_t size = loaded.info.needs_passphrase ? kSealedFileBytes : kClearFileBytes;
  if (protection > kSealed || file.size() != size)
    return bad_file(Code::data_loss, path,
                    fmt::format("is damaged: {} bytes instead of {}; restore it from a copy",
                                file.size(), size));
  std::array<std::byte, kChecksumBytes> sum;
  checksum(file.first(size - kChecksumBytes), sum);
  if (!std::ranges::equal(sum, file.last(kChecksumBytes)))
    return bad_file(Code::data_loss, path,
                    "is damaged: its checksum does not fit; restore it from a copy");
  std::ranges::copy(file.subspan(kPublicKeyAt, kPublicKeyBytes),
                    loaded.info.public_key.bytes.begin());
  if (!loaded.info.needs_passphrase) return {};
  loaded.info.cost = {.passes = load_be64(file.data() + kPassesAt),
                      .memory_bytes = load_be64(file.data() + kMemoryAt)};
  if (!within_limits(loaded.info.cost))
    return bad_file(Code::invalid_argument, path, "asks for " + cost_advice(loaded.info.cost));
  return {};
}

Result<void> load(const std::string& path, Loaded& loaded) {
  const auto size = detail::read_small_file(path, detail::Readers::owner, loaded.file.bytes());
  if (size.code() == Code::out_of_range)
    return bad_file(Code::invalid_argument, path, "is no key file: it is too long for one");
  if (!size) return size.error();
  loaded.size = *size;
  return check_form(path, loaded);
}

/// Copies the seed out of a file that holds it in the clear, or opens the seal.
Result<void> open_secret(const std::string& path, const Loaded& loaded, std::string_view passphrase,
                         MutableBytes seed) {
  if (!loaded.info.needs_passphrase) {
    std::ranges::copy(loaded.secret(), seed.begin());
    return {};
  }
  if (passphrase.empty()) return bad_file(Code::permission_denied, path, "needs its passphrase");
  if (auto checked = check_passphrase(path, passphrase); !checked) return checked;
  Scratch<kSealingKeyBytes> key;
  if (!derive_sealing_key(passphrase, loaded.info.cost, loaded.header(), key.bytes()))
    return bad_file(Code::resource_exhausted, path,
                    "no memory for " + cost_advice(loaded.info.cost));
  if (!unseal(loaded, key.view(), seed))
    return bad_file(Code::permission_denied, path, "wrong passphrase; try again");
  return {};
}

}  // namespace

Result<void> write_key_file(const std::string& path, const Identity& identity,
                            const KeyProtection& protection, Entropy& entropy) {
  if (auto checked = check_passphrase(path, protection.passphrase); !checked) return checked;
  const bool sealed = !protection.passphrase.empty();
  if (sealed && !within_limits(protection.cost))
    return bad_file(Code::invalid_argument, path, "cannot use " + cost_advice(protection.cost));
  const std::size_t size = sealed ? kSealedFileBytes : kClearFileBytes;
  FileBytes file;
  const MutableBytes out = file.bytes().first(size);
  put_header(identity, sealed ? kSealed : kInClear, out);
  if (!sealed)
    std::ranges::copy(identity.seed(), out.begin() + kClearHeaderBytes);
  else if (!seal(identity, protection, entropy, out))
    return bad_file(Code::resource_exhausted, path,
                    "no memory for " + cost_advice(protection.cost));
  checksum(out.first(size - kChecksumBytes), out.last(kChecksumBytes));
  return detail::write_small_file(path, detail::Readers::owner, out, IfExists::refuse, entropy);
}

Result<Identity> read_key_file(const std::string& path, std::string_view passphrase) {
  Loaded loaded;
  if (auto read = load(path, loaded); !read) return std::move(read).error();
  Scratch<kIdentitySeedBytes> seed;
  if (auto opened = open_secret(path, loaded, passphrase, seed.bytes()); !opened)
    return std::move(opened).error();
  Identity identity = Identity::from_seed(seed.view());
  if (identity.public_key() != loaded.info.public_key)
    return bad_file(Code::data_loss, path,
                    "its secret and its public key do not belong together; restore it from a copy");
  return identity;
}

Result<KeyFileInfo> inspect_key_file(const std::string& path) {
  Loaded loaded;
  if (auto read = load(path, loaded); !read) return std::move(read).error();
  return loaded.info;
}

}  // namespace tubing::crypto
