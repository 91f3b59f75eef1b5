// Pre-shared key file: 32 secret bytes that both sides of a connection must have, as text.
#pragma once

#include <string>

#include "tubing/channel/base/result.h"
#include "tubing/crypto/entropy.h"
#include "tubing/crypto/noise_handshake.h"
#include "tubing/crypto/secret.h"

namespace tubing::crypto {

/// Draws a key.
Secret<kPskBytes> make_psk(Entropy& entropy);

/// Writes the new file `path` with mode 0600. After a crash it is there in whole or not at all.
/// Errors: already_exists; the system's own reason. Each names the file.
/// Source: the section "Pre-shared key file" of CERTIFICATE.md.
Result<> write_psk_file(const std::string& path, const Secret<kPskBytes>& psk, Entropy& entropy);

/// Errors: not_found; permission_denied where others may read the file, with the command that mends
/// it; invalid_argument for a file of another kind or version; data_loss for a damaged one. Each
/// names the file.
Result<Secret<kPskBytes>> read_psk_file(const std::string& path);

/// 16 digits that tell two keys apart and reveal neither: to compare the two sides by.
std::string psk_checksum(const Secret<kPskBytes>& psk);

}  // namespace tubing::crypto
