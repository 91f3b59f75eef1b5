// KeySet: all that a process needs to prove itself, and to know whom to trust.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/crypto/certificate.h"
#include "tubing/crypto/identity.h"
#include "tubing/crypto/key_folder.h"

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

/// Reads the keys of `name`; an empty folder is the default one.
/// Errors: not_found, with the command that makes the keys; those of reading each file.
Result<KeySet> read_key_set(const std::string& folder, std::string_view name,
                            std::string_view passphrase = {});

}  // namespace tubing::crypto
