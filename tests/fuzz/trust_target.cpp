// What says whom to believe: lists of a key folder, pre-shared keys, renewals. What is refused is
// refused by name; what is taken says nothing twice, and nothing that does not stand there.
#include <algorithm>

#include "tests/fuzz/input.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"
#include "tubing/channel/base/assert.h"
#include "tubing/crypto/certificate.h"
#include "tubing/crypto/psk_file.h"
#include "tubing/crypto/renewal.h"
#include "tubing/crypto/revocations.h"
#include "tubing/crypto/trust_files.h"

namespace tubing::fuzz {
namespace {

using crypto::Identity;

constexpr std::int64_t kNowSeconds = 1'800'000'000;

const Identity& identity(std::uint8_t seed) {
  static const Identity all[] = {
      Identity::from_seed(Bytes(crypto::kIdentitySeedBytes, std::byte{0})),
      Identity::from_seed(Bytes(crypto::kIdentitySeedBytes, std::byte{1})),
      Identity::from_seed(Bytes(crypto::kIdentitySeedBytes, std::byte{2}))};
  return all[seed % std::size(all)];
}

void check_refusal(const Error& error) {
  const Code code = error.code();
  TUBING_ASSERT(
      code == Code::invalid_argument || code == Code::data_loss || code == Code::resource_exhausted,
      error.text());
}

void read_revoked(std::string_view text) {
  const auto revoked = crypto::parse_revocations(text);
  if (!revoked) return check_refusal(revoked.error());
  TUBING_ASSERT(revoked->size() <= crypto::kRevocationsMax);
  // Whatever is cut off from a whole list leaves none.
  for (std::size_t size : {text.size() - 1, text.size() / 2, text.rfind('\n', text.size() - 2)})
    if (size < text.size()) TUBING_ASSERT(!crypto::parse_revocations(text.substr(0, size)), size);
}

template <class Peers>
void check_peers(const Peers& peers, std::string_view text) {
  for (auto peer = peers.begin(); peer != peers.end(); ++peer) {
    TUBING_ASSERT(text.contains(peer->key.fingerprint()) && text.contains(peer->name));
    TUBING_ASSERT(std::ranges::is_sorted(peer->roles));
    for (const std::string& role : peer->roles) TUBING_ASSERT(text.contains(role), role);
    for (auto other = peers.begin(); other != peer; ++other)
      TUBING_ASSERT(other->key != peer->key, peer->key.fingerprint());
  }
}

void read_known(std::string_view text, bool with_roles) {
  const auto peers = crypto::parse_known_peers(text, with_roles);
  if (!peers) return check_refusal(peers.error());
  check_peers(*peers, text);
  for (const crypto::KnownPeer& peer : *peers) {
    TUBING_ASSERT(with_roles || peer.roles.empty());
    TUBING_ASSERT(std::ranges::count(*peers, peer.name, &crypto::KnownPeer::name) == 1, peer.name);
  }
}

void read_pins(std::string_view text) {
  const auto pins = crypto::parse_pins(text);
  if (!pins) return check_refusal(pins.error());
  check_peers(*pins, text);
}

void read_psk(ByteView bytes) {
  const MemoryFile file(bytes, 0600);
  const auto psk = crypto::read_psk_file(file.path());
  if (!psk) return check_refusal(psk.error());
  TUBING_ASSERT(as_text(bytes).contains(to_hex(psk->view())));
  TUBING_ASSERT(as_text(bytes).ends_with(crypto::psk_checksum(*psk) + "\n"));
}

crypto::Claims claims_until(std::int64_t seconds) {
  crypto::Claims claims;
  claims.subject = identity(1).public_key();
  claims.name = "alice";
  claims.not_before = WallTime::from_seconds(0);
  claims.not_after = WallTime::from_seconds(seconds);
  return claims;
}

/// The certificate, signed by its issuer.
Bytes issued(crypto::Certificate certificate) {
  certificate.issuer = identity(0).public_key();
  certificate.signature =
      identity(0).sign(crypto::kCertificateDomain, crypto::certificate_signed_bytes(certificate));
  return crypto::encode_certificate(certificate);
}

crypto::HashBytes session_hash() {
  crypto::HashBytes hash;
  hash.fill(std::byte{5});
  return hash;
}

/// A renewal that shows `certificate`, signed by its owner where its form is good.
Bytes renewal_of(ByteView certificate) {
  Bytes shown(certificate.begin(), certificate.end());
  if (const auto decoded = crypto::decode_certificate(certificate)) shown = issued(*decoded);
  Bytes signed_bytes;
  append(signed_bytes, session_hash());
  append(signed_bytes, shown);
  Bytes renewal{std::byte{crypto::kRenewalVersion}};
  append(renewal, identity(1).sign(crypto::kRenewalDomain, signed_bytes));
  append(renewal, shown);
  return renewal;
}

void read_renewal(ByteView bytes) {
  const crypto::HashBytes hash = session_hash();
  const crypto::PeerIdentity current{.name = "alice",
                                     .email = "",
                                     .key = identity(1).public_key(),
                                     .roles = {},
                                     .serial = 1,
                                     .issuer = identity(0).public_key(),
                                     .not_after = WallTime::from_seconds(kNowSeconds + 10)};
  const auto trust = crypto::Trust::ca_only({identity(0).public_key()});
  const crypto::RenewalCheck check{hash, current, trust, crypto::Usage::client};
  const auto peer = crypto::verify_renewal(bytes, check, WallTime::from_seconds(kNowSeconds));
  if (!peer) return;
  TUBING_ASSERT(peer->name == current.name && peer->key == current.key);
  TUBING_ASSERT(peer->not_after > current.not_after);
}

void run(ByteView input) {
  Input in(input);
  const std::uint8_t kind = in.byte();
  const ByteView rest = in.rest();
  const std::string_view text = as_text(rest);
  switch (kind % 8) {
    case 0: return read_revoked(text);
    case 1: return read_revoked(crypto::revocations_text(std::string(text)));
    case 2: return read_known(text, false);
    case 3: return read_known(text, true);
    case 4: return read_pins(text);
    case 5: return read_psk(rest);
    case 6: return read_renewal(rest);
    default: return read_renewal(renewal_of(rest));
  }
}

std::vector<Bytes> seeds() {
  const std::string one = identity(1).public_key().fingerprint();
  const std::string two = identity(2).public_key().fingerprint();
  const std::string revoked =
      "# ours\nkey " + one + "  # lost\n\nserial 00000000000000ff " + two + "\n";
  crypto::Certificate certificate;
  certificate.claims = claims_until(kNowSeconds + 20);
  crypto::Certificate shorter;
  shorter.claims = claims_until(kNowSeconds + 5);
  return {Script().byte(0).text(crypto::revocations_text(revoked)),
          Script().byte(1).text(revoked),
          Script().byte(2).text(one + " db-1\n" + two + " db-2 # the other\n"),
          Script().byte(3).text(one + " ann b a\n" + two + " bob\n"),
          Script().byte(4).text(one + " ann client b a\n" + two + " bob both\n"),
          Script().byte(5).text("tubing pre-shared key 1\n" + std::string(64, '0') +
                                "\n98d8dd7b8f67e2b1\n"),
          Script().byte(6).bytes(renewal_of(issued(certificate))),
          Script().byte(7).bytes(issued(certificate)),
          Script().byte(7).bytes(issued(shorter))};
}

}  // namespace

Target trust_target() { return {"trust", run, seeds}; }

}  // namespace tubing::fuzz
