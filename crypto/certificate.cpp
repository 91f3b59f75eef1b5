#include "tubing/crypto/certificate.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

namespace tubing::crypto {
namespace {

constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz0123456789._-";

Error bad_claim(std::string_view what) {
  return Error(Code::invalid_argument, "certificate", what);
}

/// The rule that a word in the alphabet of names breaks, or nothing.
std::string word_trouble(std::string_view word, std::size_t bytes_max) {
  if (word.empty()) return "is empty";
  if (word.size() > bytes_max)
    return fmt::format("has {} bytes; at most {} are allowed", word.size(), bytes_max);
  const std::size_t bad = word.find_first_not_of(kAlphabet);
  if (bad != std::string_view::npos)
    return fmt::format(
        "has the byte 0x{:02x}; only lower-case letters, digits, '.', '_' and '-' "
        "are allowed",
        static_cast<unsigned char>(word[bad]));
  if (word[0] == '.' || word[0] == '_' || word[0] == '-')
    return fmt::format("begins with '{}'; begin with a letter or a digit", word[0]);
  return {};
}

Result<void> check_email(std::string_view email) {
  if (email.empty()) return {};
  if (email.size() > kEmailBytesMax)
    return bad_claim(fmt::format("the e-mail address has {} bytes; at most {} are allowed",
                                 email.size(), kEmailBytesMax));
  const bool printable = std::ranges::all_of(email, [](char c) { return c > ' ' && c <= '~'; });
  if (!printable || std::ranges::count(email, '@') != 1 || email.front() == '@' ||
      email.back() == '@')
    return bad_claim(
        "the e-mail address is not printable ASCII with one '@' inside, as in "
        "ann@example.org");
  return {};
}

Result<void> check_roles(const std::vector<std::string>& roles) {
  if (roles.size() > kRolesMax)
    return bad_claim(
        fmt::format("it has {} roles; at most {} are allowed", roles.size(), kRolesMax));
  for (const std::string& role : roles)
    if (const std::string trouble = word_trouble(role, kRoleBytesMax); !trouble.empty())
      return bad_claim(fmt::format("a role {}", trouble));
  for (std::size_t i = 1; i < roles.size(); ++i)
    if (!(roles[i - 1] < roles[i]))
      return bad_claim("its roles are not in strictly ascending order");
  return {};
}

Result<void> check_moment(std::string_view which, WallTime moment) {
  if (moment.since_epoch_ns < 0 || moment.since_epoch_ns % 1'000'000'000 != 0)
    return bad_claim(fmt::format("{} is not a whole second since 1970", which));
  return {};
}

Result<void> check_validity(const Claims& claims) {
  if (auto checked = check_moment("not_before", claims.not_before); !checked) return checked;
  if (auto checked = check_moment("not_after", claims.not_after); !checked) return checked;
  if (claims.not_after < claims.not_before)
    return bad_claim(fmt::format("it ends ({}) before it begins ({})", date_text(claims.not_after),
                                 date_text(claims.not_before)));
  return {};
}

void put_be64(Bytes& out, std::uint64_t value) {
  std::byte be[8];
  store_be64(be, value);
  append(out, be);
}

void put_short_text(Bytes& out, std::string_view text) {
  TUBING_ASSERT(text.size() <= 255, text.size());
  out.push_back(static_cast<std::byte>(text.size()));
  append(out, as_bytes(text));
}

/// Takes fields off the front of bytes that a stranger sent. The first field that is not there
/// fails the reader, whose answers from then on are zeros.
class FieldReader {
 public:
  explicit FieldReader(ByteView bytes) : rest_(bytes) {}

  ByteView take(std::size_t size, const char* field) {
    if (missing_ != nullptr || rest_.size() < size) {
      if (missing_ == nullptr) missing_ = field;
      return {};
    }
    const ByteView taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  std::uint8_t take_u8(const char* field) {
    const ByteView taken = take(1, field);
    return taken.empty() ? 0 : std::to_integer<std::uint8_t>(taken[0]);
  }
  std::uint64_t take_be64(const char* field) {
    const ByteView taken = take(8, field);
    return taken.empty() ? 0 : load_be64(taken.data());
  }
  /// Requires: `out` has the field's size.
  void take_into(MutableBytes out, const char* field) {
    const ByteView taken = take(out.size(), field);
    if (!taken.empty()) std::memcpy(out.data(), taken.data(), out.size());
  }
  std::string take_short_text(const char* field) {
    return std::string(as_text(take(take_u8(field), field)));
  }

  const char* missing() const { return missing_; }
  std::size_t left() const { return rest_.size(); }

 private:
  ByteView rest_;
  const char* missing_ = nullptr;
};

Result<WallTime> moment_from_wire(std::uint64_t seconds, std::string_view which) {
  if (seconds > static_cast<std::uint64_t>(kCertificateSecondsMax))
    return bad_claim(fmt::format("{} lies {} seconds after 1970; at most {} are allowed", which,
                                 seconds, kCertificateSecondsMax));
  return WallTime::from_seconds(static_cast<std::int64_t>(seconds));
}

/// Reads usage and dates, whose numbers need not mean anything.
Result<void> take_grant(FieldReader& in, Claims& claims) {
  const std::uint8_t usage = in.take_u8("usage");
  auto not_before = moment_from_wire(in.take_be64("not_before"), "not_before");
  auto not_after = moment_from_wire(in.take_be64("not_after"), "not_after");
  if (in.missing() != nullptr) return {};
  if (usage < 1 || usage > 3)
    return bad_claim(fmt::format("its usage is {}; known are 1 client, 2 server, 3 both", usage));
  if (!not_before) return std::move(not_before).error();
  if (!not_after) return std::move(not_after).error();
  claims.usage = static_cast<Usage>(usage);
  claims.not_before = *not_before;
  claims.not_after = *not_after;
  return {};
}

}  // namespace

std::string_view usage_name(Usage usage) {
  switch (usage) {
    case Usage::client: return "client";
    case Usage::server: return "server";
    case Usage::both: return "both";
  }
  return "unknown";
}

Result<void> check_name(std::string_view name) {
  if (const std::string trouble = word_trouble(name, kNameBytesMax); !trouble.empty())
    return bad_claim(fmt::format("the name {}", trouble));
  return {};
}

Result<void> check_claims(const Claims& claims) {
  if (auto checked = check_name(claims.name); !checked) return checked;
  if (auto checked = check_email(claims.email); !checked) return checked;
  if (auto checked = check_roles(claims.roles); !checked) return checked;
  return check_validity(claims);
}

Bytes certificate_signed_bytes(const Certificate& certificate) {
  const Claims& claims = certificate.claims;
  const auto checked = check_claims(claims);
  TUBING_ASSERT(checked.has_value(), checked.error().text());
  Bytes out;
  out.reserve(kCertificateBytesMax);
  out.push_back(static_cast<std::byte>(kCertificateVersion));
  put_be64(out, certificate.serial);
  append(out, claims.subject.bytes);
  put_short_text(out, claims.name);
  put_short_text(out, claims.email);
  out.push_back(static_cast<std::byte>(claims.roles.size()));
  for (const std::string& role : claims.roles) put_short_text(out, role);
  out.push_back(static_cast<std::byte>(claims.usage));
  put_be64(out, static_cast<std::uint64_t>(claims.not_before.seconds()));
  put_be64(out, static_cast<std::uint64_t>(claims.not_after.seconds()));
  append(out, certificate.issuer.bytes);
  return out;
}

Bytes encode_certificate(const Certificate& certificate) {
  Bytes out = certificate_signed_bytes(certificate);
  append(out, certificate.signature);
  TUBING_ASSERT(out.size() <= kCertificateBytesMax, out.size());
  return out;
}

Result<Certificate> decode_certificate(ByteView bytes) {
  if (bytes.size() > kCertificateBytesMax)
    return bad_claim(
        fmt::format("it has {} bytes; at most {} are allowed", bytes.size(), kCertificateBytesMax));
  FieldReader in(bytes);
  const std::uint8_t version = in.take_u8("version");
  if (in.missing() == nullptr && version != kCertificateVersion)
    return bad_claim(
        fmt::format("its version is {}; this program reads version {}: have it issued "
                    "again, or use the same release on both sides",
                    version, kCertificateVersion));
  Certificate certificate;
  Claims& claims = certificate.claims;
  certificate.serial = in.take_be64("serial");
  in.take_into(claims.subject.bytes, "subject");
  claims.name = in.take_short_text("name");
  claims.email = in.take_short_text("e-mail");
  const std::size_t roles = in.take_u8("roles");
  if (roles > kRolesMax)
    return bad_claim(fmt::format("it has {} roles; at most {} are allowed", roles, kRolesMax));
  for (std::size_t i = 0; i < roles; ++i) claims.roles.push_back(in.take_short_text("roles"));
  if (auto taken = take_grant(in, claims); !taken) return std::move(taken).error();
  in.take_into(certificate.issuer.bytes, "issuer");
  in.take_into(certificate.signature, "signature");
  if (in.missing() != nullptr)
    return bad_claim(fmt::format("it ends within its field {}", in.missing()));
  if (in.left() != 0) return bad_claim(fmt::format("{} bytes follow its end", in.left()));
  if (auto checked = check_claims(claims); !checked) return std::move(checked).error();
  return certificate;
}

bool signed_by_its_issuer(const Certificate& certificate) {
  return verify(certificate.issuer, kCertificateDomain, certificate_signed_bytes(certificate),
                certificate.signature);
}

std::string date_text(WallTime moment) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                     fmt::gmtime(static_cast<std::time_t>(moment.seconds())));
}

}  // namespace tubing::crypto
