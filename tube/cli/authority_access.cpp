#include "tubing/tube/cli/authority_access.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "tubing/crypto/certificate_file.h"
#include "tubing/crypto/folder_lock.h"
#include "tubing/crypto/key_file.h"

namespace tubing::cli {

Result<crypto::Authority> make_authority(const crypto::KeyFolder& folder,
                                         const Passphrase& passphrase, crypto::Entropy& entropy) {
  const auto lock = crypto::FolderLock::take(folder.path());
  if (!lock) return lock.error();
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

Result<crypto::Authority> rotate_authority(const crypto::KeyFolder& folder,
                                           const Passphrase& passphrase, crypto::Entropy& entropy) {
  const auto lock = crypto::FolderLock::take(folder.path());
  if (!lock) return lock.error();
  const std::string key = folder.authority_key();
  const std::string old = key + ".old";
  const std::string next = key + ".next";
  if (!crypto::file_exists(key))
    return Error(Code::not_found, "authority",
                 fmt::format("there is no {} to take over from; make an authority with `tube key "
                             "ca`",
                             key));
  if (crypto::file_exists(old))
    return Error(Code::already_exists, "authority",
                 fmt::format("{} exists, from a rotation before: end that one, by revoking the old "
                             "authority, and delete the file",
                             old));
  ::unlink(next.c_str());  // What a rotation left that was interrupted: nobody trusts it yet.
  crypto::Authority authority = crypto::Authority::generate(entropy);
  const crypto::KeyProtection protection{.passphrase = passphrase.view(), .cost = {}};
  Result<> done = crypto::write_key_file(next, authority.identity(), protection, entropy);
  // Trusted first, then in charge: whatever is interrupted, ca.key signs for somebody in ca.pub.
  if (done) done = crypto::add_authority(folder.authorities(), authority.public_key(), entropy);
  const bool kept = done && ::link(key.c_str(), old.c_str()) == 0;
  if (done && (!kept || ::rename(next.c_str(), key.c_str()) != 0))
    done = Error(Code::unavailable, "authority",
                 fmt::format("{}: {}", key, std::generic_category().message(errno)));
  if (done) return authority;
  if (kept) ::unlink(old.c_str());
  ::unlink(next.c_str());
  return std::move(done).error();
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
