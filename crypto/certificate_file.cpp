#include "tubing/crypto/certificate_file.h"

#include <fmt/format.h>

#include "tubing/crypto/detail/small_file.h"

namespace tubing::crypto {
namespace {

Error bad_file(const std::string& path, std::string_view what) {
  return Error(Code::invalid_argument, "read file", fmt::format("{}: {}", path, what));
}

/// The line without its comment and the blanks around it.
std::string_view content_of(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  line = line.substr(0, line.find('#'));
  const std::size_t first = line.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
}

}  // namespace

Result<void> write_certificate_file(const std::string& path, const Certificate& certificate,
                                    IfExists if_exists, Entropy& entropy) {
  return detail::write_small_file(path, detail::Readers::everyone, encode_certificate(certificate),
                                  if_exists, entropy);
}

Result<Certificate> read_certificate_file(const std::string& path) {
  Bytes bytes(kCertificateBytesMax);
  const auto size = detail::read_small_file(path, detail::Readers::everyone, bytes);
  if (size.code() == Code::out_of_range)
    return bad_file(path,
                    fmt::format("is no certificate: it is longer than {} bytes", bytes.size()));
  if (!size) return size.error();
  auto certificate = decode_certificate(ByteView(bytes).first(*size));
  if (!certificate)
    return bad_file(path, fmt::format("is no good certificate: {}", certificate.error().detail()));
  return certificate;
}

Result<void> write_authority_file(const std::string& path, const PublicKey& authority,
                                  Entropy& entropy) {
  return detail::write_small_file(path, detail::Readers::everyone,
                                  as_bytes(authority.fingerprint() + "\n"), IfExists::refuse,
                                  entropy);
}

Result<std::vector<PublicKey>> read_authority_file(const std::string& path) {
  Bytes bytes(kAuthoritiesFileBytesMax);
  const auto size = detail::read_small_file(path, detail::Readers::everyone, bytes);
  if (!size) return size.error();
  std::string_view rest = as_text(ByteView(bytes).first(*size));
  std::vector<PublicKey> authorities;
  for (int number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::string_view content = content_of(line);
    if (content.empty()) continue;
    const auto key = PublicKey::parse(content);
    if (!key) return bad_file(path, fmt::format("line {}: {}", number, key.error().detail()));
    if (authorities.size() == kAuthoritiesMax)
      return bad_file(path, fmt::format("names more than {} authorities", kAuthoritiesMax));
    authorities.push_back(*key);
  }
  if (authorities.empty()) return bad_file(path, "names no authority");
  return authorities;
}

}  // namespace tubing::crypto
