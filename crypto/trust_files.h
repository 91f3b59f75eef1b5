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

/// Reads the whole Trust of a folder: `revoked` where it exists, and with it
///
///   ca_only  `ca.pub`, which must exist
///   pinned   `pinned`, which must exist
///   tofu     `known_servers` and `known_clients`, where they exist, into `options.known`
///
/// A program calls it when it starts, and again when the files have changed: it assigns the new
/// Trust in the place of the old, then asks Trust::recheck() about the peers of its sessions.
/// Blocks on the disk.
///
/// Requires: options.known where the mode is tofu.
/// Errors: invalid_argument for what breaks a file's rules, with the line's number; not_found for a
/// file that must exist; permission_denied. Each names the file and what to do. Nothing has changed
/// then: the Trust from before, and what `options.known` knew, still hold.
Result<Trust> read_trust(const KeyFolder& folder, const TrustOptions& options = {});

/// Reads lines `FINGERPRINT NAME USAGE [ROLE...]`; empty lines and what follows a '#' are skipped.
/// Errors: invalid_argument with the number of the line; resource_exhausted beyond kPinsMax.
/// Source: the section "Pinned" of CERTIFICATE.md.
Result<std::vector<Pin>> parse_pins(std::string_view text);

}  // namespace tubing::crypto
