#include "tubing/crypto/handshake.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/crypto/handshake_parties.h"

namespace tubing::crypto {
namespace {

using State = Handshake::State;

Bytes record_of(RecordSealer& sealer, std::string_view text) {
  Bytes buffer(text.size() + kRecordOverheadBytes);
  std::ranges::copy(as_bytes(text), buffer.begin() + kRecordHeaderBytes);
  REQUIRE(sealer.seal(buffer, text.size()));
  return buffer;
}

std::string text_of(RecordOpener& opener, Bytes record) {
  auto opened = opener.open(record);
  REQUIRE(opened);
  REQUIRE(*opened);
  return std::string(as_text((*opened)->plaintext));
}

void check_agreed(HandshakeParties& parties) {
  CHECK(parties.dialler_text() == "");
  CHECK(parties.listener_text() == "");
  REQUIRE(parties.dialler->state() == State::done);
  REQUIRE(parties.listener.state() == State::done);
  auto dialled = parties.dialler->take_result();
  auto listened = parties.listener.take_result();
  CHECK(dialled.session_hash == listened.session_hash);
  CHECK(dialled.peer.name == "server");
  CHECK(listened.peer.name == "client");
  CHECK(dialled.peer.key == parties.listener_party.identity.public_key());
  CHECK(listened.peer.key == parties.dialler_party.identity.public_key());
  CHECK(dialled.peer_static == parties.listener_party.credentials.static_key().public_key());
  CHECK(listened.peer_static == parties.dialler_party.credentials.static_key().public_key());
  CHECK(text_of(listened.opener, record_of(dialled.sealer, "to the listener")) ==
        "to the listener");
  CHECK(text_of(dialled.opener, record_of(listened.sealer, "to the dialler")) == "to the dialler");
}

TEST_CASE("a dialler and a listener agree on keys and know each other") {
  for (const std::size_t piece : {100'000, 1, 7}) {
    CAPTURE(piece);
    HandshakeParties parties;
    parties.run(piece);
    check_agreed(parties);
  }
}

TEST_CASE("every suite and mode that both sides have agrees") {
  static constexpr Suite kBoth[] = {Suite::aes_gcm, Suite::chacha_poly};
  const Secret<kPskBytes> psk(ByteView(filled(9, kPskBytes)));
  const Suite first = cipher_available(Cipher::aes_gcm) ? Suite::aes_gcm : Suite::chacha_poly;
  const Suite asked[] = {first};
  for (const auto* key : {static_cast<const Secret<kPskBytes>*>(nullptr), &psk}) {
    HandshakeParties parties({.dialler_suites = asked,
                              .listener_suites = kBoth,
                              .dialler_psk = key,
                              .listener_psk = key});
    parties.run();
    check_agreed(parties);
  }
}

TEST_CASE("records that follow the last handshake message are left to the opener") {
  HandshakeParties parties;
  REQUIRE(parties.listener.feed(HandshakeParties::take_output(*parties.dialler), kNow));
  REQUIRE(parties.dialler->feed(HandshakeParties::take_output(parties.listener), kNow));
  REQUIRE(parties.dialler->state() == State::done);
  Bytes stream = HandshakeParties::take_output(*parties.dialler);
  const std::size_t handshake_bytes = stream.size();
  auto dialled = parties.dialler->take_result();
  append(stream, record_of(dialled.sealer, "early"));
  const auto consumed = parties.listener.feed(stream, kNow);
  REQUIRE(consumed);
  CHECK(*consumed == handshake_bytes);
  auto listened = parties.listener.take_result();
  CHECK(text_of(listened.opener,
                Bytes(stream.begin() + static_cast<long>(*consumed), stream.end())) == "early");
}

TEST_CASE("every truncation of a handshake waits and says what is missing at the end") {
  HandshakeParties whole;
  const Bytes opening = HandshakeParties::take_output(*whole.dialler);
  for (std::size_t size = 0; size < opening.size(); ++size) {
    CAPTURE(size);
    HandshakeParties parties;
    REQUIRE(parties.listener.feed(ByteView(opening).first(size), kNow));
    REQUIRE(parties.listener.state() == State::running);
    const std::string text = parties.listener.end_of_stream().text();
    CHECK(text.contains(size < kPreambleBytes ? "preamble" : "message 1"));
  }
  REQUIRE(whole.listener.feed(opening, kNow));
  const Bytes answer = HandshakeParties::take_output(whole.listener);
  for (std::size_t size = 0; size < answer.size(); ++size) {
    CAPTURE(size);
    HandshakeParties parties;
    REQUIRE(parties.dialler->feed(ByteView(answer).first(size), kNow));
    CHECK(parties.dialler->state() == State::running);
  }
  REQUIRE(whole.dialler->feed(answer, kNow));
  const Bytes last = HandshakeParties::take_output(*whole.dialler);
  for (std::size_t size = 0; size < last.size(); ++size) {
    CAPTURE(size);
    HandshakeParties parties;
    REQUIRE(parties.listener.feed(opening, kNow));
    REQUIRE(parties.listener.feed(ByteView(last).first(size), kNow));
    CHECK(parties.listener.state() == State::running);
    CHECK(parties.listener.end_of_stream().text().contains("message 3"));
  }
}

TEST_CASE("any changed bit of any handshake message ends the handshake") {
  HandshakeParties whole;
  const Bytes opening = HandshakeParties::take_output(*whole.dialler);
  REQUIRE(whole.listener.feed(opening, kNow));
  const Bytes answer = HandshakeParties::take_output(whole.listener);
  REQUIRE(whole.dialler->feed(answer, kNow));
  const Bytes last = HandshakeParties::take_output(*whole.dialler);
  for (std::size_t i = 0; i < answer.size(); ++i) {
    CAPTURE(i);
    HandshakeParties parties;
    Bytes changed = answer;
    changed[i] ^= std::byte{1};
    const auto fed = parties.dialler->feed(changed, kNow);
    CHECK((!fed || parties.dialler->state() == State::running));
    CHECK(parties.dialler->output().size() == opening.size());
  }
  for (std::size_t i = 2; i < last.size(); ++i) {
    CAPTURE(i);
    HandshakeParties parties;
    REQUIRE(parties.listener.feed(opening, kNow));
    Bytes changed = last;
    changed[i] ^= std::byte{1};
    CHECK(parties.listener.feed(changed, kNow).code() == Code::unauthenticated);
    CHECK(parties.listener.state() == State::failed);
  }
}

TEST_CASE("a dialler whose opening was changed on the way is not answered to") {
  HandshakeParties parties;
  Bytes opening = HandshakeParties::take_output(*parties.dialler);
  opening.back() ^= std::byte{1};
  REQUIRE(parties.listener.feed(opening, kNow));
  const auto fed = parties.dialler->feed(HandshakeParties::take_output(parties.listener), kNow);
  CHECK(fed.code() == Code::unauthenticated);
  CHECK(parties.dialler->output().empty());
}

TEST_CASE("a stranger's bytes are refused at once with what they were") {
  const struct {
    Bytes bytes;
    const char* says;
  } rows[] = {
      {Bytes(as_bytes("GET / HTTP/1.1\r\n").begin(), as_bytes("GET / HTTP/1.1\r\n").end()),
       "GET / HT"},
      {Bytes(as_bytes("SSH-2.0").begin(), as_bytes("SSH-2.0").end()), "SSH-2.0"},
      {filled(0x16, 3), "161616"},
      {filled(0xff, 500), "ffffffff"},
      {Bytes(as_bytes("TuX").begin(), as_bytes("TuX").end()), "TuX"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.says);
    HandshakeParties parties;
    const auto fed = parties.listener.feed(row.bytes, kNow);
    REQUIRE(!fed);
    CHECK(fed.code() == Code::failed_precondition);
    CHECK(fed.error().text().contains("does not speak Tubing"));
    CHECK(fed.error().text().contains(row.says));
    CHECK(parties.listener.output().empty());
    CHECK(parties.dialler->feed(row.bytes, kNow).error().text().contains("does not speak Tubing"));
  }
}

TEST_CASE("messages of impossible length are refused by their length alone") {
  HandshakeParties parties;
  const Bytes opening = HandshakeParties::take_output(*parties.dialler);
  for (const std::uint16_t length :
       {std::uint16_t{0}, std::uint16_t{kFirstMessageBytesMax + 1}, std::uint16_t{0xffff}}) {
    CAPTURE(length);
    HandshakeParties fresh;
    Bytes bytes(opening.begin(), opening.begin() + kPreambleBytes + 2);
    store_be16(bytes.data() + kPreambleBytes, length);
    const auto fed = fresh.listener.feed(bytes, kNow);
    REQUIRE(!fed);
    CHECK(fed.code() == Code::data_loss);
    CHECK(fed.error().text().contains("message 1 states"));
  }
  Bytes answer(opening.begin(), opening.begin() + kPreambleBytes + 2);
  store_be16(answer.data() + kPreambleBytes, kHandshakeMessageBytesMax + 1);
  CHECK(parties.dialler->feed(answer, kNow).error().text().contains("message 2 states 4097"));
}

TEST_CASE("a handshake whose Diffie-Hellman result is all zeros ends unauthenticated") {
  HandshakeParties parties;
  Bytes opening = HandshakeParties::take_output(*parties.dialler);
  std::fill(opening.end() - kX25519Bytes, opening.end(), std::byte{0});
  const auto fed = parties.listener.feed(opening, kNow);
  REQUIRE(!fed);
  CHECK(fed.code() == Code::unauthenticated);
  CHECK(fed.error().text().contains("all-zero"));
}

// The messages of two parties of handshake_parties.h; computed by a second implementation too.
constexpr std::string_view kGoldenOpening =
    "547562670001010100200faa684ed28867b97f4a6a2dee5df8ce974e76b7018e3f22a1c4cf2678570f20";
constexpr std::string_view kGoldenAnswer =
    "5475626700010101014c59d9225473451efffe6b36dbcaefdbf7b1895de62084509a7f5b58bf01d06418a287"
    "cd6e7f601111d6ec107af5e30d00a852240ded3c2c7489c960d8fa119b23076636f2b0e4175dea96b4a630f3"
    "59e7cfed5afab01379bfdc3e4f5b08f1ef65ef28c0952bf49bd1c4228af60051b5265cf9485e1fb2f4e5b9d2"
    "993e4c3f1e4183aad540d3ce8a3540a9a07eed8802a05b23d28e749f5d84a8fdc7c88ff5be957c8a5d27574c"
    "2d4f10f0aef7d3f8457cbdc7e32267c549101e4a68dbb25b5be704769ee20e138dfcc8ff8bde7c899a980340"
    "59d139543deff38bd901a55bf37bbdf38478baf24ae9697fe14d892053d5b17a34221e5b651f55562b80c909"
    "bc943cd7fcb1aaae7751a89b7994d94b9944dda2d61de273980a9bad95328cafdbd8926b37445ef6d812571b"
    "1c61be23e35c43e028ee82fde79dccfe767c49a4ce8fd07e10b95b4f926dd9050dd0";
constexpr std::string_view kGoldenLast =
    "012c1230bdc9918852ae8d76f1d1ae429783e78873dd015c2e05ff261d63f5c5619b003b93606bebcb5b7183"
    "eee82aa7d8c096cc6ef5241cdf22b148f00d8fbccbc364be6fd00f5e265bb9c327bd78fa73cc5c57a335ca6b"
    "dde6b4cfcd60b11cff28f40b6356a81de10726320d60510a228eb53dfa24f27ca4e7bb8de5c26d521604e897"
    "b72203fd2bd5dfd2b39abb5b65609f7c0d9469d224285cdcc5f7450e88580f65c01e6f5b0b95cec994d8ad80"
    "853c14ad6f8f173e71925c3f6346ad2fb11e01aa8e5512dd24605b15c883aa14ab6cde2a40c51012beaba3ab"
    "483446e2aa7047d5cae9dcb384b4c3af09052068d5d268327d7879f6e7eeda756ea29af6561c53274c8affb7"
    "7b2f0fed53f36803ddaa606bb8867a31e3a11dd53710d3862949440143c95246020b522b46a8";
constexpr std::string_view kGoldenHash =
    "f0642429cd4596657d5b67588b7573ef1ceb1258f6ea09403bf89a58168e23e3";
constexpr std::string_view kGoldenDiallerRecord =
    "001769465a80302e97dee9f59cc4cab67836c9e035abac14c4";
constexpr std::string_view kGoldenListenerRecord =
    "0018a9c63e06b96f21f99a531ed8dbb03aa11f69c2a2096a20fb";

TEST_CASE("the handshake and the first records have the golden bytes of their formats") {
  HandshakeParties parties;
  const Bytes opening = HandshakeParties::take_output(*parties.dialler);
  REQUIRE(parties.listener.feed(opening, kNow));
  const Bytes answer = HandshakeParties::take_output(parties.listener);
  REQUIRE(parties.dialler->feed(answer, kNow));
  const Bytes last = HandshakeParties::take_output(*parties.dialler);
  REQUIRE(parties.listener.feed(last, kNow));
  CHECK(to_hex(opening) == kGoldenOpening);
  CHECK(to_hex(answer) == kGoldenAnswer);
  CHECK(to_hex(last) == kGoldenLast);
  auto dialled = parties.dialler->take_result();
  auto listened = parties.listener.take_result();
  CHECK(to_hex(dialled.session_hash) == kGoldenHash);
  CHECK(to_hex(record_of(dialled.sealer, "dialler")) == kGoldenDiallerRecord);
  CHECK(to_hex(record_of(listened.sealer, "listener")) == kGoldenListenerRecord);
}

}  // namespace
}  // namespace tubing::crypto
