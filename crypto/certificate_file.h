// Certificate files: what may be copied to anyone, a certificate and the keys of authorities.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/crypto/certificate.h"
#include "tubing/crypto/entropy.h"
#include "tubing/crypto/identity.h"

namespace tubing::crypto {

/// The most authorities that one file may name.
inline constexpr std::size_t kAuthoritiesMax = 64;
inline constexpr std::size_t kAuthoritiesFileBytesMax = 16 << 10;

enum class IfExists : std::uint8_t { refuse, replace };

/// Writes the certificate's canonical bytes. After a crash the file is the old or the new one.
/// `entropy` names the temporary file beside it.
/// Errors: already_exists with IfExists::refuse; the system's own reason. Each names the file.
Result<void> write_certificate_file(const std::string& path, const Certificate& certificate,
                                    IfExists if_exists, Entropy& entropy);
/// Errors: not_found; invalid_argument as decode_certificate(). Each names the file.
Result<Certificate> read_certificate_file(const std::string& path);

/// Writes the authority's fingerprint as one line of text.
/// Errors: as write_certificate_file().
Result<void> write_authority_file(const std::string& path, const PublicKey& authority,
                                  Entropy& entropy);
/// Adds a line to a file that is there; what stands in it stays. A key that it has changes nothing.
/// Errors: as read_authority_file(); resource_exhausted where it has kAuthoritiesMax already.
Result<void> add_authority(const std::string& path, const PublicKey& authority, Entropy& entropy);
/// Reads fingerprints, one a line; empty lines and what follows a '#' are skipped.
/// Errors: invalid_argument for a line that is no fingerprint, with its number, for a text without
/// any, and beyond the limits.
Result<std::vector<PublicKey>> parse_authorities(std::string_view text);
/// Errors: not_found; as parse_authorities(). Each names the file.
Result<std::vector<PublicKey>> read_authority_file(const std::string& path);

}  // namespace tubing::crypto
