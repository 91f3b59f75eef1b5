#include "tubing/crypto/trust_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "tubing/crypto/certificate_file.h"
#include "tubing/crypto/detail/line_reader.h"

namespace tubing::crypto {
namespace {

std::optional<Usage> usage_from_name(std::string_view name) {
  for (const Usage usage : {Usage::client, Usage::server, Usage::both})
    if (name == usage_name(usage)) return usage;
  return std::nullopt;
}

Result<Pin> parse_pin(const detail::LineReader& reader) {
  const auto& words = reader.words();
  if (words.size() < 3) return reader.error("is not `FINGERPRINT NAME USAGE [ROLE...]`");
  const auto key = PublicKey::parse(words[0]);
  if (!key) return reader.error(key.error().detail());
  const auto usage = usage_from_name(words[2]);
  if (!usage)
    return reader.error(fmt::format("the usage {} is none of client, server and both", words[2]));
  Claims claims;
  claims.name = words[1];
  claims.roles = reader.sorted_words(3);
  if (auto checked = check_claims(claims); !checked) return reader.error(checked.error().detail());
  return Pin{*key, std::move(claims.name), std::move(claims.roles), *usage};
}

Result<Revocations> read_revoked(const KeyFolder& folder) {
  auto revoked = read_revocations(folder.revoked());
  if (revoked.code() == Code::not_found) return Revocations();
  return revoked;
}

Result<std::vector<Pin>> read_pins(const std::string& path) {
  const auto text =
      detail::read_text_file(path, detail::Readers::everyone_of_a_list, kPinsFileBytesMax);
  if (!text) return text.error();
  auto pins = parse_pins(*text);
  if (!pins) return detail::in_file(path, pins.error());
  return pins;
}

Result<Trust> read_believed(const KeyFolder& folder, const TrustOptions& options) {
  if (options.mode == Trust::Mode::tofu) {
    if (auto read = options.known->read(); !read) return std::move(read).error();
    return Trust::tofu(*options.known);
  }
  if (options.mode == Trust::Mode::pinned) {
    auto pins = read_pins(folder.pinned());
    if (!pins) return std::move(pins).error();
    return Trust::pinned(*std::move(pins));
  }
  auto authorities = read_authority_file(folder.authorities());
  if (!authorities) return std::move(authorities).error();
  return Trust::ca_only(*std::move(authorities));
}

}  // namespace

Result<std::vector<Pin>> parse_pins(std::string_view text) {
  std::vector<Pin> pins;
  for (detail::LineReader reader(text); reader.next();) {
    auto pin = parse_pin(reader);
    if (!pin) return std::move(pin).error();
    if (std::ranges::find(pins, pin->key, &Pin::key) != pins.end())
      return reader.error(fmt::format("the key {} stands here twice", pin->key.fingerprint()));
    if (pins.size() == kPinsMax)
      return Error(Code::resource_exhausted, "read file",
                   fmt::format("names more than {} peers, the most", kPinsMax));
    pins.push_back(*std::move(pin));
  }
  return pins;
}

Trust TrustFiles::over(const Trust& before) const {
  const Trust& trust = believed ? *believed : before;
  return trust.with_revoked(revoked ? *revoked : before.revoked());
}

Result<> TrustFiles::trouble() const {
  return both_ok(believed ? Result<>() : believed.error(), revoked ? Result<>() : revoked.error());
}

TrustFiles read_trust_files(const KeyFolder& folder, const TrustOptions& options) {
  TUBING_ASSERT(options.mode != Trust::Mode::tofu || options.known != nullptr);
  if (auto named = folder.check_usable(); !named) return {named.error(), named.error()};
  return {.believed = read_believed(folder, options), .revoked = read_revoked(folder)};
}

Result<Trust> read_trust(const KeyFolder& folder, const TrustOptions& options) {
  const TrustFiles files = read_trust_files(folder, options);
  if (auto trouble = files.trouble(); !trouble) return std::move(trouble).error();
  return files.over(*files.believed);
}

}  // namespace tubing::crypto
