// The parts of `tube key` that take trust back, move it to another authority, or share a secret.
#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "tubing/crypto/certificate_file.h"
#include "tubing/crypto/psk_file.h"
#include "tubing/tube/cli/authority_access.h"
#include "tubing/tube/cli/key_command.h"
#include "tubing/tube/cli/key_text.h"

namespace tubing::cli {

void KeyCommand::add_revoke() {
  revoke_ = key_->add_subcommand("revoke", "Believe a key or a certificate no more");
  CLI::Option_group* what = revoke_->add_option_group("what");
  what->add_option("NAME|FINGERPRINT|FILE|SERIAL", options_.target,
                   "The key of NAME, or that key; one certificate, by its file or serial");
  what->add_flag("--rewrite", options_.rewrites,
                 "Give the file `revoked` its closing line again, after an edit by hand");
  what->require_option(1);
  revoke_->add_flag("--json", options_.json, "Print JSON");
  add_folder_option(*revoke_);
}

void KeyCommand::add_psk() {
  psk_ = key_->add_subcommand("psk", "Make a pre-shared key, which both sides must have");
  psk_->add_option("FILE", options_.target, "Where to [shared.psk in the folder of the keys]")
      ->check([](const std::string& file) {
        const bool fits = crypto::file_kind(file) == crypto::FileKind::pre_shared_key;
        return std::string(fits ? "" : "name a file that ends in .psk");
      });
  psk_->add_flag("--json", options_.json, "Print JSON");
  add_folder_option(*psk_);
}

Result<crypto::Revocations> KeyCommand::revoked() const {
  if (options_.folder.empty()) return crypto::Revocations();
  auto revocations = crypto::read_revocations(folder().revoked());
  if (revocations.code() == Code::not_found) return crypto::Revocations();
  return revocations;
}

bool KeyCommand::is_serial_here(const std::vector<crypto::Revocation>& revocations) const {
  if (crypto::file_kind(options_.target) == crypto::FileKind::certificate) return true;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder().path(), ignored)) {
    const std::string path = entry.path();
    if (crypto::file_kind(path) != crypto::FileKind::certificate) continue;
    const auto certificate = crypto::read_certificate_file(path);
    for (const crypto::Revocation& revocation : revocations)
      if (certificate && revocation.key == certificate->issuer &&
          revocation.serial == certificate->serial)
        return true;
  }
  return false;
}

Result<std::vector<crypto::Revocation>> KeyCommand::target_revocations() const {
  using crypto::Revocation;
  using Found = std::vector<Revocation>;
  const std::string& target = options_.target;
  if (target.starts_with(crypto::kFingerprintPrefix)) {
    const auto key = crypto::PublicKey::parse(target);
    if (!key) return key.error();
    return Found{Revocation::of_key(*key)};
  }
  const bool by_name = crypto::file_kind(target) == crypto::FileKind::none;
  const bool by_serial = by_name && crypto::parse_serial(target) &&
                         !crypto::file_exists(folder().certificate_of(target));
  if (by_serial) {
    const auto authorities = crypto::read_authority_file(folder().authorities());
    if (!authorities) return authorities.error();
    Found found;
    for (const crypto::PublicKey& authority : *authorities)
      found.push_back({authority, crypto::parse_serial(target)});
    return found;
  }
  const auto path = target_certificate();
  if (!path) return path.error();
  const auto certificate = crypto::read_certificate_file(*path);
  if (!certificate) return certificate.error();
  return Found{by_name ? Revocation::of_key(certificate->claims.subject)
                       : Revocation::of_certificate(*certificate)};
}

Result<void> KeyCommand::run_rewrite() const {
  const std::string file = folder().revoked();
  const auto revocations = crypto::rewrite_revocations(file, entropy_);
  if (!revocations) return revocations.error();
  if (options_.json) {
    Json out;
    out["file"] = file;
    out["count"] = revocations->size();
    fmt::print("{}\n", out.dump(2));
    return {};
  }
  fmt::print(
      "Closed {} behind its last line: it revokes {} keys and certificates\n"
      "Next: compare that with what you know, for nothing can tell a line that is missing now.\n",
      file, revocations->size());
  return {};
}

Result<void> KeyCommand::run_revoke() const {
  if (options_.rewrites) return run_rewrite();
  if (auto made = folder().make(); !made) return made;
  const auto revocations = target_revocations();
  if (!revocations) return revocations.error();
  const std::string file = folder().revoked();
  const std::string note =
      fmt::format("{}, {}", printable(options_.target), crypto::date_text(now_));
  Json out;
  out["file"] = file;
  out["revoked"] = Json::array();
  out["added"] = false;
  for (const crypto::Revocation& revocation : *revocations) {
    const auto added = crypto::add_to_revocations(file, revocation, note, entropy_);
    if (!added) return added.error();
    out["revoked"].push_back(revocation.text());
    if (*added) out["added"] = true;
  }
  if (options_.json) {
    fmt::print("{}\n", out.dump(2));
    return {};
  }
  const bool added = out["added"].get<bool>();
  fmt::print("{}\n", added ? "Revoked in " + file : "Revoked already in " + file);
  for (const crypto::Revocation& revocation : *revocations) fmt::print("  {}\n", revocation.text());
  if (!revocations->empty() && revocations->front().serial && !is_serial_here(*revocations))
    fmt::print(
        "No certificate in {} has this serial, so check it: `tube key show` prints that of a "
        "certificate.\n",
        folder().path());
  fmt::print(
      "Next: copy {} into the key folder of every machine that trusts this authority, and have the "
      "programs there read it: send them SIGHUP, or start them again.\n",
      file);
  return {};
}

Result<void> KeyCommand::run_rotate(const Passphrase& passphrase) const {
  const auto before = crypto::inspect_key_file(folder().authority_key());
  if (!before && before.code() != Code::not_found) return before.error();
  const auto authority = rotate_authority(folder(), passphrase, entropy_);
  if (!authority) return authority.error();
  fmt::print(
      "Made a new authority in {0}\n"
      "  ca.key       the new one's secret; it signs from now on\n"
      "  ca.key.old   the old one's secret\n"
      "  ca.pub       both; the new one is {1}\n"
      "Next: 1. copy ca.pub to every machine, and send SIGHUP to the programs there.\n"
      "      2. `tube key renew NAME` for each NAME, and copy NAME.cert to its machine.\n"
      "      3. `tube key revoke {2}`, copy the file revoked to every machine,\n"
      "         send SIGHUP, and delete ca.key.old.\n",
      folder().path(), authority->public_key().fingerprint(), before->public_key.fingerprint());
  return {};
}

Result<void> KeyCommand::run_psk() const {
  const bool in_folder = options_.target.empty();
  if (in_folder)
    if (auto made = folder().make(); !made) return made;
  const std::string file = in_folder ? folder().pre_shared_key() : options_.target;
  const auto psk = crypto::make_psk(entropy_);
  if (auto written = crypto::write_psk_file(file, psk, entropy_); !written) return written;
  if (options_.json) {
    Json out = to_json(psk);
    out["file"] = file;
    fmt::print("{}\n", out.dump(2));
    return {};
  }
  fmt::print(
      "Made {0}\n"
      "  checksum     {1}; it tells two keys apart, and reveals neither\n"
      "Next: copy it to the other side over a way that nobody else reads; `tube key show {0}`\n"
      "prints the same checksum there.\n",
      file, crypto::psk_checksum(psk));
  return {};
}

}  // namespace tubing::cli
