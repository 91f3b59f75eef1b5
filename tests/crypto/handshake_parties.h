// HandshakeParties: a dialler and a listener with fixed keys, and the bytes that pass between them.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>

#include "tests/crypto/fixed_entropy.h"
#include "tubing/crypto/authority.h"
#include "tubing/crypto/handshake.h"

namespace tubing::crypto {

inline constexpr WallTime kNow = WallTime::from_seconds(1'800'000'000);
inline constexpr WallTime kNotAfter = WallTime::from_seconds(1'800'086'400);

inline Bytes filled(std::uint8_t value, std::size_t count) {
  return Bytes(count, static_cast<std::byte>(value));
}

/// Everything that one process brings.
struct Party {
  Identity identity;
  Certificate certificate;
  Credentials credentials;
  FixedEntropy entropy;

  /// Keys that follow from `seed`, and a certificate by `authority`.
  static Party make(const Authority& authority, const std::string& name, Usage usage,
                    std::uint8_t seed) {
    Identity identity = Identity::from_seed(filled(seed, kIdentitySeedBytes));
    FixedEntropy serial(filled(seed, 8));
    Claims claims{.subject = identity.public_key(),
                  .name = name,
                  .email = "",
                  .roles = {},
                  .usage = usage,
                  .not_before = WallTime::from_seconds(1'700'000'000),
                  .not_after = WallTime::from_seconds(1'900'000'000)};
    auto certificate = authority.issue(std::move(claims), serial);
    REQUIRE(certificate);
    const auto static_seed = filled(static_cast<std::uint8_t>(seed + 1), kX25519Bytes);
    auto credentials =
        Credentials::make(identity, *certificate,
                          X25519KeyPair(Secret<kX25519Bytes>(ByteView(static_seed))), kNotAfter);
    REQUIRE(credentials);
    return {std::move(identity), *certificate, *std::move(credentials),
            FixedEntropy(filled(static_cast<std::uint8_t>(seed + 2), 32))};
  }
};

/// What a test may change between two sides; as it stands, they agree.
struct Differences {
  const char* expected = "server";
  const char* listener_name = "server";
  Usage dialler_usage = Usage::client;
  Usage listener_usage = Usage::server;
  std::span<const Suite> dialler_suites = kDefaultSuites;
  std::span<const Suite> listener_suites = kDefaultSuites;
  const Secret<kPskBytes>* dialler_psk = nullptr;
  const Secret<kPskBytes>* listener_psk = nullptr;
  bool listener_has_aes = cipher_available(Cipher::aes_gcm);
  bool strange_dialler = false;   ///< Its certificate is another authority's.
  bool strange_listener = false;  ///< Likewise.
};

class HandshakeParties {
 public:
  explicit HandshakeParties(const Differences& with = {})
      : dialler_party(Party::make(with.strange_dialler ? stranger_ : authority_, "client",
                                  with.dialler_usage, 0x20)),
        listener_party(Party::make(with.strange_listener ? stranger_ : authority_,
                                   with.listener_name, with.listener_usage, 0x30)),
        listener(Handshake::listen({.credentials = listener_party.credentials,
                                    .trust = trust_,
                                    .suites = with.listener_suites,
                                    .psk = with.listener_psk,
                                    .has_aes = with.listener_has_aes},
                                   listener_party.entropy)) {
    auto dialled = Handshake::dial({.credentials = dialler_party.credentials,
                                    .trust = trust_,
                                    .expected = ExpectedPeer::named(with.expected),
                                    .suites = with.dialler_suites,
                                    .psk = with.dialler_psk},
                                   dialler_party.entropy);
    REQUIRE(dialled);
    dialler.emplace(*std::move(dialled));
  }

  /// What `from` wants to send, which counts as sent.
  static Bytes take_output(Handshake& from) {
    const Bytes bytes(from.output().begin(), from.output().end());
    from.on_sent(bytes.size());
    return bytes;
  }

  /// Passes what both want to send, in pieces of `piece` bytes, until nothing moves any more.
  void run(std::size_t piece = 100'000) {
    for (bool moved = true; moved;) {
      moved = pass(*dialler, listener, listener_error, piece);
      moved = pass(listener, *dialler, dialler_error, piece) || moved;
    }
  }

  std::string dialler_text() const { return dialler_error ? dialler_error->text() : ""; }
  std::string listener_text() const { return listener_error ? listener_error->text() : ""; }

 private:
  const Authority authority_{Identity::from_seed(filled(0x10, kIdentitySeedBytes))};
  const Authority stranger_{Identity::from_seed(filled(0x11, kIdentitySeedBytes))};
  const Trust trust_ = Trust::ca_only({authority_.public_key()});

 public:
  Party dialler_party;
  Party listener_party;
  std::optional<Handshake> dialler;
  Handshake listener;
  std::optional<Error> dialler_error;
  std::optional<Error> listener_error;

 private:
  static bool pass(Handshake& from, Handshake& to, std::optional<Error>& error, std::size_t piece) {
    const Bytes bytes = take_output(from);
    for (std::size_t at = 0; at < bytes.size() && to.state() == Handshake::State::running;) {
      const std::size_t count = std::min(piece, bytes.size() - at);
      const auto consumed = to.feed(ByteView(bytes).subspan(at, count), kNow);
      if (!consumed) {
        error = consumed.error();
        break;
      }
      CHECK(*consumed == count);
      at += count;
    }
    return !bytes.empty();
  }
};

}  // namespace tubing::crypto
