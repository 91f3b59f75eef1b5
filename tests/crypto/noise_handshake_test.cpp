#include "tubing/crypto/noise_handshake.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/crypto/fixed_entropy.h"

namespace tubing::crypto {
namespace {

Bytes repeated(std::uint8_t value, std::size_t count) {
  return Bytes(count, static_cast<std::byte>(value));
}

X25519KeyPair key_pair(std::uint8_t value) {
  return X25519KeyPair(Secret<kX25519Bytes>(ByteView(repeated(value, 32))));
}

/// Two sides of one protocol with fixed keys, who know of each other what the pattern asks for.
class Pair {
 public:
  explicit Pair(const std::string& pattern) {
    auto protocol = NoiseProtocol::parse("Noise_" + pattern + "_25519_ChaChaPoly_SHA256");
    REQUIRE(protocol);
    for (std::size_t i = 0; i < protocol->pattern.psk_count(); ++i) {
      psks_.emplace_back(ByteView(repeated(static_cast<std::uint8_t>(i), 32)));
    }
    initiator = start(*protocol, Role::initiator, initiator_entropy_);
    responder = start(*protocol, Role::responder, responder_entropy_);
  }

  NoiseHandshake& turn() { return initiator->my_turn() ? *initiator : *responder; }
  NoiseHandshake& other() { return initiator->my_turn() ? *responder : *initiator; }

  Bytes write(std::string_view payload) {
    Bytes out(1024);
    const auto size = turn().write_message(as_bytes(payload), out);
    REQUIRE(size);
    out.resize(*size);
    return out;
  }

  std::optional<NoiseHandshake> initiator;
  std::optional<NoiseHandshake> responder;

 private:
  std::optional<NoiseHandshake> start(const NoiseProtocol& protocol, Role role, Entropy& entropy) {
    const bool initiates = role == Role::initiator;
    NoiseKeys keys{.psks = psks_};
    if (protocol.pattern.needs_static(role)) {
      keys.local_static = initiates ? &initiator_key_ : &responder_key_;
    }
    if (protocol.pattern.known_before(initiates ? Role::responder : Role::initiator)) {
      keys.remote_static = (initiates ? responder_key_ : initiator_key_).public_key();
    }
    auto started = NoiseHandshake::start(protocol, role, as_bytes("prologue"), keys, entropy);
    REQUIRE(started);
    return *std::move(started);
  }

