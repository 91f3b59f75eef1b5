// NoisePattern: the handshake patterns of Noise as data, and the names of protocols.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "tubing/crypto/cipher.h"

namespace tubing::crypto {

enum class Role : std::uint8_t { initiator, responder };

/// What a message of a handshake does next, in Noise's words.
enum class Token : std::uint8_t { e, s, ee, es, se, ss, psk };

/// Who sends what in which order. Messages alternate, the initiator's first.
///
/// Source: Noise rev 34 §7 to §9 and appendix 18.1: all fundamental, one-way and deferred patterns
/// with any of the modifiers psk0 to psk4. Differs: no `fallback`; what dials also initiates.
class NoisePattern {
 public:
  static constexpr std::size_t kMessagesMax = 4;

  /// Errors: invalid_argument, by name, for what is no such pattern or modifier.
  static Result<NoisePattern> parse(std::string_view name);

  std::size_t message_count() const { return message_count_; }
  /// Requires: index < message_count().
  std::span<const Token> message(std::size_t index) const;
  /// Whether the side's static public key is known to the other before the first message.
  bool known_before(Role role) const { return known_before_[static_cast<std::size_t>(role)]; }
  /// Whether the side has a static key pair at all.
  bool needs_static(Role role) const;
  std::size_t psk_count() const { return psk_count_; }
  /// Whether only the initiator sends, after the handshake too.
  bool one_way() const { return message_count_ == 1; }

 private:
  static constexpr std::size_t kTokensMax = 8;
  struct Message {
    std::array<Token, kTokensMax> tokens{};
    std::size_t count = 0;

    void append(Token token);
    void prepend(Token token);
  };

  NoisePattern() = default;
  void add_messages(std::string_view text);
  Result<> apply_modifiers(std::string_view modifiers);

  std::array<Message, kMessagesMax> messages_{};
  std::size_t message_count_ = 0;
  std::size_t psk_count_ = 0;
  std::array<bool, 2> known_before_{};
};

/// A protocol as its name says it, for example "Noise_XXpsk3_25519_ChaChaPoly_SHA256".
struct NoiseProtocol {
  std::string name;
  NoisePattern pattern;
  Cipher cipher;

  /// Errors: invalid_argument for what is no name of a protocol; unimplemented, naming it, for a
  /// Diffie-Hellman, cipher or hash other than 25519, ChaChaPoly or AESGCM, and SHA256.
  static Result<NoiseProtocol> parse(std::string_view name);
};

}  // namespace tubing::crypto
