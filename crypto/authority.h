// Authority: a small certificate authority, which signs what it says of other keys.
#pragma once

#include "tubing/channel/base/result.h"
#include "tubing/crypto/certificate.h"
#include "tubing/crypto/entropy.h"
#include "tubing/crypto/identity.h"

namespace tubing::crypto {

/// A key whose signatures on certificates others trust. Keep it off the machines that it vouches
/// for: they need its public key alone.
///
/// Owns: the authority's identity.
/// Threads: any; it never changes.
class Authority {
 public:
  explicit Authority(Identity identity) : identity_(std::move(identity)) {}
  static Authority generate(Entropy& entropy) { return Authority(Identity::generate(entropy)); }

  const PublicKey& public_key() const { return identity_.public_key(); }
  const Identity& identity() const { return identity_; }

  /// Signs `claims` under a serial of 64 random bits. Roles may come in any order and twice; parts
  /// of a second are cut off the dates.
  /// Errors: invalid_argument, with the claim that breaks a rule.
  Result<Certificate> issue(Claims claims, Entropy& entropy) const;

 private:
  Identity identity_;
};

}  // namespace tubing::crypto
