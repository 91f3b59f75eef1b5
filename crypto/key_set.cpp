#include "tubing/crypto/key_set.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "tubing/crypto/certificate_file.h"
#include "tubing/crypto/key_file.h"

namespace tubing::crypto {
namespace {

/// The variable's value, or an empty text where it is not set.
std::string environment(const char* variable) {
  const char* value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string default_key_folder() {
  if (const std::string keys = environment("TUBING_KEYS"); !keys.empty()) return keys;
  if (const std::string config = environment("XDG_CONFIG_HOME"); !config.empty())
    return config + "/tubing";
  if (const std::string home = environment("HOME"); !home.empty()) return home + "/.config/tubing";
  return "";
}

Result<KeySet> read_key_set(std::string folder, std::string_view name,
                            std::string_view passphrase) {
  if (folder.empty()) folder = default_key_folder();
  const std::string key_path = fmt::format("{}/{}.key", folder, name);
  if (::access(key_path.c_str(), F_OK) != 0)
    return Error(Code::not_found, "keys",
                 fmt::format("{} is not there; make it with: tube key new {} --dir {}", key_path,
                             name, folder));
  Result<Identity> identity = read_key_file(key_path, passphrase);
  if (!identity) return std::move(identity).error();
  Result<Certificate> certificate = read_certificate_file(fmt::format("{}/{}.cert", folder, name));
  if (!certificate) return std::move(certificate).error();
  Result<std::vector<PublicKey>> authorities =
      read_authority_file(fmt::format("{}/ca.pub", folder));
  if (!authorities) return std::move(authorities).error();
  return KeySet{*std::move(identity), *std::move(certificate), *std::move(authorities)};
}

}  // namespace tubing::crypto
