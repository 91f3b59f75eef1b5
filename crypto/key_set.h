// KeySet: all that a process needs to prove itself, and to know whom to trust.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/crypto/certificate.h"
#include "tubing/crypto/identity.h"
#include "tubing/crypto/key_folder.h"
#include "tubing/crypto/trust.h"

namespace tubing::crypto {

/// The files NAME.key, NAME.cert and ca.pub of one folder, as `tube key new NAME` makes them.
struct KeySet {
  Identity identity;
  Certificate certificate;
  std::vector<PublicKey> authorities;
};

/// Whether peers that trust the same authorities would believe these keys now; to be asked when a
/// program starts and when it reads its certificate again, before the first peer refuses it.
/// Errors: unauthenticated for a certificate that has expired or is not yet valid, that is for
/// another key, or that none of the authorities issued; with what to do.
Result<> check_key_set(const KeySet& keys, WallTime now);

/// The same for a certificate alone, by the Trust that our peers have too; where that believes no
/// authority, the certificate's issuer is taken at its word. Errors: also where it was revoked.
Result<> check_own_certificate(const Certificate& certificate, const PublicKey& own_key,
                               const Trust& trust, WallTime now);

/// Reads the keys of `name`; an empty folder is the default one. A Trust that believes no authority
/// needs no `ca.pub`: with its mode, the certificate's issuer stands in its place.
/// Errors: not_found, with the command that makes the keys; those of reading each file.
Result<KeySet> read_key_set(const std::string& folder, std::string_view name,
                            std::string_view passphrase = {},
                            Trust::Mode mode = Trust::Mode::ca_only);

}  // namespace tubing::crypto
