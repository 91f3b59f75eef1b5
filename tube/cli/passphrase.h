// Passphrase: how a secret enters the program, from a file or a terminal and never from argv.
#pragma once

#include <string>
#include <string_view>

#include "tubing/channel/base/result.h"
#include "tubing/crypto/key_file.h"
#include "tubing/crypto/secret.h"

namespace tubing::cli {

/// A passphrase in locked memory; empty where none was asked for.
class Passphrase {
 public:
  /// Errors: invalid_argument beyond kPassphraseBytesMax, and for an empty text.
  static Result<Passphrase> of(std::string_view text);
  /// The first line of the file.
  /// Errors: not_found and others, each with the file's name; as of().
  static Result<Passphrase> from_file(const std::string& path);
  /// Asks on the terminal, which does not show what is typed.
  /// Errors: failed_precondition where there is no terminal; as of().
  static Result<Passphrase> from_terminal(std::string_view prompt);
  /// Asks twice; for a passphrase that is new.
  /// Errors: invalid_argument where the answers differ; as from_terminal().
  static Result<Passphrase> new_from_terminal(std::string_view what_for);

  std::string_view view() const { return as_text(bytes_.view().first(size_)); }

 private:
  crypto::Secret<crypto::kPassphraseBytesMax> bytes_;
  std::size_t size_ = 0;
};

}  // namespace tubing::cli
