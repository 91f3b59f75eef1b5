// KeyFolder: where a person's keys lie, and which file is meant by a name.
#pragma once

#include <string>
#include <string_view>

#include "tubing/channel/base/result.h"

namespace tubing::crypto {

/// The name that stands for the authority, and that no peer may have.
inline constexpr std::string_view kAuthorityName = "ca";

/// Returns $TUBING_KEYS, or the folder `tubing` in $XDG_CONFIG_HOME or ~/.config; empty where
/// none of these is set.
std::string default_key_folder();

/// The names of the files of one folder: NAME.key, NAME.cert, ca.key, ca.pub, and those that say
/// whom to believe.
class KeyFolder {
 public:
  explicit KeyFolder(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string key_of(std::string_view name) const { return file(name, ".key"); }
  std::string certificate_of(std::string_view name) const { return file(name, ".cert"); }
  std::string authority_key() const { return file(kAuthorityName, ".key"); }
  std::string authorities() const { return file(kAuthorityName, ".pub"); }
  std::string pre_shared_key() const { return file("shared", ".psk"); }
  std::string revoked() const { return file("revoked", ""); }
  std::string pinned() const { return file("pinned", ""); }
  std::string known_servers() const { return file("known_servers", ""); }
  std::string known_clients() const { return file("known_clients", ""); }

  /// Errors: invalid_argument without a path, with what to set or to say; permission_denied where
  /// others than its owner may put files there, with the chmod that mends it.
  Result<void> check_usable() const;
  /// Makes the folder with mode 0700, and those above it, where they are missing.
  /// Errors: as check_usable(); the system's own reason with the folder's name.
  Result<void> make() const;

 private:
  std::string file(std::string_view name, std::string_view ending) const;

  std::string path_;
};

/// What a file holds, as its ending says.
enum class FileKind : std::uint8_t { key, certificate, authorities, pre_shared_key, none };

/// Returns the kind of the file `text`, or `none` where `text` is a NAME.
FileKind file_kind(std::string_view text);

bool file_exists(const std::string& path);

}  // namespace tubing::crypto
