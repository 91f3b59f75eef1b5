#include "tubing/crypto/credentials.h"

#include <fmt/format.h>

#include <algorithm>

namespace tubing::crypto {

namespace {

constexpr const char* kOperation = "handshake";
constexpr std::size_t kNotAfterBytes = 8;
constexpr std::size_t kCredentialsHeadBytes = 1 + kNotAfterBytes + kSignatureBytes;

// What the identity signs: the X25519 key and the second after which the signature is void.
Bytes signed_bytes(const X25519Public& static_key, ByteView not_after) {
  Bytes bytes(static_key.begin(), static_key.end());
  append(bytes, not_after);
  return bytes;
}

Error unauthenticated(std::string_view detail) {
  return Error(Code::unauthenticated, kOperation, detail);
}

}  // namespace

Result<Credentials> Credentials::make(const Identity& identity, const Certificate& certificate,
                                      X25519KeyPair static_key, WallTime not_after) {
  Credentials credentials(std::move(static_key));
  auto signed_now = credentials.renew(identity, certificate, not_after);
  if (!signed_now) return signed_now.error();
  return credentials;
}

Result<> Credentials::renew(const Identity& identity, const Certificate& certificate,
                            WallTime not_after) {
  if (certificate.claims.subject != identity.public_key()) {
    return Error(
        Code::invalid_argument, "credentials",
        fmt::format("the certificate is for the key {}, the identity is {}: give the pair "
                    "of files that belong together",
                    certificate.claims.subject.fingerprint(), identity.public_key().fingerprint()));
  }
  if (not_after.since_epoch_ns < 0) {
    return Error(Code::invalid_argument, "credentials", "the expiry lies before 1970");
  }
  Bytes payload(1 + kNotAfterBytes);
  payload[0] = static_cast<std::byte>(PayloadKind::credentials);
  store_be64(payload.data() + 1, static_cast<std::uint64_t>(not_after.seconds()));
  const Bytes message = signed_bytes(static_key_.public_key(), ByteView(payload).subspan(1));
  append(payload, identity.sign(kStaticKeyDomain, message));
  append(payload, encode_certificate(certificate));
  certificate_ = certificate;
  payload_ = std::move(payload);
  return {};
}

Result<PeerIdentity> verify_credentials(ByteView payload, const X25519Public& static_key,
                                        const PeerCheck& check, WallTime now) {
  if (payload.size() < kCredentialsHeadBytes ||
      payload[0] != static_cast<std::byte>(PayloadKind::credentials)) {
    return Error(Code::data_loss, kOperation, "the peer sent neither credentials nor a refusal");
  }
  const ByteView not_after = payload.subspan(1, kNotAfterBytes);
  Signature signature;
  std::ranges::copy(payload.subspan(1 + kNotAfterBytes, kSignatureBytes), signature.begin());
  auto certificate = decode_certificate(payload.subspan(kCredentialsHeadBytes));
  if (!certificate) return certificate.error();
  if (!verify(certificate->claims.subject, kStaticKeyDomain, signed_bytes(static_key, not_after),
              signature)) {
    return unauthenticated(
        "the peer's certificate is not its own: the certificate's key did not sign the key that "
        "the peer speaks with");
  }
  if (static_cast<std::uint64_t>(now.seconds()) > load_be64(not_after.data())) {
    return unauthenticated(fmt::format(
        "the signature over the peer's key of the moment has expired (it is {} here): check both "
        "clocks, or restart the peer",
        date_text(now)));
  }
  return check.trust->verify_peer(*certificate, check.required, check.expected, now);
}

Bytes encode_refusal(const Error& error) {
  Bytes payload{static_cast<std::byte>(PayloadKind::refused),
                static_cast<std::byte>(error.status())};
  const ByteView text = as_bytes(error.detail());
  append(payload, text.first(std::min(text.size(), kRefusalTextBytesMax)));
  return payload;
}

std::optional<Error> decode_refusal(ByteView payload) {
  if (payload.empty() || payload[0] != static_cast<std::byte>(PayloadKind::refused)) {
    return std::nullopt;
  }
  Code status = Code::unknown;
  if (payload.size() > 1) status = status_from_wire(std::to_integer<std::uint64_t>(payload[1]));
  if (status == Code::ok) status = Code::unknown;
  std::string_view told = as_text(payload.subspan(std::min<std::size_t>(payload.size(), 2)));
  std::string text = "the peer refused us: ";
  text += printable(told.substr(0, kRefusalTextBytesMax));
  return Error(status, kOperation, text);
}

}  // namespace tubing::crypto
