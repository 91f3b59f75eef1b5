#include "tubing/crypto/certificate.h"

#include <doctest/doctest.h>

#include "tests/crypto/identity_fixtures.h"

namespace tubing::crypto {
namespace {

Certificate golden_certificate() {
  return issued(Authority(identity_of(1)), db_claims(identity_of(2).public_key()));
}

/// A certificate of the longest possible encoding.
Certificate longest_certificate() {
  Claims claims = db_claims(identity_of(2).public_key());
  claims.name = std::string(kNameBytesMax, 'n');
  claims.email = std::string(kEmailBytesMax - 2, 'e') + "@e";
  claims.roles.clear();
  for (std::size_t i = 0; i < kRolesMax; ++i)
    claims.roles.push_back(std::string(kRoleBytesMax - 1, 'r') + static_cast<char>('a' + i));
  claims.not_after = WallTime::from_seconds(kCertificateSecondsMax);
  return issued(Authority(identity_of(1)), claims);
}

/// The bytes of `certificate` after an edit, signed anew, so that only the edit can be refused.
Bytes signed_again(Bytes signed_bytes) {
  append(signed_bytes, identity_of(1).sign(kCertificateDomain, signed_bytes));
  return signed_bytes;
}

void check_refused(const Bytes& bytes, std::string_view reason) {
  const auto decoded = decode_certificate(bytes);
  CAPTURE(reason);
  REQUIRE(decoded.code() == Code::invalid_argument);
  CAPTURE(decoded.error().text());
  CHECK(decoded.error().detail().contains(reason));
}

// Where the golden certificate keeps its fields; see the section "Certificate" of CERTIFICATE.md.
constexpr std::size_t kNameAt = 1 + 8 + 32;
constexpr std::size_t kEmailAt = kNameAt + 1 + 4;
constexpr std::size_t kRolesAt = kEmailAt + 1 + 15;
constexpr std::size_t kUsageAt = kRolesAt + 1 + (1 + 5) + (1 + 7);
constexpr std::size_t kNotBeforeAt = kUsageAt + 1;
constexpr std::size_t kNotAfterAt = kNotBeforeAt + 8;

TEST_CASE("a certificate has the golden bytes of its format") {
  CHECK(to_hex(encode_certificate(golden_certificate())) ==
        "01"                                                                // version
        "0102030405060708"                                                  // serial
        "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394"  // subject
        "0464622d31"                                                        // name
        "0f616e6e406578616d706c652e6f7267"                                  // e-mail
        "020561646d696e0773746f72616765"                                    // roles
        "02"                                                                // usage
        "000000006553f100"                                                  // not_before
        "000000006b49d200"                                                  // not_after
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c"  // issuer
        "41b4c8f7e1694e2becd5a0ff0a40668af01d708e956c58163acfc499283ca6cb"
        "7bcac64e10becd5c97625491d9dcbfbdd5ce83e4aea298257484cb4891f34a0e");  // signature
}

TEST_CASE("a certificate comes back from its bytes unchanged") {
  Claims bare = db_claims(identity_of(2).public_key());
  bare.email.clear();
  bare.roles.clear();
  for (const Certificate& certificate :
       {golden_certificate(), longest_certificate(), issued(Authority(identity_of(3)), bare)}) {
    CAPTURE(certificate.claims.name);
    const auto decoded = decode_certificate(encode_certificate(certificate));
    REQUIRE(decoded.has_value());
    CHECK(*decoded == certificate);
    CHECK(signed_by_its_issuer(*decoded));
  }
  CHECK(encode_certificate(longest_certificate()).size() == kCertificateBytesMax);
}

TEST_CASE("every truncation of a certificate is refused") {
  const Bytes whole = encode_certificate(golden_certificate());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(decode_certificate(ByteView(whole).first(size)).code() == Code::invalid_argument);
  }
  check_refused(Bytes(whole.begin(), whole.end() - 1), "it ends within its field signature");
}

TEST_CASE("every flipped bit of a certificate is refused") {
  const Bytes whole = encode_certificate(golden_certificate());
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Bytes flipped = whole;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    const auto decoded = decode_certificate(flipped);
    CAPTURE(bit);
    CHECK_FALSE((decoded.has_value() && signed_by_its_issuer(*decoded)));
  }
}

TEST_CASE("bytes after a certificate are refused") {
  Bytes bytes = encode_certificate(golden_certificate());
  bytes.push_back(std::byte{0});
  check_refused(bytes, "1 bytes follow its end");
}

TEST_CASE("a certificate of an unknown version is refused with both versions") {
  Bytes bytes = certificate_signed_bytes(golden_certificate());
  bytes[0] = std::byte{2};
  check_refused(signed_again(bytes), "its version is 2; this program reads version 1");
}

