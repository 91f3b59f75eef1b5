// What each side refuses in a handshake, and what both sides then know.
#include <doctest/doctest.h>

#include <string>

#include "tests/crypto/handshake_parties.h"
#include "tubing/crypto/system_entropy.h"

namespace tubing::crypto {
namespace {

using State = Handshake::State;

TEST_CASE("different handshake versions are refused and both sides name both") {
  HandshakeParties parties;
  Bytes opening = HandshakeParties::take_output(*parties.dialler);
  store_be16(opening.data() + 4, 7);
  const auto heard = parties.listener.feed(opening, kNow);
  REQUIRE(!heard);
  CHECK(heard.code() == Code::failed_precondition);
  CHECK(heard.error().text().contains("dialler speaks version 7"));
  CHECK(heard.error().text().contains("listener version 1"));
  CHECK(to_hex(parties.listener.output()) == "5475626700010001");

  Bytes answer = HandshakeParties::take_output(parties.listener);
  store_be16(answer.data() + 4, 7);
  const auto told = parties.dialler->feed(answer, kNow);
  REQUIRE(!told);
  CHECK(told.error().text().contains("dialler speaks version 1"));
  CHECK(told.error().text().contains("listener version 7"));
}

TEST_CASE("a suite that the listener does not allow is refused by name on both sides") {
  if (!cipher_available(Cipher::aes_gcm)) return;
  static constexpr Suite kAesOnly[] = {Suite::aes_gcm};
  HandshakeParties parties({.dialler_suites = kAesOnly});
  parties.run();
  for (const std::string& text : {parties.dialler_text(), parties.listener_text()}) {
    CAPTURE(text);
    CHECK(text.contains("asks for suite 2 (AESGCM)"));
    CHECK(text.contains("name the same suite on both sides"));
    CHECK_FALSE(text.contains("suite 0"));
  }
  CHECK(parties.dialler->state() == State::failed);
  CHECK(parties.listener.state() == State::failed);
}

TEST_CASE("a suite that the processor of either side cannot run is refused by name") {
  static constexpr Suite kBoth[] = {Suite::aes_gcm, Suite::chacha_poly};
  HandshakeParties parties({.listener_suites = kBoth, .listener_has_aes = false});
  Bytes opening = HandshakeParties::take_output(*parties.dialler);
  opening[6] = static_cast<std::byte>(Suite::aes_gcm);
  const auto heard = parties.listener.feed(opening, kNow);
  REQUIRE(heard.code() == Code::failed_precondition);
  CHECK(
      heard.error().text().contains("asks for suite 2 (AESGCM), which this processor cannot run"));
  CHECK(parties.listener.output()[6] == std::byte{0});

  const Trust nobody = Trust::ca_only({});
  SystemEntropy entropy;
  const auto dialled = Handshake::dial({.credentials = parties.dialler_party.credentials,
                                        .trust = nobody,
                                        .expected = ExpectedPeer::named("server"),
                                        .suites = kBoth,
                                        .has_aes = false},
                                       entropy);
  REQUIRE(dialled.code() == Code::failed_precondition);
  CHECK(dialled.error().text().contains("cannot run suite 2 (AESGCM)"));
}

TEST_CASE("a suite or mode of an unknown number is refused") {
  for (const std::size_t place : {6, 7}) {
    CAPTURE(place);
    for (const int number : {0, 3, 255}) {
      CAPTURE(number);
      HandshakeParties parties;
      Bytes opening = HandshakeParties::take_output(*parties.dialler);
      opening[place] = static_cast<std::byte>(number);
      CHECK(parties.listener.feed(opening, kNow).code() == Code::failed_precondition);
      CHECK(parties.listener.output()[6] == std::byte{0});
    }
  }
}

TEST_CASE("an answer of another suite than the dialler asked for is refused") {
  HandshakeParties parties;
  Bytes answer = HandshakeParties::take_output(*parties.dialler);
  answer.resize(kPreambleBytes);
  answer[6] = static_cast<std::byte>(Suite::aes_gcm);
  CHECK(parties.dialler->feed(answer, kNow).code() == Code::failed_precondition);
}

TEST_CASE("a pre-shared key on one side alone is refused by name on both sides") {
  const Secret<kPskBytes> psk(ByteView(filled(9, kPskBytes)));
  for (const bool dialler_has : {true, false}) {
    HandshakeParties parties(dialler_has ? Differences{.dialler_psk = &psk}
                                         : Differences{.listener_psk = &psk});
    parties.run();
    for (const std::string& text : {parties.dialler_text(), parties.listener_text()}) {
      CAPTURE(text);
      CHECK(text.contains("mode 1 (XX, without a pre-shared key)"));
      CHECK(text.contains("mode 2 (XXpsk3, with a pre-shared key)"));
    }
  }
}

TEST_CASE("a wrong pre-shared key is refused by the listener with that advice") {
  const Secret<kPskBytes> psk(ByteView(filled(9, kPskBytes)));
  const Secret<kPskBytes> other(ByteView(filled(8, kPskBytes)));
  HandshakeParties parties({.dialler_psk = &psk, .listener_psk = &other});
  parties.run();
  CHECK(parties.listener.state() == State::failed);
  CHECK(parties.listener_text().contains("same pre-shared key"));
}

TEST_CASE("a dialler that refuses the listener tells it why in message 3") {
  const struct {
    Differences with;
    Code code;
  } rows[] = {
      {{.expected = "other"}, Code::unauthenticated},
      {{.strange_listener = true}, Code::unauthenticated},
      {{.listener_usage = Usage::client}, Code::permission_denied},
  };
  for (const auto& row : rows) {
    HandshakeParties parties(row.with);
    parties.run();
    CHECK(parties.dialler->state() == State::failed);
    CHECK(parties.listener.state() == State::failed);
    REQUIRE(parties.dialler_error);
    REQUIRE(parties.listener_error);
    CHECK(parties.dialler_error->code() == row.code);
    CHECK(parties.listener_error->code() == row.code);
    const std::string told(parties.dialler_error->detail().substr(0, 40));
    CAPTURE(told);
    CHECK(parties.listener_text().contains("the peer refused us: " + told));
  }
}

TEST_CASE("a listener that refuses the dialler keeps a key to tell it in a record") {
  const struct {
    Differences with;
    Code code;
  } rows[] = {
      {{.strange_dialler = true}, Code::unauthenticated},
      {{.dialler_usage = Usage::server}, Code::permission_denied},
  };
  for (const auto& row : rows) {
    HandshakeParties parties(row.with);
    parties.run();
    REQUIRE(parties.listener_error);
    CHECK(parties.listener_error->code() == row.code);
    REQUIRE(parties.listener.state() == State::refusing);
    REQUIRE(parties.dialler->state() == State::done);
    RecordSealer sealer = parties.listener.take_refusal_sealer();
    Bytes record(3 + kRecordOverheadBytes);
    std::ranges::copy(as_bytes("why"), record.begin() + kRecordHeaderBytes);
    REQUIRE(sealer.seal(record, 3));
    auto opened = parties.dialler->take_result().opener.open(record);
    REQUIRE(opened);
    REQUIRE(*opened);
    CHECK(as_text((*opened)->plaintext) == "why");
  }
}

/// What a dialler says to a listener whose message 2 carries `payload`.
Result<std::size_t> answer_with(HandshakeParties& parties, ByteView payload) {
  const Bytes opening = HandshakeParties::take_output(*parties.dialler);
  Bytes prologue(opening.begin(), opening.begin() + kPreambleBytes);
  Bytes answer = prologue;
  append(prologue, answer);
  const auto protocol = NoiseProtocol::parse(protocol_name(Suite::chacha_poly, Mode::xx));
  REQUIRE(protocol);
  SystemEntropy entropy;
  const NoiseKeys keys{.local_static = &parties.listener_party.credentials.static_key()};
  auto noise = NoiseHandshake::start(*protocol, Role::responder, prologue, keys, entropy);
  REQUIRE(noise);
  Bytes first(opening.begin() + kPreambleBytes + 2, opening.end());
  REQUIRE(noise->read_message(first));
  Bytes message(kHandshakeMessageBytesMax);
  const auto size = noise->write_message(payload, message);
  REQUIRE(size);
  answer.resize(kPreambleBytes + 2);
  store_be16(answer.data() + kPreambleBytes, static_cast<std::uint16_t>(*size));
  append(answer, ByteView(message).first(*size));
  return parties.dialler->feed(answer, kNow);
}

TEST_CASE("a refusal in message 2 is not believed for its sender is unknown") {
  HandshakeParties parties;
  const auto fed = answer_with(
      parties, encode_refusal(Error(Code::permission_denied, "forged", "never come back")));
  REQUIRE(!fed);
  CHECK(fed.code() == Code::data_loss);
  CHECK_FALSE(fed.error().text().contains("never come back"));
}

TEST_CASE("credentials that another process has shown are refused when they are shown again") {
  HandshakeParties parties;
  Party replayed = Party::make(Authority(Identity::from_seed(filled(0x10, kIdentitySeedBytes))),
                               "server", Usage::server, 0x60);
  const auto fed = answer_with(parties, replayed.credentials.payload());
  REQUIRE(!fed);
  CHECK(fed.code() == Code::unauthenticated);
  CHECK(fed.error().text().contains("not its own"));
}

TEST_CASE("bytes in the payload of message 1 are refused") {
  HandshakeParties parties;
  Bytes opening = HandshakeParties::take_output(*parties.dialler);
  opening.push_back(std::byte{0});
  store_be16(opening.data() + kPreambleBytes, kX25519Bytes + 1);
  const auto fed = parties.listener.feed(opening, kNow);
  REQUIRE(!fed);
  CHECK(fed.code() == Code::data_loss);
  CHECK(fed.error().text().contains("message 1 carries bytes"));
}

TEST_CASE("a process that reaches itself is told so") {
  const Authority authority(Identity::from_seed(filled(1, kIdentitySeedBytes)));
  Party party = Party::make(authority, "server", Usage::both, 0x40);
  const Trust trust = Trust::ca_only({authority.public_key()});
  const HandshakeConfig config{
      .credentials = party.credentials, .trust = trust, .expected = ExpectedPeer::named("server")};
  SystemEntropy entropy;
  auto dialler = Handshake::dial(config, entropy);
  REQUIRE(dialler);
  Handshake listener = Handshake::listen(config, entropy);
  REQUIRE(listener.feed(dialler->output(), kNow));
  const auto fed = dialler->feed(listener.output(), kNow);
  REQUIRE(!fed);
  CHECK(fed.code() == Code::failed_precondition);
  CHECK(fed.error().text().contains("this very process"));
}

TEST_CASE("a dialler that expects nobody in particular is refused before it sends") {
  HandshakeParties parties;
  const Trust trust = Trust::ca_only({});
  const HandshakeConfig config{.credentials = parties.dialler_party.credentials, .trust = trust};
  SystemEntropy entropy;
  const auto dialled = Handshake::dial(config, entropy);
  REQUIRE(!dialled);
  CHECK(dialled.code() == Code::invalid_argument);
  CHECK(dialled.error().text().contains("NAME@HOST:PORT"));
}

}  // namespace
}  // namespace tubing::crypto
