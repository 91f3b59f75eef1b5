#include "tubing/crypto/psk_file.h"

#include <doctest/doctest.h>

#include "tests/crypto/identity_fixtures.h"
#include "tests/crypto/temp_folder.h"

namespace tubing::crypto {
namespace {

/// The file of a key that a second implementation wrote too.
constexpr std::string_view kGolden =
    "tubing pre-shared key 1\n"
    "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20\n"
    "36c84999f32afbf4\n";

TEST_CASE("a pre-shared key file has its golden bytes and mode and is read back") {
  const TempFolder folder;
  CountingEntropy entropy;
  const Secret<kPskBytes> psk = make_psk(entropy);
  const std::string path = folder.file("a.psk");
  REQUIRE(write_psk_file(path, psk, entropy).has_value());
  CHECK(as_text(file_bytes(path)) == kGolden);
  CHECK(mode_of(path) == 0600);
  CHECK(read_psk_file(path)->equals(psk));
  CHECK(write_psk_file(path, psk, entropy).code() == Code::already_exists);
}

TEST_CASE("a pre-shared key file that is damaged or of another kind is refused by name") {
  const TempFolder folder;
  const std::string path = folder.file("a.psk");
  const auto check = [&](std::string text, Code code, const std::string& told) {
    CAPTURE(text);
    overwrite(path, as_bytes(text));
    set_mode(path, 0600);
    const auto read = read_psk_file(path);
    REQUIRE(read.code() == code);
    CHECK(read.error().detail().contains("a.psk"));
    CHECK(read.error().detail().contains(told));
  };
  const std::string good(kGolden);
  for (std::size_t size = good.find('1') + 2; size < good.size(); ++size)
    check(good.substr(0, size), Code::data_loss, "is damaged");
  for (std::size_t i = good.find("01"); i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    check(changed, Code::data_loss, "is damaged");
  }
  check(good + "\n", Code::data_loss, "is damaged");
  std::string upper = good;
  upper[good.find("0a") + 1] = 'A';
  check(upper, Code::data_loss, "is damaged");
  check("tubing pre-shared key 2\n", Code::invalid_argument, "another version");
  check("0102030405060708090a0b0c0d0e0f10", Code::invalid_argument, "is no pre-shared key");
  check("", Code::invalid_argument, "is no pre-shared key");
  overwrite(path, as_bytes(good));
  set_mode(path, 0640);
  CHECK(read_psk_file(path).error().detail().contains("chmod 600"));
  CHECK(read_psk_file(folder.file("b.psk")).code() == Code::not_found);
}

}  // namespace
}  // namespace tubing::crypto
