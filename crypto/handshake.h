// Handshake: from the first byte of a connection to its keys and its peer, without I/O.
#pragma once

#include <array>
#include <optional>
#include <span>

#include "tubing/crypto/credentials.h"
#include "tubing/crypto/noise_handshake.h"
#include "tubing/crypto/preamble.h"
#include "tubing/crypto/record.h"

namespace tubing::crypto {

/// The longest handshake message that is taken, without its 2 bytes of length.
inline constexpr std::size_t kHandshakeMessageBytesMax = 4096;
/// All that a peer may send before it is authenticated: a preamble and two messages at the most.
inline constexpr std::size_t kHandshakeBytesMax = 8192;

/// Message 1 is a key, with a tag behind it in mode XXpsk3.
inline constexpr std::size_t kFirstMessageBytesMax = kX25519Bytes + kTagBytes;
/// All that a side sends before it is done: as much as fits without a word from the peer.
inline constexpr std::size_t kOutputBytesMax =
    kPreambleBytes + 2 + kFirstMessageBytesMax + 2 + kHandshakeMessageBytesMax;
static_assert(kOutputBytesMax <= kHandshakeBytesMax);

inline constexpr Suite kDefaultSuites[] = {Suite::chacha_poly};

/// What a side brings to a handshake.
///
/// Owns: nothing; all that it refers to outlives the handshake.
struct HandshakeConfig {
  const Credentials& credentials;
  const Trust& trust;
  /// Whom a dialler expects; a listener expects anyone.
  ExpectedPeer expected = ExpectedPeer::anyone();
  /// A dialler asks for the first, a listener takes any of them.
  std::span<const Suite> suites = kDefaultSuites;
  /// When given, the mode is XXpsk3, and the peer must know it too.
  const Secret<kPskBytes>* psk = nullptr;
  /// Whether this processor runs AESGCM. A suite that it cannot run is refused by name.
  bool has_aes = cipher_available(Cipher::aes_gcm);
  RekeyLimits rekey = {};
};

/// What a finished handshake leaves.
struct HandshakeResult {
  RecordSealer sealer;
  RecordOpener opener;
  PeerIdentity peer;
  /// The peer's X25519 key: with its Ed25519 key it names one run of one process.
  X25519Public peer_static;
  /// Equal on both sides and unique to this connection; what later signatures are bound to.
  HashBytes session_hash;
};

/// One side of the handshake, as a machine that is fed received bytes and yields bytes to send.
/// The caller keeps the time: a handshake ends by feed()'s error, by done(), or by being dropped.
///
///   running ──feed()──▶ done       take_result(); what feed() left are records already
///      │ └────feed()──▶ refusing   take_refusal_sealer(): the listener's, to tell the dialler
///      └──────feed()──▶ failed     send output(), then close
///
/// A done dialler may send records at once, but is up only when the listener's first record opens:
/// before that the listener may still refuse it.
///
/// Threads: one at a time.
/// Source: the page HANDSHAKE.md.
class Handshake {
 public:
  enum class State : std::uint8_t { running, done, refusing, failed };

  /// Begins as the side that dials; output() has its first bytes.
  /// Errors: invalid_argument when nobody is expected; failed_precondition when this processor
  /// cannot run the suite.
  static Result<Handshake> dial(const HandshakeConfig& config, Entropy& entropy);
  static Handshake listen(const HandshakeConfig& config, Entropy& entropy);

  /// Takes what came from the peer and returns how much of it was the handshake's; while the state
  /// is running that is all of it. Requires: state() == running.
  /// Errors: failed_precondition for another protocol, version, suite or mode, or our own key;
  /// data_loss for impossible lengths and payloads; unauthenticated for what cannot be proven;
  /// permission_denied for a usage that the certificate does not grant; or the peer's own status.
  /// After an error output() may hold the words that tell the peer: send them, then close.
  Result<std::size_t> feed(ByteView received, WallTime now);

  /// What is to be sent next. Borrowed until feed(), on_sent() or a move.
  ByteView output() const { return ByteView(out_).subspan(out_sent_, out_size_ - out_sent_); }
  /// Requires: count <= output().size().
  void on_sent(std::size_t count);

  State state() const { return state_; }

  /// Whether we dial and nothing has come.
  bool awaits_first_word() const { return dials() && awaited_ == 0 && in_size_ == 0; }
  /// The error for a connection that ended here. Requires: state() == running.
  Error end_of_stream() const;

  /// Requires: state() == done; once.
  HandshakeResult take_result();
  /// Seals the one record in which a listener tells a dialler feed()'s error.
  /// Requires: state() == refusing; once.
  RecordSealer take_refusal_sealer();

 private:
  Handshake(Role role, const HandshakeConfig& config, Entropy& entropy);
  bool dials() const { return role_ == Role::initiator; }
  Mode mode() const { return config_.psk == nullptr ? Mode::xx : Mode::xx_psk3; }
  bool can_run(Suite suite) const;
  std::size_t message_bytes_max() const;

  Result<std::size_t> unit_bytes() const;
  Result<> on_unit(WallTime now);
  Result<> on_preamble();
  Result<> on_message(WallTime now);
  Result<> on_payload(ByteView payload, WallTime now);
  Result<PeerIdentity> check_peer(ByteView payload, WallTime now) const;
  Result<> refuse(const Error& error);
  Error fail(Error error);

  Result<> begin_noise(const Preamble& agreed);
  void put(ByteView bytes);
  Result<> put_message(ByteView payload);

  HandshakeConfig config_;
  Entropy* entropy_;
  Preamble offered_;  ///< What the dialler asks for.
  std::optional<NoiseHandshake> noise_;
  std::optional<PeerIdentity> peer_;
  std::array<std::byte, 2 + kHandshakeMessageBytesMax> in_;  ///< One unit: preamble or message.
  std::size_t in_size_ = 0;
  std::array<std::byte, kOutputBytesMax> out_;
  std::size_t out_size_ = 0;
  std::size_t out_sent_ = 0;
  Role role_;
  State state_ = State::running;
  std::uint8_t awaited_ = 0;  ///< The message that the peer sends next; 0 is its preamble.
};

}  // namespace tubing::crypto
