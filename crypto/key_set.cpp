#include "tubing/crypto/key_set.h"

#include <fmt/format.h>

#include "tubing/crypto/certificate_file.h"
#include "tubing/crypto/key_file.h"

namespace tubing::crypto {
namespace {

Result<> check_own_name(std::string_view name) {
  if (name == kAuthorityName)
    return Error(Code::invalid_argument, "keys",
                 fmt::format("{} is the authority, and no peer; name a key of your own", name));
  if (const Result<> word = check_name(name); !word)
    return Error(Code::invalid_argument, "keys",
                 fmt::format("\"{}\" is no name of a key: {}", name, word.error().detail()));
  return {};
}

Error missing(const std::string& what, const KeyFolder& files, const std::string& advice) {
  return Error(Code::not_found, "keys",
               fmt::format("there is no {} in {}; {}", what, files.path(), advice));
}

}  // namespace

Result<> check_own_certificate(const Certificate& certificate, const PublicKey& own_key,
                               const Trust& trust, WallTime now) {
  const Claims& claims = certificate.claims;
  if (claims.subject != own_key)
    return Error(Code::unauthenticated, "keys",
                 fmt::format("{0}.cert is for the key {1}, and {0}.key is {2}; bring the two that "
                             "belong together",
                             claims.name, claims.subject.fingerprint(), own_key.fingerprint()));
  const bool by_authority = trust.mode() == Trust::Mode::ca_only;
  const Trust judge = by_authority ? trust : Trust::ca_only({certificate.issuer}, trust.revoked());
  auto peer = judge.verify_peer(certificate, claims.usage, ExpectedPeer::anyone(), now);
  if (!peer) return std::move(peer).error();
  return {};
}

Result<> check_key_set(const KeySet& keys, WallTime now) {
  return check_own_certificate(keys.certificate, keys.identity.public_key(),
                               Trust::ca_only(keys.authorities), now);
}

Result<KeySet> read_key_set(const std::string& folder, std::string_view name,
                            std::string_view passphrase, Trust::Mode mode) {
  const KeyFolder files(folder.empty() ? default_key_folder() : folder);
  if (files.path().empty())
    return Error(Code::invalid_argument, "keys",
                 "neither TUBING_KEYS nor HOME is set, so there is no folder of keys; set one");
  if (Result<> named = check_own_name(name); !named) return std::move(named).error();
  if (!file_exists(files.key_of(name)))
    return missing(fmt::format("key {}", name), files,
                   fmt::format("make it with: tube key new {}", name));
  const bool by_authority = mode == Trust::Mode::ca_only;
  for (const std::string& file : {fmt::format("{}.cert", name), std::string("ca.pub")})
    if ((by_authority || file != "ca.pub") && !file_exists(files.path() + "/" + file))
      return missing(file, files, fmt::format("copy it from where {}.key was made", name));
  Result<Identity> identity = read_key_file(files.key_of(name), passphrase);
  if (!identity) return std::move(identity).error();
  Result<Certificate> certificate = read_certificate_file(files.certificate_of(name));
  if (!certificate) return std::move(certificate).error();
  Result<std::vector<PublicKey>> authorities{std::vector{certificate->issuer}};
  if (by_authority) authorities = read_authority_file(files.authorities());
  if (!authorities) return std::move(authorities).error();
  return KeySet{*std::move(identity), *std::move(certificate), *std::move(authorities)};
}

}  // namespace tubing::crypto
