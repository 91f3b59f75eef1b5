// The authority of a key folder: made, or opened with its passphrase.
#pragma once

#include <string>

#include "tubing/channel/base/result.h"
#include "tubing/crypto/authority.h"
#include "tubing/crypto/entropy.h"
#include "tubing/crypto/key_folder.h"
#include "tubing/tube/cli/passphrase.h"

namespace tubing::cli {

/// Writes ca.key, sealed where `passphrase` is not empty, and ca.pub.
/// Errors: already_exists where the folder has either; as write_key_file().
Result<crypto::Authority> make_authority(const crypto::KeyFolder& folder,
                                         const Passphrase& passphrase, crypto::Entropy& entropy);

/// Makes a new authority for a folder that has one: ca.pub names both, ca.key is the new one, and
/// the old one's secret is kept as ca.key.old.
/// Errors: not_found without an authority; already_exists where ca.key.old is there, from a
/// rotation that was not ended; as write_key_file().
Result<crypto::Authority> rotate_authority(const crypto::KeyFolder& folder,
                                           const Passphrase& passphrase, crypto::Entropy& entropy);

/// Reads ca.key. Where it is sealed, its passphrase comes from `passphrase_file` or, where that is
/// empty, from the terminal.
/// Errors: not_found, with where to go; as read_key_file().
Result<crypto::Authority> open_authority(const crypto::KeyFolder& folder,
                                         const std::string& passphrase_file);

}  // namespace tubing::cli
