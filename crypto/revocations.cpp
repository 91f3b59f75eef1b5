#include "tubing/crypto/revocations.h"

#include <fmt/format.h>

#include <charconv>

#include "tubing/crypto/detail/closing_line.h"
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

Result<Revocations> parse_lines(std::string_view lines) {
  Revocations revoked;
  for (detail::LineReader reader(lines); reader.next();) {
    const auto revocation = parse_line(reader);
    if (!revocation) return revocation.error();
    if (auto added = revoked.add(*revocation); !added) return std::move(added).error();
  }
  return revoked;
}

Result<std::string> read_text(const std::string& path) {
  return detail::read_text_file(path, detail::Readers::everyone_of_a_list,
                                kRevocationsFileBytesMax);
}

/// Writes the lines with their closing line.
Result<> write_lines(const std::string& path, std::string lines, Entropy& entropy) {
  const std::string text = revocations_text(std::move(lines));
  if (text.size() > kRevocationsFileBytesMax)
    return Error(Code::resource_exhausted, "revoke",
                 fmt::format("{}: would be longer than {} bytes, the most; shorten its comments",
                             path, kRevocationsFileBytesMax));
  return detail::write_small_file(path, detail::Readers::everyone, as_bytes(text),
                                  IfExists::replace, entropy);
}

/// `error` with the file's name, and with what to do where the file is not whole.
Error in_file(const std::string& path, const Error& error) {
  if (error.code() != Code::data_loss) return detail::in_file(path, error);
  return Error(error.code(), "read file",
               fmt::format("{}: {}; it was cut off, damaged or edited: copy it again from where it "
                           "was made or, where every line is as it should be, run `tube key revoke "
                           "--rewrite`",
                           path, error.detail()));
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
  const auto lines = detail::before_closing_line(text);
  if (!lines) return lines.error();
  return parse_lines(*lines);
}

std::string revocations_text(std::string lines) {
  return detail::with_closing_line(std::move(lines));
}

Result<Revocations> read_revocations(const std::string& path) {
  const auto text = read_text(path);
  if (!text) return text.error();
  auto revoked = parse_revocations(*text);
  if (!revoked) return in_file(path, revoked.error());
  return revoked;
}

Result<bool> add_to_revocations(const std::string& path, const Revocation& revocation,
                                std::string_view note, Entropy& entropy) {
  const auto lock = FolderLock::take(detail::folder_of(path));
  if (!lock) return lock.error();
  auto text = read_text(path);
  if (text.code() == Code::not_found)
    text = revocations_text(
        "# What is believed no more: `key FINGERPRINT` or `serial SERIAL ISSUER`, one a line.\n"
        "# After an edit by hand: tube key revoke --rewrite\n");
  if (!text) return text.error();
  auto revoked = parse_revocations(*text);
  if (!revoked) return in_file(path, revoked.error());
  const auto added = revoked->add(revocation);
  if (!added) return detail::in_file(path, added.error());
  if (!*added) return false;
  const std::string line = fmt::format("{}  # {}\n", revocation.text(), note);
  const std::string lines = detail::with_lines(detail::without_closing_lines(*text), line);
  if (auto written = write_lines(path, lines, entropy); !written) return std::move(written).error();
  return true;
}

Result<Revocations> rewrite_revocations(const std::string& path, Entropy& entropy) {
  const auto lock = FolderLock::take(detail::folder_of(path));
  if (!lock) return lock.error();
  const auto text = read_text(path);
  if (!text) return text.error();
  std::string lines = detail::without_closing_lines(*text);
  auto revoked = parse_lines(lines);
  if (!revoked) return in_file(path, revoked.error());
  if (auto written = write_lines(path, std::move(lines), entropy); !written)
    return std::move(written).error();
  return revoked;
}

}  // namespace tubing::crypto