  std::vector<Secret<kPskBytes>> psks_;
  FixedEntropy initiator_entropy_{repeated(3, 32)};
  FixedEntropy responder_entropy_{repeated(4, 32)};
  X25519KeyPair initiator_key_ = key_pair(1);
  X25519KeyPair responder_key_ = key_pair(2);
};

constexpr const char* kPatternNames[] = {
    "N",   "K",    "X",   "NN",  "NK",   "NX",  "XN",  "XK",   "XX",   "KN",  "KK",   "KX",  "IN",
    "IK",  "IX",   "NK1", "NX1", "X1N",  "X1K", "XK1", "X1K1", "X1X",  "XX1", "X1X1", "K1N", "K1K",
    "KK1", "K1K1", "K1X", "KX1", "K1X1", "I1N", "I1K", "IK1",  "I1K1", "I1X", "IX1",  "I1X1"};

void run_to_the_end(Pair& pair) {
  int step = 0;
  while (!pair.initiator->finished()) {
    NoiseHandshake& receiver = pair.other();
    const std::string payload = fmt::format("payload {}", ++step);
    Bytes message = pair.write(payload);
    const auto read = receiver.read_message(message);
    REQUIRE(read);
    CHECK(as_text(*read) == payload);
  }
  REQUIRE(pair.responder->finished());
  CHECK(pair.initiator->hash() == pair.responder->hash());
}

TEST_CASE("both sides of every pattern agree with every place of a pre-shared key") {
  for (const char* base : kPatternNames) {
    const std::size_t messages = NoisePattern::parse(base)->message_count();
    for (std::size_t place = 0; place <= messages + 1; ++place) {
      const std::string name = place > messages ? base : fmt::format("{}psk{}", base, place);
      CAPTURE(name);
      Pair pair(name);
      run_to_the_end(pair);
    }
  }
}

TEST_CASE("every truncation of every message of a handshake is refused") {
  for (const char* name : {"XX", "IKpsk2", "X1X1"}) {
    for (std::size_t target = 0; target < NoisePattern::parse(name)->message_count(); ++target) {
      for (std::size_t size = 0;; ++size) {
        CAPTURE(name);
        CAPTURE(target);
        CAPTURE(size);
        Pair pair(name);
        for (std::size_t i = 0; i < target; ++i) {
          NoiseHandshake& receiver = pair.other();
          Bytes message = pair.write("");
          REQUIRE(receiver.read_message(message));
        }
        NoiseHandshake& receiver = pair.other();
        Bytes message = pair.write("");
        if (size == message.size()) break;
        message.resize(size);
        CHECK(receiver.read_message(message).code() == Code::unauthenticated);
      }
    }
  }
}

TEST_CASE("a changed bit in an encrypted handshake message is refused") {
  Pair length("XX");
  Bytes first = length.write("");
  REQUIRE(length.responder->read_message(first));
  const std::size_t size = length.write("payload").size();
  for (std::size_t i = 0; i < size; ++i) {
    CAPTURE(i);
    Pair pair("XX");
    Bytes opening = pair.write("");
    REQUIRE(pair.responder->read_message(opening));
    Bytes message = pair.write("payload");
    message[i] ^= std::byte{1};
    CHECK(pair.initiator->read_message(message).code() == Code::unauthenticated);
  }
}

TEST_CASE("a handshake aborts when the shared secret is all zeros") {
  const Bytes zero = repeated(0, 32);
  Bytes order_eight = zero;  // The two curve points that every multiple of eight sends to zero.
  order_eight[0] = std::byte{1};
  for (const Bytes& key : {zero, order_eight}) {
    Pair pair("NN");
    const Bytes first = pair.write("");
    Bytes forged = key;
    REQUIRE(pair.responder->read_message(forged));
    Bytes out(1024);
    const auto written = pair.responder->write_message({}, out);
    REQUIRE(!written);
    CHECK(written.code() == Code::unauthenticated);
    CHECK(std::string(written.error().detail()).contains("all-zero"));
    CHECK(pair.initiator->read_message(forged).code() == Code::unauthenticated);
  }
}

TEST_CASE("a handshake refuses keys that its pattern does not ask for and misses those it does") {
  const X25519KeyPair key = key_pair(1);
  FixedEntropy entropy({});
  std::vector<Secret<kPskBytes>> psks;
  psks.emplace_back();
  const struct {
    const char* pattern;
    NoiseKeys keys;
    const char* says;
  } rows[] = {
      {"XX", {}, "asks for a static key"},
      {"NN", {.local_static = &key}, "no place for a static key"},
      {"NK", {}, "asks for the peer's static key"},
      {"XX", {.local_static = &key, .remote_static = key.public_key()}, "name none"},
      {"XXpsk3", {.local_static = &key}, "number of pre-shared keys"},
      {"XX", {.local_static = &key, .psks = psks}, "number of pre-shared keys"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.pattern);
    const auto protocol =
        NoiseProtocol::parse(fmt::format("Noise_{}_25519_ChaChaPoly_SHA256", row.pattern));
    REQUIRE(protocol);
    const auto started = NoiseHandshake::start(*protocol, Role::initiator, {}, row.keys, entropy);
    REQUIRE(!started);
    CHECK(started.code() == Code::invalid_argument);
    CHECK(std::string(started.error().detail()).contains(row.says));
  }
}

TEST_CASE("a handshake refuses to write or read more than Noise's 65535 bytes") {
  Pair pair("NN");
  Bytes out(70'000);
  CHECK(pair.initiator->write_message(repeated(0, 65'504), out).code() == Code::resource_exhausted);
  CHECK(pair.responder->read_message(out).code() == Code::data_loss);
  Pair fits("NN");
  Bytes small(32 + 4);
  CHECK(fits.initiator->write_message(repeated(0, 5), small).code() == Code::resource_exhausted);
}

TEST_CASE("names that are no Noise protocol are refused by name") {
  const struct {
    const char* name;
    Code code;
    const char* says;
  } rows[] = {
      {"", Code::invalid_argument, "no Noise protocol"},
      {"Noise_XX", Code::invalid_argument, "no Noise protocol"},
      {"Noise_QQ_25519_ChaChaPoly_SHA256", Code::invalid_argument, "handshake pattern \"QQ\""},
      {"Noise_XXfallback_25519_ChaChaPoly_SHA256", Code::invalid_argument, "\"fallback\""},
      {"Noise_XXpsk4_25519_ChaChaPoly_SHA256", Code::invalid_argument, "\"psk4\""},
      {"Noise_XXpsk1+psk1_25519_ChaChaPoly_SHA256", Code::invalid_argument, "\"psk1\""},
      {"Noise_XXpsk_25519_ChaChaPoly_SHA256", Code::invalid_argument, "\"psk\""},
      {"Noise_XX_448_ChaChaPoly_SHA256", Code::unimplemented, "Noise_XX_448_ChaChaPoly_SHA256"},
      {"Noise_XX_25519_XChaChaPoly_SHA256", Code::unimplemented, "ChaChaPoly or AESGCM"},
      {"Noise_XX_25519_ChaChaPoly_BLAKE2s", Code::unimplemented, "SHA256"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const auto protocol = NoiseProtocol::parse(row.name);
    REQUIRE(!protocol);
    CHECK(protocol.code() == row.code);
    CHECK(std::string(protocol.error().detail()).contains(row.says));
  }
}

}  // namespace
}  // namespace tubing::crypto
