#include "tubing/crypto/renewal.h"

#include <fmt/format.h>

#include <algorithm>

namespace tubing::crypto {
namespace {

constexpr const char* kOperation = "renewal";
constexpr std::size_t kHeadBytes = 1 + kSignatureBytes;

Error unauthenticated(std::string_view what) {
  return Error(Code::unauthenticated, kOperation, what);
}

/// What the peer signs: the session, and the certificate's bytes.
Bytes signed_bytes(const HashBytes& session_hash, ByteView certificate) {
  Bytes bytes(session_hash.begin(), session_hash.end());
  append(bytes, certificate);
  return bytes;
}

/// A renewal goes on with the same peer, and forward in time.
Result<> check_follows(const Certificate& next, const PeerIdentity& current) {
  if (next.claims.subject != current.key)
    return unauthenticated(
        fmt::format("{} ({}) shows a certificate for another key, {}: a new key needs a new "
                    "connection",
                    current.name, current.key.fingerprint(), next.claims.subject.fingerprint()));
  if (next.claims.not_after <= current.not_after)
    return unauthenticated(fmt::format(
        "{} shows a certificate that ends on {}, and the one it has ends on {}: a renewal must "
        "last longer; a certificate that grants less time needs a new connection",
        current.name, date_text(next.claims.not_after), date_text(current.not_after)));
  return {};
}

}  // namespace

Result<Bytes> make_renewal(const Identity& identity, const Certificate& certificate,
                           const HashBytes& session_hash) {
  if (certificate.claims.subject != identity.public_key())
    return Error(
        Code::invalid_argument, kOperation,
        fmt::format("the certificate is for the key {}, the identity is {}: give the pair "
                    "of files that belong together",
                    certificate.claims.subject.fingerprint(), identity.public_key().fingerprint()));
  const Bytes encoded = encode_certificate(certificate);
  Bytes renewal{std::byte{kRenewalVersion}};
  append(renewal, identity.sign(kRenewalDomain, signed_bytes(session_hash, encoded)));
  append(renewal, encoded);
  TUBING_ASSERT(renewal.size() <= kRenewalMessageBytesMax, renewal.size());
  return renewal;
}

Result<PeerIdentity> verify_renewal(ByteView renewal, const RenewalCheck& check, WallTime now) {
  if (renewal.size() < kHeadBytes)
    return Error(
        Code::data_loss, kOperation,
        fmt::format("it has {} bytes; at least {} are needed", renewal.size(), kHeadBytes));
  if (renewal[0] != std::byte{kRenewalVersion})
    return Error(Code::data_loss, kOperation,
                 fmt::format("its version is {}; this program reads version {}",
                             std::to_integer<unsigned>(renewal[0]), kRenewalVersion));
  Signature signature;
  std::ranges::copy(renewal.subspan(1, kSignatureBytes), signature.begin());
  const ByteView encoded = renewal.subspan(kHeadBytes);
  auto certificate = decode_certificate(encoded);
  if (!certificate)
    return Error(Code::data_loss, kOperation,
                 fmt::format("no good certificate: {}", certificate.error().detail()));
  if (auto follows = check_follows(*certificate, check.current); !follows)
    return std::move(follows).error();
  if (!verify(check.current.key, kRenewalDomain, signed_bytes(check.session_hash, encoded),
              signature))
    return unauthenticated(fmt::format(
        "the certificate that {} shows was not signed by it for this session", check.current.name));
  auto peer = check.trust.verify_peer(*certificate, check.required,
                                      ExpectedPeer::with_key(check.current.key), now);
  if (peer && peer->name != check.current.name)
    return unauthenticated(
        fmt::format("{} shows a certificate for the name {}: a new name needs a "
                    "new connection",
                    check.current.name, peer->name));
  return peer;
}

}  // namespace tubing::crypto
