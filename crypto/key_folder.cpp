#include "tubing/crypto/key_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

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

Result<void> KeyFolder::check_usable() const {
  if (path_.empty())
    return Error(Code::invalid_argument, "key folder",
                 "neither TUBING_KEYS nor HOME is set; name the folder of the keys with --dir");
  struct stat status{};
  if (::stat(path_.c_str(), &status) != 0 || (status.st_mode & 022) == 0) return {};
  return Error(Code::permission_denied, "key folder",
               fmt::format("{} has mode {:04o}, which lets others than its owner put files there; "
                           "run `chmod go-w {}`",
                           path_, status.st_mode & 07777U, path_));
}

Result<void> KeyFolder::make() const {
  if (Result<void> named = check_usable(); !named) return named;
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path_.find('/', end + 1);
    const std::string folder = path_.substr(0, end);
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
      return Error(Code::permission_denied, "key folder",
                   fmt::format("cannot make the folder {}: {}; name another one with --dir", folder,
                               std::generic_category().message(errno)));
  }
  return {};
}

std::string KeyFolder::file(std::string_view name, std::string_view ending) const {
  return fmt::format("{}{}{}{}", path_, path_.ends_with('/') ? "" : "/", name, ending);
}

FileKind file_kind(std::string_view text) {
  if (text.ends_with(".key")) return FileKind::key;
  if (text.ends_with(".cert")) return FileKind::certificate;
  if (text.ends_with(".pub")) return FileKind::authorities;
  if (text.ends_with(".psk")) return FileKind::pre_shared_key;
  return FileKind::none;
}

bool file_exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace tubing::crypto
