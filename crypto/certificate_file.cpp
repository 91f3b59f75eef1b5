#include "tubing/crypto/certificate_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "tubing/crypto/detail/line_reader.h"
#include "tubing/crypto/detail/small_file.h"

namespace tubing::crypto {
namespace {

Error bad_file(const std::string& path, std::string_view what) {
  return Error(Code::invalid_argument, "read file", fmt::format("{}: {}", path, what));
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

Result<void> add_authority(const std::string& path, const PublicKey& authority, Entropy& entropy) {
  auto text =
      detail::read_text_file(path, detail::Readers::everyone_of_a_list, kAuthoritiesFileBytesMax);
  if (!text) return std::move(text).error();
  const auto before = parse_authorities(*text);
  if (!before) return detail::in_file(path, before.error());
  if (std::ranges::find(*before, authority) != before->end()) return {};
  const std::string after = detail::with_lines(*std::move(text), authority.fingerprint() + "\n");
  if (before->size() == kAuthoritiesMax || after.size() > kAuthoritiesFileBytesMax)
    return Error(Code::resource_exhausted, "write file",
                 fmt::format("{}: has no room for another authority ({} in {} bytes at most); take "
                             "out those that sign no more",
                             path, kAuthoritiesMax, kAuthoritiesFileBytesMax));
  return detail::write_small_file(path, detail::Readers::everyone, as_bytes(after),
                                  IfExists::replace, entropy);
}

Result<std::vector<PublicKey>> parse_authorities(std::string_view text) {
  std::vector<PublicKey> authorities;
  for (detail::LineReader reader(text); reader.next();) {
    if (reader.words().size() > 1) return reader.error("has more than a fingerprint");
    const auto key = PublicKey::parse(reader.words()[0]);
    if (!key) return reader.error(key.error().detail());
    if (authorities.size() == kAuthoritiesMax)
      return Error(Code::invalid_argument, "read file",
                   fmt::format("names more than {} authorities", kAuthoritiesMax));
    authorities.push_back(*key);
  }
  if (authorities.empty()) return Error(Code::invalid_argument, "read file", "names no authority");
  return authorities;
}

Result<std::vector<PublicKey>> read_authority_file(const std::string& path) {
  const auto text =
      detail::read_text_file(path, detail::Readers::everyone_of_a_list, kAuthoritiesFileBytesMax);
  if (!text) return text.error();
  auto authorities = parse_authorities(*text);
  if (!authorities) return detail::in_file(path, authorities.error());
  return authorities;
}

}  // namespace tubing::crypto
