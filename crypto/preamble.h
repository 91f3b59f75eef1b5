// Preamble: the 8 clear bytes with which each side begins, and what the two must agree on.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>

#include "tubing/channel/base/result.h"
#include "tubing/crypto/cipher.h"

namespace tubing::crypto {

/// The version of the handshake and of the records. Different ones refuse each other by name.
inline constexpr std::uint16_t kHandshakeVersion = 1;
inline constexpr std::size_t kPreambleBytes = 8;
/// The first bytes of every connection, both ways.
inline constexpr std::array<std::byte, 4> kMagic = {std::byte{'T'}, std::byte{'u'}, std::byte{'b'},
                                                    std::byte{'g'}};

/// The cipher suites, by their number on the wire. 0 says that none was taken.
enum class Suite : std::uint8_t { none = 0, chacha_poly = 1, aes_gcm = 2 };

/// The handshake patterns, by their number on the wire: XX, or XXpsk3 with a pre-shared key. A
/// listener that is busy answers with none.
enum class Mode : std::uint8_t { none = 0, xx = 1, xx_psk3 = 2 };

/// Requires: a suite other than none.
Cipher cipher_of(Suite suite);
/// "suite 1 (ChaChaPoly)"; "suite 9 (unknown)" for a number that this version does not know.
std::string suite_text(Suite suite);
std::string mode_text(Mode mode);
/// The Noise protocol's name, such as "Noise_XX_25519_ChaChaPoly_SHA256".
/// Requires: known values.
std::string protocol_name(Suite suite, Mode mode);

/// Magic, version, suite and mode; the last two may be numbers that this version does not know.
///
/// Source: the section "Preamble" of HANDSHAKE.md.
struct Preamble {
  std::uint16_t version = kHandshakeVersion;
  Suite suite = Suite::none;
  Mode mode = Mode::xx;

  friend bool operator==(const Preamble&, const Preamble&) = default;
};

/// What a listener says that has no room for another connection.
inline constexpr Preamble kBusyPreamble{.suite = Suite::none, .mode = Mode::none};

constexpr std::array<std::byte, kPreambleBytes> encode_preamble(const Preamble& preamble) {
  return {kMagic[0],
          kMagic[1],
          kMagic[2],
          kMagic[3],
          static_cast<std::byte>(preamble.version >> 8),
          static_cast<std::byte>(preamble.version),
          static_cast<std::byte>(preamble.suite),
          static_cast<std::byte>(preamble.mode)};
}

/// Whether `begin`, the first bytes of a connection, may still become a preamble.
/// Errors: failed_precondition, with the bytes, when they belong to some other protocol.
Result<> check_magic(ByteView begin);

/// Requires: `bytes` has kPreambleBytes that begin with the magic.
Preamble decode_preamble(ByteView bytes);

/// What a listener answers to a dialler's preamble: the very same where it takes it; otherwise its
/// own version and mode with suite none.
Preamble answer_preamble(const Preamble& dialler, std::span<const Suite> allowed, Mode mode);

/// Whether the listener's answer takes what the dialler stated; the same text serves both sides.
/// `allowed` are the listener's suites, where they are known: to itself.
/// Errors: failed_precondition, naming both versions, suites or modes and what to do; unavailable
/// where the listener is busy.
Result<> check_agreement(const Preamble& dialler, const Preamble& listener,
                         std::span<const Suite> allowed = {});

}  // namespace tubing::crypto
