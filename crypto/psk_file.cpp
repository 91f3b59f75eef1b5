#include "tubing/crypto/psk_file.h"

#include <fmt/format.h>
#include <sodium.h>

#include "tubing/crypto/detail/small_file.h"

namespace tubing::crypto {
namespace {

constexpr std::string_view kHead = "tubing pre-shared key 1\n";
constexpr std::string_view kHeadOfAnyVersion = "tubing pre-shared key ";
constexpr std::size_t kKeyDigits = 2 * kPskBytes;
constexpr std::size_t kChecksumBytes = 16;
constexpr std::size_t kChecksumDigits = 16;
/// The head, the key, the checksum, and a line feed behind either.
constexpr std::size_t kFileBytes = kHead.size() + kKeyDigits + 1 + kChecksumDigits + 1;
/// What the checksum is made over, before the key.
constexpr std::string_view kChecksumDomain = "tubing psk checksum";

Error bad_file(Code code, const std::string& path, std::string_view what) {
  return Error(code, "pre-shared key file", fmt::format("{}: {}", path, what));
}

/// Writes lower-case digits, in a time that does not depend on the bytes.
void put_digits(ByteView bytes, MutableBytes out) {
  Scratch<kKeyDigits + 1> digits;
  sodium_bin2hex(reinterpret_cast<char*>(digits.bytes().data()), digits.bytes().size(),
                 as_uchars(bytes), bytes.size());
  std::memcpy(out.data(), digits.view().data(), 2 * bytes.size());
}

/// Reads what put_digits() wrote, and nothing else.
bool take_digits(ByteView digits, MutableBytes out) {
  std::size_t size = 0;
  const bool read = sodium_hex2bin(as_uchars(out), out.size(), as_text(digits).data(),
                                   digits.size(), nullptr, &size, nullptr) == 0;
  if (!read || size != out.size()) return false;
  Scratch<kKeyDigits> again;
  put_digits(out, again.bytes());
  return equal_in_constant_time(again.view().first(digits.size()), digits);
}

}  // namespace

Secret<kPskBytes> make_psk(Entropy& entropy) {
  Secret<kPskBytes> psk;
  entropy.fill(psk.bytes());
  return psk;
}

std::string psk_checksum(const Secret<kPskBytes>& psk) {
  Scratch<kPskBytes + kChecksumDomain.size()> input;
  std::memcpy(input.bytes().data(), kChecksumDomain.data(), kChecksumDomain.size());
  std::memcpy(input.bytes().data() + kChecksumDomain.size(), psk.view().data(), kPskBytes);
  std::array<std::byte, kChecksumBytes> sum;
  crypto_generichash(as_uchars(MutableBytes(sum)), sum.size(), as_uchars(input.view()),
                     input.view().size(), nullptr, 0);
  return to_hex(ByteView(sum).first(kChecksumDigits / 2));
}

Result<> write_psk_file(const std::string& path, const Secret<kPskBytes>& psk, Entropy& entropy) {
  Scratch<kFileBytes> file;
  MutableBytes rest = file.bytes();
  std::memcpy(rest.data(), kHead.data(), kHead.size());
  rest = rest.subspan(kHead.size());
  put_digits(psk.view(), rest);
  rest[kKeyDigits] = std::byte{'\n'};
  rest = rest.subspan(kKeyDigits + 1);
  std::memcpy(rest.data(), psk_checksum(psk).data(), kChecksumDigits);
  rest[kChecksumDigits] = std::byte{'\n'};
  return detail::write_small_file(path, detail::Readers::owner, file.view(), IfExists::refuse,
                                  entropy);
}

Result<Secret<kPskBytes>> read_psk_file(const std::string& path) {
  Scratch<kFileBytes> file;
  const auto size = detail::read_small_file(path, detail::Readers::owner, file.bytes());
  if (!size && size.code() != Code::out_of_range) return size.error();
  const std::string_view text = as_text(file.view());
  if (!text.starts_with(kHeadOfAnyVersion))
    return bad_file(Code::invalid_argument, path, "is no pre-shared key; `tube key psk` makes one");
  if (!text.starts_with(kHead))
    return bad_file(Code::invalid_argument, path,
                    "is a pre-shared key of another version; this program reads version 1");
  const ByteView digits = file.view().subspan(kHead.size(), kKeyDigits);
  const ByteView rest = file.view().subspan(kHead.size() + kKeyDigits);
  Secret<kPskBytes> psk;
  const bool whole = size && *size == kFileBytes && take_digits(digits, psk.bytes());
  if (!whole || as_text(rest) != "\n" + psk_checksum(psk) + "\n")
    return bad_file(Code::data_loss, path,
                    "is damaged, or was changed: its checksum does not fit; copy it again from the "
                    "other side");
  return psk;
}

}  // namespace tubing::crypto
