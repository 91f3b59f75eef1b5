#include "tubing/crypto/key_set.h"

#include <fmt/format.h>

#include "tubing/crypto/certificate_file.h"
#include "tubing/crypto/key_file.h"

namespace tubing::crypto {
Result<KeySet> read_key_set(const std::string& folder, std::string_view name,
                            std::string_view passphrase) {
  const KeyFolder files(folder.empty() ? default_key_folder() : folder);
  if (!file_exists(files.key_of(name)))
    return Error(Code::not_found, "keys",
                 fmt::format("there is no key {} in {}; make it with: tube key new {}", name,
                             files.path(), name));
  Result<Identity> identity = read_key_file(files.key_of(name), passphrase);
  if (!identity) return std::move(identity).error();
  Result<Certificate> certificate = read_certificate_file(files.certificate_of(name));
  if (!certificate) return std::move(certificate).error();
  Result<std::vector<PublicKey>> authorities = read_authority_file(files.authorities());
  if (!authorities) return std::move(authorities).error();
  return KeySet{*std::move(identity), *std::move(certificate), *std::move(authorities)};
}

}  // namespace tubing::crypto
