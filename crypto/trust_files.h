// Trust files: what a key folder says about whom to believe, read as a whole.
#pragma once

#include <string_view>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/crypto/key_folder.h"
#include "tubing/crypto/trust.h"

namespace tubing::crypto {

/// The most pins that one file may hold.
inline constexpr std::size_t kPinsMax = 4096;
inline constexpr std::size_t kPinsFileBytesMax = 1 << 20;

/// Which of the files of a folder say whom to believe.
struct TrustOptions {
  Trust::Mode mode = Trust::Mode::ca_only;
  /// Required by tofu, for no other mode; outlives the Trust.
  KnownPeers* known = nullptr;
};

/// What the files of a folder say, each for itself: `revoked` where it exists, and beside it
///
///   ca_only  `ca.pub`, which must exist
///   pinned   `pinned`, which must exist
///   tofu     `known_servers` and `known_clients`, where they exist, into `options.known`
///
/// The errors are those of read_trust().
struct TrustFiles {
  Result<Trust> believed;  ///< Revokes nothing.
  Result<Revocations> revoked;

  /// What is good here, and what `before` says in the place of what is bad.
  Trust over(const Trust& before) const;
  /// Ok where every file is good, else the errors of all that are bad.
  Result<> trouble() const;
};

/// Reads them for a program that runs: it assigns over() in the place of its Trust, asks
/// Trust::recheck() about the peers of its sessions, and tells trouble(). So a bad file takes back
/// nothing that it said before, and keeps no other from counting. Blocks on the disk.
/// Requires: options.known where the mode is tofu; each of its two files counts for itself too.
TrustFiles read_trust_files(const KeyFolder& folder, const TrustOptions& options = {});

/// Reads the whole Trust of a folder, for a program that starts. Blocks on the disk.
///
/// Requires: options.known where the mode is tofu.
/// Errors: data_loss for a `revoked` that is not whole; invalid_argument for what breaks a file's
/// rules, with the line's number; not_found for a file that must exist; permission_denied. Each
/// names the file and what to do; where several are bad, the text tells of all.
Result<Trust> read_trust(const KeyFolder& folder, const TrustOptions& options = {});

/// Reads lines `FINGERPRINT NAME USAGE [ROLE...]`; empty lines and what follows a '#' are skipped.
/// Errors: invalid_argument with the number of the line; resource_exhausted beyond kPinsMax.
/// Source: the section "Pinned" of CERTIFICATE.md.
Result<std::vector<Pin>> parse_pins(std::string_view text);

}  // namespace tubing::crypto
