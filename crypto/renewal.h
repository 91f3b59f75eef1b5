// Renewal: how a peer shows a newer certificate for its key within a session.
#pragma once

#include "tubing/channel/base/result.h"
#include "tubing/crypto/certificate.h"
#include "tubing/crypto/identity.h"
#include "tubing/crypto/noise_symmetric.h"
#include "tubing/crypto/trust.h"

namespace tubing::crypto {

/// The purpose for which an identity signs its newer certificate; see `Identity::sign`.
inline constexpr std::string_view kRenewalDomain = "tubing renewal";
inline constexpr std::uint8_t kRenewalVersion = 1;
/// The longest renewal: version, signature, certificate.
inline constexpr std::size_t kRenewalMessageBytesMax = 1 + kSignatureBytes + kCertificateBytesMax;

/// The renewal with which the owner of `identity` shows `certificate` over the session that has
/// this hash; it is void in every other session.
/// Returns: at most kRenewalMessageBytesMax bytes.
/// Errors: invalid_argument where the certificate is for another key.
/// Source: the section "Renewal" of HANDSHAKE.md.
Result<Bytes> make_renewal(const Identity& identity, const Certificate& certificate,
                           const HashBytes& session_hash);

/// What a renewal must fit.
///
/// Owns: nothing.
struct RenewalCheck {
  const HashBytes& session_hash;  ///< Of the session over which it came.
  const PeerIdentity& current;    ///< The peer as it is believed so far.
  const Trust& trust;             ///< By which it is believed from now on.
  Usage required;                 ///< What the peer is here, as for Trust::verify_peer().
};

/// Decides whether the peer may go on with the certificate that `renewal` shows. A refusal changes
/// nothing of what the peer has: whether to end the session for it is the caller's choice.
///
/// Returns: the peer as it is from now on, with the key and the name of before; roles, usage and
/// dates may be other ones.
/// Errors: data_loss for another form or version; unauthenticated for another key or name, a
/// certificate that does not last longer than the current one, a signature that was not made by the
/// peer for this session; those of Trust::verify_peer().
Result<PeerIdentity> verify_renewal(ByteView renewal, const RenewalCheck& check, WallTime now);

}  // namespace tubing::crypto
