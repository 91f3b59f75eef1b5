// tube key: makes, shows, renews, revokes and checks the keys with which peers prove who they are.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/channel/base/time.h"
#include "tubing/crypto/authority.h"
#include "tubing/crypto/certificate.h"
#include "tubing/crypto/entropy.h"
#include "tubing/crypto/key_folder.h"
#include "tubing/crypto/revocations.h"
#include "tubing/tube/cli/passphrase.h"

namespace tubing::cli {

/// The exit statuses of every command.
inline constexpr int kExitOk = 0;
inline constexpr int kExitRefused = 1;
inline constexpr int kExitUsage = 2;

/// The subcommand `key`, with its own subcommands, as a part of the program's command line.
/// A result goes to standard output, a refusal in one line to standard error.
class KeyCommand {
 public:
  /// Requires: `app` and `entropy` outlive the command, which must stay where it is.
  KeyCommand(CLI::App& app, crypto::Entropy& entropy, WallTime now);
  KeyCommand(const KeyCommand&) = delete;
  KeyCommand& operator=(const KeyCommand&) = delete;

  /// Whether the parsed command line asks for this command.
  bool chosen() const { return key_->parsed(); }
  /// Requires: chosen().
  /// Returns: the exit status.
  int run();
  /// What a run that went well has changed, for people who could not read what it printed; empty
  /// where it only tells.
  std::string change() const;

 private:
  struct Options {
    std::string folder = crypto::default_key_folder();
    std::string target;
    std::string email;
    std::string usage = "both";
    std::vector<std::string> roles;
    int days = 365;
    bool asks_passphrase = false;
    bool json = false;
    bool rotates = false;
    bool rewrites = false;
    std::string passphrase_file;
    std::string authority_passphrase_file;
    std::string authorities_file;
  };

  void add_ca();
  void add_new();
  void add_show();
  void add_renew();
  void add_verify();
  void add_revoke();
  void add_psk();
  void add_folder_option(CLI::App& command);
  void add_claim_options(CLI::App& command);
  void add_passphrase_options(CLI::App& command);
  void add_authority_passphrase_option(CLI::App& command);

  /// Errors: invalid_argument where a folder is needed and none is known.
  Result<void> check_folder() const;
  Result<void> run_chosen() const;
  Result<void> run_ca() const;
  Result<void> run_new() const;
  Result<void> run_show() const;
  Result<void> run_renew() const;
  Result<void> run_verify() const;
  Result<void> run_rotate(const Passphrase& passphrase) const;
  Result<void> run_revoke() const;
  Result<void> run_rewrite() const;
  Result<void> run_psk() const;

  /// What the folder's `revoked` says; nothing where it, or the folder, is not there.
  Result<crypto::Revocations> revoked() const;
  /// What the target of `revoke` means: a serial may be any authority's of the folder.
  Result<std::vector<crypto::Revocation>> target_revocations() const;

  /// Whether a certificate of the folder, or the one that was named, is among them.
  bool is_serial_here(const std::vector<crypto::Revocation>& revocations) const;

  crypto::KeyFolder folder() const { return crypto::KeyFolder(options_.folder); }
  crypto::Claims claims_of_options() const;
  /// The claims of `before` with a new validity, and with what the options say otherwise.
  crypto::Claims renewed(crypto::Claims before) const;
  Result<void> check_new_files() const;
  Result<Passphrase> new_passphrase(std::string_view what_for) const;
  Result<crypto::Authority> open_or_make_authority() const;
  Result<void> write_new(const crypto::Authority& authority, crypto::Claims claims,
                         const Passphrase& passphrase) const;
  /// The certificate's file that the target means.
  Result<std::string> target_certificate() const;
  Result<void> check_own_key(const std::string& certificate_path,
                             const crypto::Certificate& certificate) const;

  crypto::Entropy& entropy_;
  WallTime now_;
  Options options_;
  CLI::App* key_ = nullptr;
  CLI::App* ca_ = nullptr;
  CLI::App* new_ = nullptr;
  CLI::App* show_ = nullptr;
  CLI::App* renew_ = nullptr;
  CLI::App* verify_ = nullptr;
  CLI::App* revoke_ = nullptr;
  CLI::App* psk_ = nullptr;
};

}  // namespace tubing::cli
