// Revocations: keys and certificates that are believed no more, though they have not expired.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "tubing/channel/base/result.h"
#include "tubing/crypto/certificate.h"
#include "tubing/crypto/entropy.h"
#include "tubing/crypto/identity.h"

namespace tubing::crypto {

/// The most that one list may revoke.
inline constexpr std::size_t kRevocationsMax = 8192;
inline constexpr std::size_t kRevocationsFileBytesMax = 1 << 20;

/// One line of a list: a key with all of its certificates, or one certificate by the serial that
/// its issuer gave it. An authority's key takes with it all that the authority has signed.
struct Revocation {
  PublicKey key;                        ///< Whose; the issuer's where `serial` is given.
  std::optional<std::uint64_t> serial;  ///< Of the one certificate; empty: the key itself.

  static Revocation of_key(const PublicKey& key) { return {key, std::nullopt}; }
  static Revocation of_certificate(const Certificate& certificate) {
    return {certificate.issuer, certificate.serial};
  }
  /// The line of the file `revoked`, without its end.
  std::string text() const;
};

/// What is revoked. A value; without any entries it revokes nothing.
///
/// Source: the section "Revoked" of CERTIFICATE.md.
class Revocations {
 public:
  /// Returns: whether it was not there yet.
  /// Errors: resource_exhausted beyond kRevocationsMax.
  Result<bool> add(const Revocation& revocation);

  bool has_key(const PublicKey& key) const { return keys_.contains(key); }
  bool has_certificate(const PublicKey& issuer, std::uint64_t serial) const {
    return serials_.contains({issuer, serial});
  }
  bool has(const Revocation& revocation) const {
    return revocation.serial ? has_certificate(revocation.key, *revocation.serial)
                             : has_key(revocation.key);
  }
  std::size_t size() const { return keys_.size() + serials_.size(); }

 private:
  std::set<PublicKey> keys_;
  std::set<std::pair<PublicKey, std::uint64_t>> serials_;
};

/// Reads the 16 hexadecimal digits with which `tube key show` prints a serial.
std::optional<std::uint64_t> parse_serial(std::string_view text);
std::string serial_text(std::uint64_t serial);

/// Reads the text of a file `revoked`: lines `key FINGERPRINT` and `serial SERIAL ISSUER`, and the
/// closing line behind them; empty lines and what follows a '#' are skipped.
/// Errors: data_loss where the closing line is missing or does not fit, so that a text that was cut
/// off revokes nothing less; invalid_argument for a line that is neither, with its number; as
/// Revocations::add().
Result<Revocations> parse_revocations(std::string_view text);

/// The text of a file with these lines: themselves, and the closing line that fits them.
std::string revocations_text(std::string lines);

/// Errors: not_found; as parse_revocations(). Each names the file, and what to do.
Result<Revocations> read_revocations(const std::string& path);

/// Adds a line to the file, which is made where it is missing; `note` is a comment behind it,
/// without a line feed. What stands in the file stays, but for its closing line. After a crash the
/// file is the old or the new one. Returns: whether it was not there yet.
/// Errors: as read_revocations() and Revocations::add(); the system's own reason.
Result<bool> add_to_revocations(const std::string& path, const Revocation& revocation,
                                std::string_view note, Entropy& entropy);

/// Gives the file the closing line that fits what stands in it, for those who have edited it and
/// have looked that nothing is missing. Returns: what it revokes.
/// Errors: as read_revocations(), but for the closing line; the system's own reason.
Result<Revocations> rewrite_revocations(const std::string& path, Entropy& entropy);

}  // namespace tubing::crypto
