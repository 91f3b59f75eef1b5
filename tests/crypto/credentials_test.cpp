#include "tubing/crypto/credentials.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/crypto/handshake_parties.h"

namespace tubing::crypto {
namespace {

struct Room {
  const Authority authority{Identity::from_seed(filled(1, kIdentitySeedBytes))};
  Party party = Party::make(authority, "server", Usage::server, 0x40);
  const Trust trust = Trust::ca_only({authority.public_key()});

  Result<PeerIdentity> verify(ByteView payload, WallTime now = kNow) const {
    const PeerCheck check{.trust = &trust, .required = Usage::server};
    return verify_credentials(payload, party.credentials.static_key().public_key(), check, now);
  }
};

TEST_CASE("credentials verify until the second in which they expire") {
  const Room room;
  const ByteView payload = room.party.credentials.payload();
  const auto peer = room.verify(payload);
  REQUIRE(peer);
  CHECK(peer->name == "server");
  CHECK(room.verify(payload, kNotAfter));
  const auto late = room.verify(payload, WallTime::from_seconds(kNotAfter.seconds() + 1));
  REQUIRE(!late);
  CHECK(late.code() == Code::unauthenticated);
  CHECK(late.error().text().contains("expired"));
}

TEST_CASE("credentials are refused for another X25519 key than the signed one") {
  const Room room;
  const X25519Public other{};
  const PeerCheck check{.trust = &room.trust, .required = Usage::server};
  const auto peer = verify_credentials(room.party.credentials.payload(), other, check, kNow);
  REQUIRE(!peer);
  CHECK(peer.code() == Code::unauthenticated);
  CHECK(peer.error().text().contains("not its own"));
}

TEST_CASE("every truncation and every changed byte of credentials is refused") {
  const Room room;
  const Bytes payload(room.party.credentials.payload().begin(),
                      room.party.credentials.payload().end());
  for (std::size_t i = 0; i < payload.size(); ++i) {
    CAPTURE(i);
    CHECK(!room.verify(ByteView(payload).first(i)));
    Bytes changed = payload;
    changed[i] ^= std::byte{1};
    CHECK(!room.verify(changed));
  }
  Bytes longer = payload;
  longer.push_back(std::byte{0});
  CHECK(!room.verify(longer));
}

TEST_CASE("credentials are not made of an identity and another's certificate") {
  const Room room;
  const Identity other = Identity::from_seed(filled(0x50, kIdentitySeedBytes));
  FixedEntropy entropy(filled(3, 32));
  const auto made =
      Credentials::make(other, room.party.certificate, X25519KeyPair::generate(entropy), kNotAfter);
  REQUIRE(!made);
  CHECK(made.code() == Code::invalid_argument);
  CHECK(made.error().text().contains(other.public_key().fingerprint()));
}

TEST_CASE("renewed credentials keep the X25519 key and live longer") {
  Room room;
  Credentials& credentials = room.party.credentials;
  const X25519Public before = credentials.static_key().public_key();
  const WallTime later = WallTime::from_seconds(kNotAfter.seconds() + 100);
  REQUIRE(credentials.renew(room.party.identity, room.party.certificate, later));
  CHECK(credentials.static_key().public_key() == before);
  CHECK(room.verify(credentials.payload(), later));
}

TEST_CASE("a refusal carries its status and its text in printable form") {
  const auto told =
      decode_refusal(encode_refusal(Error(Code::permission_denied, "verify", "go\naway\x7f")));
  REQUIRE(told);
  CHECK(told->code() == Code::permission_denied);
  CHECK(told->detail() == "the peer refused us: go?away?");
  const auto cut =
      decode_refusal(encode_refusal(Error(Code::internal, "verify", std::string(9000, 'x'))));
  REQUIRE(cut);
  CHECK(cut->detail() == "the peer refused us: " + std::string(kRefusalTextBytesMax, 'x'));
  const std::byte bare[] = {static_cast<std::byte>(PayloadKind::refused)};
  REQUIRE(decode_refusal(bare));
  CHECK(decode_refusal(bare)->code() == Code::unknown);
  const std::byte ok[] = {static_cast<std::byte>(PayloadKind::refused), std::byte{0}};
  CHECK(decode_refusal(ok)->code() == Code::unknown);
  const Room room;
  CHECK(!decode_refusal(room.party.credentials.payload()));
}

}  // namespace
}  // namespace tubing::crypto
