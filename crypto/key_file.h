// Key file: an identity at rest, in a file that its owner alone may read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tubing/channel/base/result.h"
#include "tubing/crypto/entropy.h"
#include "tubing/crypto/identity.h"

namespace tubing::crypto {

/// What guessing a passphrase costs. A file states the cost that it was made with.
/// Source: RFC 9106 §4; one lane.
struct Argon2idCost {
  std::uint64_t passes = 3;
  std::uint64_t memory_bytes = 256ULL << 20;

  friend bool operator==(const Argon2idCost&, const Argon2idCost&) = default;
};

/// The most that a file may make its reader pay, and the least that makes sense of the numbers.
inline constexpr Argon2idCost kArgon2idCostMax{.passes = 16, .memory_bytes = 1ULL << 30};
inline constexpr Argon2idCost kArgon2idCostMin{.passes = 1, .memory_bytes = 8 << 10};
inline constexpr std::size_t kPassphraseBytesMax = 1024;
inline constexpr std::uint8_t kKeyFileVersion = 1;

/// How a new key file is sealed. Without a passphrase its mode is its only protection.
struct KeyProtection {
  std::string_view passphrase;
  Argon2idCost cost;
};

/// What a key file tells without its passphrase.
struct KeyFileInfo {
  PublicKey public_key;
  bool needs_passphrase = false;
  /// Meaningful where a passphrase is needed.
  Argon2idCost cost;
};

/// Writes `identity` to the new file `path` with mode 0600. After a crash the file is there in
/// whole or not at all.
///
/// Errors: already_exists, for no key is ever overwritten; invalid_argument for a passphrase or a
/// cost beyond its limits; resource_exhausted where the memory for the cost is not to be had; the
/// system's own reason otherwise. Each names the file.
/// Source: the section "Key file" of CERTIFICATE.md.
Result<void> write_key_file(const std::string& path, const Identity& identity,
                            const KeyProtection& protection, Entropy& entropy);

/// Reads what `write_key_file` wrote; a passphrase that is not needed is ignored.
///
/// Errors: not_found; permission_denied where others may read the file, with the command that mends
/// it, and for a missing or wrong passphrase; data_loss for a damaged file; invalid_argument for a
/// file that is no key file, or of another version, or that asks for more than kArgon2idCostMax.
Result<Identity> read_key_file(const std::string& path, std::string_view passphrase = {});

/// Errors: as read_key_file(), apart from passphrases.
Result<KeyFileInfo> inspect_key_file(const std::string& path);

}  // namespace tubing::crypto
