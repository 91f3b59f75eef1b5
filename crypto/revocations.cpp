#include "tubing/crypto/revocations.h"

#include <fmt/format.h>

#include <charconv>

#include "tubing/crypto/detail/line_reader.h"
#include "tubing/crypto/folder_lock.h"

namespace tubing::crypto {
namespace {

constexpr std::size_t kSerialDigits = 16;

/// What the line of `reader` revokes.
Result<Revocation> parse_line(const detail::LineReader& reader) {
  const auto& words = reader.words();
  const bool by_serial = words[0] == "serial" && words.size() == 3;
  if (!by_serial && (words[0] != "key" || words.size() != 2))
    return reader.error("is neither `key FINGERPRINT` nor `serial SERIAL ISSUER`");
  const auto key = PublicKey::parse(words.back());
  if (!key) return reader.error(key.error().detail());
  if (!by_serial) return Revocation::of_key(*key);
  const auto serial = parse_serial(words[1]);
  if (!serial)
    return reader.error(
        fmt::format("a serial is {} digits 0-9 a-f, as `tube key show` prints it", kSerialDigits));
  return Revocation{*key, serial};
}

}  // namespace

std::string serial_text(std::uint64_t serial) { return fmt::format("{:016x}", serial); }

std::optional<std::uint64_t> parse_serial(std::string_view text) {
  if (text.size() != kSerialDigits ||
      text.find_first_not_of("0123456789abcdef") != std::string_view::npos)
    return std::nullopt;
  std::uint64_t serial = 0;
  std::from_chars(text.data(), text.data() + text.size(), serial, 16);
  return serial;
}

std::string Revocation::text() const {
  return serial ? fmt::format("serial {} {}", serial_text(*serial), key.fingerprint())
                : fmt::format("key {}", key.fingerprint());
}

Result<bool> Revocations::add(const Revocation& revocation) {
  if (has(revocation)) return false;
  if (size() == kRevocationsMax)
    return Error(Code::resource_exhausted, "revoke",
                 fmt::format("it names {} keys and certificates already, the most; take out those "
                             "that have expired, or rotate the authority with `tube key ca "
                             "--rotate`",
                             kRevocationsMax));
  if (revocation.serial)
    serials_.emplace(revocation.key, *revocation.serial);
  else
    keys_.insert(revocation.key);
  return true;
}

Result<Revocations> parse_revocations(std::string_view text) {
  Revocations revoked;
  for (detail::LineReader reader(text); reader.next();) {
    const auto revocation = parse_line(reader);
    if (!revocation) return revocation.error();
    if (auto added = revoked.add(*revocation); !added) return std::move(added).error();
  }
  return revoked;
}

Result<Revocations> read_revocations(const std::string& path) {
  const auto text =
      detail::read_text_file(path, detail::Readers::everyone, kRevocationsFileBytesMax);
  if (!text) return text.error();
  auto revoked = parse_revocations(*text);
  if (!revoked) return detail::in_file(path, revoked.error());
  return revoked;
}

Result<bool> add_to_revocations(const std::string& path, const Revocation& revocation,
                                std::string_view note, Entropy& entropy) {
  const auto lock = FolderLock::take(detail::folder_of(path));
  if (!lock) return lock.error();
  auto text = detail::read_text_file(path, detail::Readers::everyone, kRevocationsFileBytesMax);
  if (text.code() == Code::not_found)
    text = "# What is believed no more: `key FINGERPRINT` or `serial SERIAL ISSUER`, one a line.\n";
  if (!text) return text.error();
  auto revoked = parse_revocations(*text);
  if (!revoked) return detail::in_file(path, revoked.error());
  const auto added = revoked->add(revocation);
  if (!added) return detail::in_file(path, added.error());
  if (!*added) return false;
  const std::string line = fmt::format("{}  # {}\n", revocation.text(), note);
  const std::string after = detail::with_lines(*std::move(text), line);
  if (after.size() > kRevocationsFileBytesMax)
    return Error(Code::resource_exhausted, "revoke",
                 fmt::format("{}: would be longer than {} bytes, the most; shorten its comments",
                             path, kRevocationsFileBytesMax));
  if (auto written = detail::write_small_file(path, detail::Readers::everyone, as_bytes(after),
                                              IfExists::replace, entropy);
      !written)
    return std::move(written).error();
  return true;
}

}  // namespace tubing::crypto
