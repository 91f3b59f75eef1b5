#include "tubing/tube/cli/key_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "tubing/crypto/certificate_file.h"
#include "tubing/crypto/key_file.h"
#include "tubing/crypto/psk_file.h"
#include "tubing/crypto/trust.h"
#include "tubing/tube/cli/authority_access.h"
#include "tubing/tube/cli/key_text.h"

namespace tubing::cli {
namespace {

constexpr std::int64_t kDaySeconds = 86'400;
/// A certificate begins a little earlier, for machines whose clocks are behind.
constexpr std::int64_t kClockSlackSeconds = 300;
constexpr int kDaysMax = 36'500;

Error refused(Code code, std::string_view what) { return Error(code, "key", what); }

WallTime seconds_later(WallTime moment, std::int64_t seconds) {
  return WallTime::from_seconds(moment.seconds() + seconds);
}

crypto::Usage usage_of(std::string_view name) {
  if (name == "client") return crypto::Usage::client;
  return name == "server" ? crypto::Usage::server : crypto::Usage::both;
}

/// What is wrong with a NAME on the command line, or nothing.
std::string name_trouble(const std::string& name) {
  if (name == crypto::kAuthorityName)
    return "the name ca stands for the authority; choose another one";
  const auto checked = crypto::check_name(name);
  return checked ? "" : std::string(checked.error().detail());
}

/// What is wrong with some claims of a peer that is otherwise sound, or nothing.
std::string claims_trouble(crypto::Claims claims) {
  claims.name = "x";
  const auto checked = crypto::check_claims(claims);
  return checked ? "" : std::string(checked.error().detail());
}

/// What is wrong with a role on the command line, or nothing.
std::string role_trouble(const std::string& role) {
  crypto::Claims claims;
  claims.roles = {role};
  return claims_trouble(std::move(claims));
}

/// What is wrong with an e-mail address on the command line, or nothing.
std::string email_trouble(const std::string& email) {
  crypto::Claims claims;
  claims.email = email;
  return claims_trouble(std::move(claims));
}

Error no_such_key(const std::string& name, const crypto::KeyFolder& folder) {
  if (const auto checked = crypto::check_name(name); !checked)
    return refused(Code::invalid_argument,
                   fmt::format("\"{}\" is no file that ends in .key, .cert, .pub or .psk, and no "
                               "NAME: {}",
                               printable(name), checked.error().detail()));
  return refused(
      Code::not_found,
      fmt::format("there is no key {} in {}; make it with `tube key new {}`, or name its "
                  "folder with --dir",
                  name, folder.path(), name));
}

Result<Json> describe(const std::string& path, const crypto::Revocations& revoked) {
  switch (crypto::file_kind(path)) {
    case crypto::FileKind::key: {
      const auto info = crypto::inspect_key_file(path);
      if (!info) return info.error();
      Json out = to_json(*info);
      out["revoked"] = revoked.has_key(info->public_key);
      return out;
    }
    case crypto::FileKind::certificate: {
      const auto certificate = crypto::read_certificate_file(path);
      if (!certificate) return certificate.error();
      Json out = to_json(*certificate);
      out["revoked"] = revoked.has_key(certificate->claims.subject) ||
                       revoked.has_key(certificate->issuer) ||
                       revoked.has_certificate(certificate->issuer, certificate->serial);
      return out;
    }
    case crypto::FileKind::authorities: {
      const auto authorities = crypto::read_authority_file(path);
      if (!authorities) return authorities.error();
      return to_json(*authorities);
    }
    case crypto::FileKind::pre_shared_key: {
      const auto psk = crypto::read_psk_file(path);
      if (!psk) return psk.error();
      return to_json(*psk);
    }
    case crypto::FileKind::none: break;
  }
  return refused(Code::invalid_argument,
                 fmt::format("{} ends in none of .key, .cert, .pub and .psk", path));
}

}  // namespace

KeyCommand::KeyCommand(CLI::App& app, crypto::Entropy& entropy, WallTime now)
    : entropy_(entropy), now_(now) {
  key_ = app.add_subcommand("key", "Make, show, renew, revoke and check keys and certificates");
  key_->require_subcommand(1);
  add_new();
  add_ca();
  add_show();
  add_renew();
  add_verify();
  add_revoke();
  add_psk();
}

void KeyCommand::add_folder_option(CLI::App& command) {
  command.add_option("--dir", options_.folder,
                     "Folder of the keys [$TUBING_KEYS or ~/.config/tubing]");
}

void KeyCommand::add_claim_options(CLI::App& command) {
  command.add_option("--usage", options_.usage, "client may dial, server may listen [both]")
      ->check(CLI::IsMember({"client", "server", "both"}));
  command.add_option("--role", options_.roles, "A role that policies know; may be repeated")
      ->allow_extra_args(false)
      ->check(role_trouble, "ROLE");
  command.add_option("--email", options_.email, "Whom to ask about the key")
      ->check(email_trouble, "ADDRESS");
  command.add_option("--days", options_.days, "Days until the certificate expires [365]")
      ->check(CLI::Range(1, kDaysMax));
}

void KeyCommand::add_passphrase_options(CLI::App& command) {
  CLI::Option* asks = command.add_flag("--passphrase", options_.asks_passphrase,
                                       "Ask for a passphrase that seals the new key");
  command
      .add_option("--passphrase-file", options_.passphrase_file,
                  "Seal the new key with the first line of this file")
      ->excludes(asks);
}

void KeyCommand::add_authority_passphrase_option(CLI::App& command) {
  command.add_option("--ca-passphrase-file", options_.authority_passphrase_file,
                     "The first line of this file opens ca.key [ask]");
}

void KeyCommand::add_ca() {
  ca_ = key_->add_subcommand("ca", "Make an authority: ca.key (secret) and ca.pub");
  add_folder_option(*ca_);
  add_passphrase_options(*ca_);
  ca_->add_flag("--rotate", options_.rotates,
                "Make a new authority beside the one that is there; both are trusted");
}

void KeyCommand::add_new() {
  new_ = key_->add_subcommand("new", "Make NAME.key (secret) and NAME.cert, ready for use");
  new_->add_option("NAME", options_.target, "The peer's name, as in NAME@HOST:PORT")
      ->required()
      ->check(name_trouble, "NAME");
  add_folder_option(*new_);
  add_claim_options(*new_);
  add_passphrase_options(*new_);
  add_authority_passphrase_option(*new_);
}

void KeyCommand::add_show() {
  show_ = key_->add_subcommand("show", "Print what a key, a certificate or ca.pub says");
  show_->add_option("FILE|NAME", options_.target, "A file, or a name in the folder of the keys")
      ->required();
  show_->add_flag("--json", options_.json, "Print JSON");
  add_folder_option(*show_);
}

void KeyCommand::add_renew() {
  renew_ = key_->add_subcommand("renew", "Issue NAME.cert again for the same key");
  renew_->add_option("NAME", options_.target, "The peer's name")
      ->required()
      ->check(name_trouble, "NAME");
  add_folder_option(*renew_);
  add_claim_options(*renew_);
  add_authority_passphrase_option(*renew_);
}

void KeyCommand::add_verify() {
  verify_ = key_->add_subcommand("verify", "Check a certificate as a peer would, and say why not");
  verify_->add_option("NAME|FILE", options_.target, "A name in the folder, or a file NAME.cert")
      ->required();
  verify_->add_option("--ca", options_.authorities_file, "The trusted authorities [ca.pub]");
  add_folder_option(*verify_);
}

int KeyCommand::run() {
  Result<void> done = check_folder();
  if (done) done = run_chosen();
  if (done) return kExitOk;
  fmt::print(stderr, "tube: {}\n", done.error().detail());
  return kExitRefused;
}

std::string KeyCommand::change() const {
  const crypto::KeyFolder files = folder();
  if (new_->parsed()) return files.key_of(options_.target) + " was made";
  if (ca_->parsed()) return files.authority_key() + " was made";
  if (renew_->parsed()) return files.certificate_of(options_.target) + " was renewed";
  if (revoke_->parsed()) return files.revoked() + " was written";
  if (psk_->parsed())
    return (options_.target.empty() ? files.pre_shared_key() : options_.target) + " was made";
  return "";
}

Result<void> KeyCommand::check_folder() const {
  const bool needs_none =
      crypto::file_kind(options_.target) != crypto::FileKind::none && !revoke_->parsed();
  return needs_none ? Result<void>() : folder().check_usable();
}

Result<void> KeyCommand::run_chosen() const {
  if (ca_->parsed()) return run_ca();
  if (new_->parsed()) return run_new();
  if (show_->parsed()) return run_show();
  if (renew_->parsed()) return run_renew();
  if (revoke_->parsed()) return run_revoke();
  if (psk_->parsed()) return run_psk();
  return run_verify();
}

Result<void> KeyCommand::run_ca() const {
  if (auto made = folder().make(); !made) return made;
  const auto passphrase = new_passphrase("ca.key");
  if (!passphrase) return passphrase.error();
  if (options_.rotates) return run_rotate(*passphrase);
  const auto authority = make_authority(folder(), *passphrase, entropy_);
  if (!authority) return authority.error();
  fmt::print(
      "Made an authority in {}\n"
      "  ca.key       its secret; keep it here, and off the machines that it vouches for\n"
      "  ca.pub       what everyone needs who trusts it\n"
      "  fingerprint  {}\n"
      "Next: tube key new NAME\n",
      folder().path(), authority->public_key().fingerprint());
  return {};
}

Result<void> KeyCommand::run_new() const {
  crypto::Claims claims = claims_of_options();
  if (auto made = folder().make(); !made) return made;
  if (auto checked = check_new_files(); !checked) return checked;
  const auto passphrase = new_passphrase(options_.target + ".key");
  if (!passphrase) return passphrase.error();
  const auto authority = open_or_make_authority();
  if (!authority) return authority.error();
  return write_new(*authority, std::move(claims), *passphrase);
}

Result<void> KeyCommand::run_show() const {
  Json all;
  std::string lines;
  std::vector<std::string> files{options_.target};
  if (crypto::file_kind(options_.target) == crypto::FileKind::none)
    files = {folder().certificate_of(options_.target), folder().key_of(options_.target)};
  if (options_.target == crypto::kAuthorityName) files[0] = folder().authorities();
  const auto revocations = revoked();
  if (!revocations) return revocations.error();
  for (const std::string& file : files) {
    if (files.size() > 1 && !crypto::file_exists(file)) continue;
    const auto described = describe(file, *revocations);
    if (!described) return described.error();
    all[file] = *described;
    lines += to_lines(file, *described);
  }
  if (all.empty()) return no_such_key(options_.target, folder());
  fmt::print("{}", options_.json ? all.dump(2) + "\n" : lines);
  return {};
}

Result<void> KeyCommand::run_renew() const {
  const std::string path = folder().certificate_of(options_.target);
  if (!crypto::file_exists(path)) return no_such_key(options_.target, folder());
  const auto before = crypto::read_certificate_file(path);
  if (!before) return before.error();
  const auto authority = open_authority(folder(), options_.authority_passphrase_file);
  if (!authority) return authority.error();
  const auto after = authority->issue(renewed(before->claims), entropy_);
  if (!after) return after.error();
  if (auto written =
          crypto::write_certificate_file(path, *after, crypto::IfExists::replace, entropy_);
      !written)
    return written;
  fmt::print(
      "Renewed {}, valid until {}\n"
      "Next: copy it over the one on the machine that is {}.\n",
      path, crypto::date_text(after->claims.not_after), options_.target);
  return {};
}

Result<void> KeyCommand::run_verify() const {
  const auto path = target_certificate();
  if (!path) return path.error();
  const auto certificate = crypto::read_certificate_file(*path);
  if (!certificate) return certificate.error();
  const auto authorities = crypto::read_authority_file(
      options_.authorities_file.empty() ? folder().authorities() : options_.authorities_file);
  if (!authorities) return authorities.error();
  auto revocations = revoked();
  if (!revocations) return std::move(revocations).error();
  const bool by_name = crypto::file_kind(options_.target) == crypto::FileKind::none;
  const auto expected =
      by_name ? crypto::ExpectedPeer::named(options_.target) : crypto::ExpectedPeer::anyone();
  const auto peer = crypto::Trust::ca_only(*authorities, *std::move(revocations))
                        .verify_peer(*certificate, certificate->claims.usage, expected, now_);
  if (!peer) return peer.error();
  if (auto checked = check_own_key(*path, *certificate); !checked) return checked;
  fmt::print("{} is good: {}, usage {}, valid until {}\n", *path, peer->name,
             crypto::usage_name(peer->usage), crypto::date_text(peer->not_after));
  return {};
}

crypto::Claims KeyCommand::claims_of_options() const {
  crypto::Claims claims;
  claims.name = options_.target;
  claims.email = options_.email;
  claims.roles = options_.roles;
  claims.usage = usage_of(options_.usage);
  claims.not_before = seconds_later(now_, -kClockSlackSeconds);
  claims.not_after = seconds_later(now_, options_.days * kDaySeconds);
  return claims;
}

crypto::Claims KeyCommand::renewed(crypto::Claims before) const {
  crypto::Claims claims = claims_of_options();
  claims.subject = before.subject;
  claims.name = before.name;
  if (renew_->count("--email") == 0) claims.email = before.email;
  if (renew_->count("--role") == 0) claims.roles = std::move(before.roles);
  if (renew_->count("--usage") == 0) claims.usage = before.usage;
  return claims;
}

Result<void> KeyCommand::check_new_files() const {
  for (const std::string& file :
       {folder().key_of(options_.target), folder().certificate_of(options_.target)})
    if (crypto::file_exists(file))
      return refused(Code::already_exists,
                     fmt::format("{} exists and is not overwritten; `tube key renew {}` issues its "
                                 "certificate again, another NAME makes another key",
                                 file, options_.target));
  return {};
}

Result<Passphrase> KeyCommand::new_passphrase(std::string_view what_for) const {
  if (!options_.passphrase_file.empty()) return Passphrase::from_file(options_.passphrase_file);
  if (options_.asks_passphrase) return Passphrase::new_from_terminal(what_for);
  return Passphrase();
}

Result<crypto::Authority> KeyCommand::open_or_make_authority() const {
  if (crypto::file_exists(folder().authority_key()) || crypto::file_exists(folder().authorities()))
    return open_authority(folder(), options_.authority_passphrase_file);
  auto authority = make_authority(folder(), Passphrase(), entropy_);
  // Another command was faster: its authority is the folder's.
  if (authority.code() == Code::already_exists)
    return open_authority(folder(), options_.authority_passphrase_file);
  if (!authority) return authority;
  fmt::print(
      "There was no authority in {}, so one was made\n"
      "  ca.key       its secret, without a passphrase (`tube key ca --passphrase` seals a new "
      "one)\n"
      "  ca.pub       what everyone needs who trusts it\n",
      folder().path());
  return authority;
}

Result<void> KeyCommand::write_new(const crypto::Authority& authority, crypto::Claims claims,
                                   const Passphrase& passphrase) const {
  const crypto::Identity identity = crypto::Identity::generate(entropy_);
  claims.subject = identity.public_key();
  const auto certificate = authority.issue(std::move(claims), entropy_);
  if (!certificate) return certificate.error();
  const std::string& name = certificate->claims.name;
  const crypto::KeyProtection protection{.passphrase = passphrase.view(), .cost = {}};
  if (auto written = crypto::write_key_file(folder().key_of(name), identity, protection, entropy_);
      !written)
    return written;
  if (auto written = crypto::write_certificate_file(folder().certificate_of(name), *certificate,
                                                    crypto::IfExists::refuse, entropy_);
      !written) {
    ::unlink(folder().key_of(name).c_str());
    return written;
  }
  fmt::print(
      "Made {0} in {1}\n"
      "  {2:<{7}} its secret; only the machine that is {0} needs it\n"
      "  {3:<{7}} its certificate, valid until {4}\n"
      "  {5:<{7}} {6}\n"
      "Next: copy {2}, {3} and ca.pub to that machine; others dial {0}@HOST:PORT.\n",
      name, folder().path(), name + ".key", name + ".cert",
      crypto::date_text(certificate->claims.not_after), "fingerprint",
      identity.public_key().fingerprint(), std::max<std::size_t>(12, name.size() + 6));
  return {};
}

Result<std::string> KeyCommand::target_certificate() const {
  switch (crypto::file_kind(options_.target)) {
    case crypto::FileKind::certificate: return options_.target;
    case crypto::FileKind::none:
      if (std::string path = folder().certificate_of(options_.target); crypto::file_exists(path))
        return path;
      return no_such_key(options_.target, folder());
    case crypto::FileKind::key:
    case crypto::FileKind::authorities:
    case crypto::FileKind::pre_shared_key: break;
  }
  return refused(
      Code::invalid_argument,
      fmt::format("{} is no certificate; name one, or a NAME of the folder", options_.target));
}

Result<void> KeyCommand::check_own_key(const std::string& certificate_path,
                                       const crypto::Certificate& certificate) const {
  const std::string key = certificate_path.substr(0, certificate_path.rfind('.')) + ".key";
  if (!crypto::file_exists(key)) return {};
  const auto info = crypto::inspect_key_file(key);
  if (!info) return info.error();
  if (info->public_key == certificate.claims.subject) return {};
  return refused(Code::unauthenticated,
                 fmt::format("{} certifies {}, and {} is {}; bring the two that belong together",
                             certificate_path, certificate.claims.subject.fingerprint(), key,
                             info->public_key.fingerprint()));
}

}  // namespace tubing::cli
