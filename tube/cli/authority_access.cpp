#include "tubing/tube/cli/authority_access.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "tubing/crypto/certificate_file.h"
#include "tubing/crypto/key_file.h"

namespace tubing::cli {

Result<crypto::Authority> make_authority(const crypto::KeyFolder& folder,
                                         const Passphrase& passphrase, crypto::Entropy& entropy) {
  for (const std::string& file : {folder.authority_key(), folder.authorities()})
    if (crypto::file_exists(file))
      return Error(Code::already_exists, "authority",
                   fmt::format("{} exists: this folder has its authority already; name another "
                               "folder with --dir",
                               file));
  crypto::Authority authority = crypto::Authority::generate(entropy);
  const crypto::KeyProtection protection{.passphrase = passphrase.view(), .cost = {}};
  if (auto written =
          crypto::write_key_file(folder.authority_key(), authority.identity(), protection, entropy);
      !written)
    return std::move(written).error();
  if (auto written =
          crypto::write_authority_file(folder.authorities(), authority.public_key(), entropy);
      !written) {
    ::unlink(folder.authority_key().c_str());
    return std::move(written).error();
  }
  return authority;
}

Result<crypto::Authority> open_authority(const crypto::KeyFolder& folder,
                                         const std::string& passphrase_file) {
  const std::string path = folder.authority_key();
  const auto info = crypto::inspect_key_file(path);
  if (info.code() == Code::not_found)
    return Error(Code::not_found, "authority",
                 fmt::format("there is no {}: only its authority can sign for this folder; run the "
                             "command where ca.key lies and copy what it makes, or make a new "
                             "authority in another folder with --dir",
                             path));
  if (!info) return info.error();
  Result<Passphrase> passphrase;
  if (info->needs_passphrase)
    passphrase = passphrase_file.empty()
                     ? Passphrase::from_terminal(fmt::format("Passphrase of {}", path))
                     : Passphrase::from_file(passphrase_file);
  if (!passphrase) return std::move(passphrase).error();
  auto identity = crypto::read_key_file(path, passphrase->view());
  if (!identity) return std::move(identity).error();
  return crypto::Authority(*std::move(identity));
}

}  // namespace tubing::cli
