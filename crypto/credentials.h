// Credentials: what a process shows of itself in each handshake, and how a peer checks it.
#pragma once

#include <optional>

#include "tubing/crypto/certificate.h"
#include "tubing/crypto/identity.h"
#include "tubing/crypto/trust.h"
#include "tubing/crypto/x25519.h"

namespace tubing::crypto {

/// The purpose for which an identity signs the X25519 key of its process; see `Identity::sign`.
inline constexpr std::string_view kStaticKeyDomain = "tubing noise static key";
/// The longest text of a refusal; a longer one is cut.
inline constexpr std::size_t kRefusalTextBytesMax = 256;
/// The payload of credentials: kind, expiry, signature, certificate.
inline constexpr std::size_t kCredentialsBytesMax = 1 + 8 + kSignatureBytes + kCertificateBytesMax;

/// The first byte of the payload of messages 2 and 3.
enum class PayloadKind : std::uint8_t { credentials = 1, refused = 2 };

/// The certificate of a process, its X25519 key, and its identity's signature that joins the two.
///
/// Owns: the key. It must outlive the handshakes that borrow it.
/// Threads: one at a time.
class Credentials {
 public:
  /// `static_key` is made once per process and never stored. After `not_after` peers refuse the
  /// signature: renew() before.
  /// Errors: invalid_argument when the certificate is another identity's, or the date is not in
  /// the years from 1970 that WallTime holds.
  static Result<Credentials> make(const Identity& identity, const Certificate& certificate,
                                  X25519KeyPair static_key, WallTime not_after);

  /// Signs the same X25519 key again, beside a newer certificate for the same identity.
  /// Errors: as make().
  Result<> renew(const Identity& identity, const Certificate& certificate, WallTime not_after);

  const X25519KeyPair& static_key() const { return static_key_; }
  /// The newest that was given.
  const Certificate& certificate() const { return certificate_; }
  /// The payload of message 2 or 3. Borrowed until renew().
  ByteView payload() const { return payload_; }

 private:
  explicit Credentials(X25519KeyPair static_key) : static_key_(std::move(static_key)) {}

  X25519KeyPair static_key_;
  Certificate certificate_;
  Bytes payload_;
};

/// Whom a side wants to see at the other end.
///
/// Owns: nothing; `trust` outlives it.
struct PeerCheck {
  const Trust* trust;
  Usage required;  ///< What the peer is here: a server to a dialler, a client to a listener.
  ExpectedPeer expected = ExpectedPeer::anyone();
};

/// Decides whether the owner of `static_key`, proven by Noise, is the peer that `check` wants.
/// Errors: data_loss for a payload of another form; unauthenticated for a signature that does not
/// join the key to the certificate, or has expired; those of Trust::verify_peer().
Result<PeerIdentity> verify_credentials(ByteView payload, const X25519Public& static_key,
                                        const PeerCheck& check, WallTime now);

/// The payload that tells the peer why it is refused.
Bytes encode_refusal(const Error& error);
/// Returns: what the peer tells with encode_refusal(), as an error with its status and its text in
/// printable ASCII; nothing for a payload of another kind.
std::optional<Error> decode_refusal(ByteView payload);

}  // namespace tubing::crypto
