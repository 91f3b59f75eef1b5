// NoiseHandshake: one side of any Noise handshake, message by message, without I/O.
#pragma once

#include <optional>
#include <span>

#include "tubing/crypto/noise_pattern.h"
#include "tubing/crypto/noise_symmetric.h"
#include "tubing/crypto/x25519.h"

namespace tubing::crypto {

inline constexpr std::size_t kNoiseMessageBytesMax = 65'535;
inline constexpr std::size_t kPskBytes = 32;

/// What a side brings to a handshake. Which of them, the pattern says.
///
/// Owns: nothing; all that it refers to outlives the handshake.
struct NoiseKeys {
  const X25519KeyPair* local_static = nullptr;
  std::optional<X25519Public> remote_static = std::nullopt;
  /// One for each psk modifier, in the order of the messages.
  std::span<const Secret<kPskBytes>> psks = {};
};

/// The state of one handshake: written and read by turns, until finished(), then split().
/// Any error ends it and wipes its keys.
///
/// Threads: one at a time.
/// Source: Noise rev 34 §5.3. All-zero Diffie-Hellman results abort, as §12.1 allows.
class NoiseHandshake {
 public:
  /// Errors: invalid_argument when `keys` are not exactly those that the pattern asks for.
  static Result<NoiseHandshake> start(const NoiseProtocol& protocol, Role role, ByteView prologue,
                                      const NoiseKeys& keys, Entropy& entropy);

  bool finished() const { return next_message_ == pattern_.message_count(); }
  /// Whether the next message is ours to write.
  bool my_turn() const { return !finished() && (next_message_ % 2 == 0) == is_initiator(); }

  /// Writes the next message, with `payload` inside, into `out` and returns its size.
  /// Requires: my_turn(); `out` overlaps no payload.
  /// Errors: resource_exhausted when it does not fit `out` or Noise's 65,535 bytes;
  /// unauthenticated for an all-zero Diffie-Hellman result.
  Result<std::size_t> write_message(ByteView payload, MutableBytes out);

  /// Reads the peer's next message in place and returns its payload, borrowed from `message`.
  /// Requires: !my_turn() && !finished().
  /// Errors: unauthenticated for a message that is too short or changed, or made with other keys,
  /// or whose keys yield an all-zero Diffie-Hellman result; data_loss for one over 65,535 bytes.
  Result<MutableBytes> read_message(MutableBytes message);

  /// The hash over all that was said: equal on both sides, unique to this handshake.
  /// Requires: finished().
  const HashBytes& hash() const;
  /// The peer's static key, once it is known.
  const std::optional<X25519Public>& remote_static() const { return remote_static_; }

  /// Requires: finished().
  CipherPair split() const;

 private:
  NoiseHandshake(const NoiseProtocol& protocol, Role role, const NoiseKeys& keys, Entropy& entropy);
  bool is_initiator() const { return role_ == Role::initiator; }
  void mix_prologue(ByteView prologue);
  const X25519KeyPair& own_key(Token token) const;
  const X25519Public& peer_key(Token token) const;
  Result<> mix_agreement(Token token);
  void mix_psk();
  Result<> write_token(Token token, MutableBytes& rest);
  Result<> read_token(Token token, MutableBytes& rest);
  Result<> write_public_key(Token token, MutableBytes& rest);
  Result<> read_public_key(Token token, MutableBytes& rest);
  Result<std::size_t> write_tokens(ByteView payload, MutableBytes out);
  Result<MutableBytes> read_tokens(MutableBytes message);
  void wipe();

  NoisePattern pattern_;
  SymmetricState symmetric_;
  Entropy* entropy_;
  const X25519KeyPair* local_static_;
  std::span<const Secret<kPskBytes>> psks_;
  std::optional<X25519KeyPair> local_ephemeral_;
  std::optional<X25519Public> remote_static_;
  std::optional<X25519Public> remote_ephemeral_;
  std::size_t next_message_ = 0;
  std::size_t next_psk_ = 0;
  Role role_;
  bool failed_ = false;
};

}  // namespace tubing::crypto