TEST_CASE("a certificate above a limit is refused with the limit") {
  check_refused(Bytes(kCertificateBytesMax + 1), "1004 bytes; at most 1003");
  const Bytes good = certificate_signed_bytes(golden_certificate());
  Bytes many_roles = good;
  many_roles[kRolesAt] = std::byte{17};
  check_refused(signed_again(many_roles), "17 roles; at most 16");
  Bytes late = good;
  store_be64(late.data() + kNotAfterAt, kCertificateSecondsMax + 1);
  check_refused(signed_again(late), "not_after lies 9223372037 seconds after 1970");
  Bytes endless = good;
  store_be64(endless.data() + kNotBeforeAt, ~std::uint64_t{0});
  check_refused(signed_again(endless), "not_before lies 18446744073709551615 seconds");
}

TEST_CASE("a certificate that is not canonical is refused though it is signed") {
  const Bytes good = certificate_signed_bytes(golden_certificate());
  const auto edited = [&good](std::size_t at, std::string_view text) {
    Bytes bytes = good;
    std::memcpy(bytes.data() + at, text.data(), text.size());
    return signed_again(bytes);
  };
  check_refused(edited(kNameAt + 1, "Db-1"), "the name has the byte 0x44");
  check_refused(edited(kNameAt + 1, "db@1"), "the name has the byte 0x40");
  check_refused(edited(kNameAt + 1, "-b-1"), "the name begins with '-'");
  check_refused(edited(kEmailAt + 1, "ann example"), "the e-mail address is not");
  check_refused(edited(kRolesAt + 2, "zebra"), "not in strictly ascending order");
  check_refused(edited(kUsageAt, std::string_view("\0", 1)), "its usage is 0");
  check_refused(edited(kUsageAt, "\4"), "its usage is 4");
  check_refused(edited(kNotAfterAt, std::string_view("\0\0\0\0\0\0\0\1", 8)),
                "it ends (1970-01-01 00:00:01 UTC) before it begins (2023-11-14 22:13:20 UTC)");
}

TEST_CASE("claims that break a rule are named with the rule") {
  struct Row {
    void (*spoil)(Claims&);
    std::string_view reason;
  };
  for (const Row& row : {
           Row{[](Claims& c) { c.name = ""; }, "the name is empty"},
           Row{[](Claims& c) { c.name = std::string(65, 'a'); }, "has 65 bytes; at most 64"},
           Row{[](Claims& c) { c.name = "a b"; }, "the byte 0x20"},
           Row{[](Claims& c) { c.name = ".."; }, "the name begins with '.'"},
           Row{[](Claims& c) { c.email = "ann"; }, "with one '@' inside"},
           Row{[](Claims& c) { c.email = "ann@"; }, "with one '@' inside"},
           Row{[](Claims& c) { c.email = "a@b@c"; }, "with one '@' inside"},
           Row{[](Claims& c) { c.email = "\x1b[@x"; }, "printable ASCII"},
           Row{[](Claims& c) { c.email = std::string(254, 'e') + "@"; }, "at most 254"},
           Row{[](Claims& c) { c.roles = {"a", "a"}; }, "strictly ascending"},
           Row{[](Claims& c) { c.roles = {""}; }, "a role is empty"},
           Row{[](Claims& c) { c.roles = {std::string(33, 'r')}; }, "at most 32"},
           Row{[](Claims& c) { c.roles.assign(17, "r"); }, "17 roles; at most 16"},
           Row{[](Claims& c) { c.not_before.since_epoch_ns = -1; }, "not_before is not a whole"},
           Row{[](Claims& c) { c.not_after.since_epoch_ns += 1; }, "not_after is not a whole"},
           Row{[](Claims& c) { std::swap(c.not_before, c.not_after); }, "before it begins"},
       }) {
    CAPTURE(row.reason);
    Claims claims = db_claims(identity_of(2).public_key());
    REQUIRE(check_claims(claims).has_value());
    row.spoil(claims);
    const auto checked = check_claims(claims);
    REQUIRE(checked.code() == Code::invalid_argument);
    CHECK(checked.error().detail().contains(row.reason));
  }
}

TEST_CASE("a usage allows what it contains") {
  CHECK(allows(Usage::both, Usage::client));
  CHECK(allows(Usage::both, Usage::server));
  CHECK(allows(Usage::client, Usage::client));
  CHECK_FALSE(allows(Usage::client, Usage::server));
  CHECK_FALSE(allows(Usage::server, Usage::client));
  CHECK_FALSE(allows(Usage::server, Usage::both));
}

}  // namespace
}  // namespace tubing::crypto
