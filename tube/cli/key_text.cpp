#include "tubing/tube/cli/key_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace tubing::cli {
namespace {

std::string value_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::string out;
  for (const Json& element : value) out += (out.empty() ? "" : ", ") + value_text(element);
  return out;
}

/// The moment as ISO 8601 writes it, for people and programs alike.
std::string iso_date(WallTime moment) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time_t{moment.seconds()}));
}

}  // namespace

Json to_json(const crypto::Certificate& certificate) {
  const crypto::Claims& claims = certificate.claims;
  Json out;
  out["name"] = claims.name;
  out["email"] = claims.email;
  out["roles"] = claims.roles;
  out["usage"] = crypto::usage_name(claims.usage);
  out["valid_from"] = iso_date(claims.not_before);
  out["valid_until"] = iso_date(claims.not_after);
  out["key"] = claims.subject.fingerprint();
  out["issuer"] = certificate.issuer.fingerprint();
  out["serial"] = fmt::format("{:016x}", certificate.serial);
  return out;
}

Json to_json(const crypto::KeyFileInfo& info) {
  Json out;
  out["key"] = info.public_key.fingerprint();
  out["needs_passphrase"] = info.needs_passphrase;
  if (info.needs_passphrase) {
    out["argon2id_passes"] = info.cost.passes;
    out["argon2id_bytes"] = info.cost.memory_bytes;
  }
  return out;
}

Json to_json(const std::vector<crypto::PublicKey>& authorities) {
  Json keys = Json::array();
  for (const crypto::PublicKey& key : authorities) keys.push_back(key.fingerprint());
  Json out;
  out["authorities"] = keys;
  return out;
}

Json to_json(const crypto::Secret<crypto::kPskBytes>& psk) {
  Json out;
  out["checksum"] = crypto::psk_checksum(psk);
  return out;
}

std::string to_lines(const std::string& title, const Json& object) {
  std::string out = title + "\n";
  for (const auto& [name, value] : object.items())
    if (const std::string text = value_text(value); !text.empty())
      out += fmt::format("  {:<18}{}\n", name, text);
  return out;
}

}  // namespace tubing::cli
