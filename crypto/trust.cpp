#include "tubing/crypto/trust.h"

#include <fmt/format.h>

#include <algorithm>

namespace tubing::crypto {
namespace {

constexpr const char* kOperation = "verify peer";

Error unauthenticated(std::string_view what) {
  return Error(Code::unauthenticated, kOperation, what);
}

std::string who(const Certificate& certificate) {
  return fmt::format("{} ({})", certificate.claims.name, certificate.claims.subject.fingerprint());
}

std::string who(const PeerIdentity& peer) {
  return fmt::format("{} ({})", peer.name, peer.key.fingerprint());
}

std::string listed(const std::vector<PublicKey>& keys) {
  if (keys.empty()) return "none";
  std::string out = keys[0].fingerprint();
  for (std::size_t i = 1; i < keys.size(); ++i) out += " or " + keys[i].fingerprint();
  return out;
}

Result<void> check_validity(const Certificate& certificate, WallTime now) {
  const Claims& claims = certificate.claims;
  if (now < claims.not_before)
    return unauthenticated(fmt::format(
        "the certificate of {} is not valid before {} and it is {} here; compare the clocks of the "
        "two machines",
        who(certificate), date_text(claims.not_before), date_text(now)));
  if (now.seconds() > claims.not_after.seconds())
    return unauthenticated(fmt::format(
        "the certificate of {} expired on {} and it is {} here; issue a new one with `tube key "
        "renew {}`",
        who(certificate), date_text(claims.not_after), date_text(now), claims.name));
  return {};
}

Result<void> check_usage(const Certificate& certificate, Usage granted, Usage required) {
  if (allows(granted, required)) return {};
  return Error(
      Code::permission_denied, kOperation,
      fmt::format("the key of {} is for usage {} and acts as a {} here; grant it more with `tube "
                  "key renew {} --usage both`",
                  who(certificate), usage_name(granted), usage_name(required),
                  certificate.claims.name));
}

Result<void> check_expected(const PeerIdentity& peer, const ExpectedPeer& expected) {
  if (const std::string* name = expected.name(); name != nullptr && *name != peer.name)
    return unauthenticated(fmt::format(
        "{} was expected and {} ({}) answered; correct the name before the '@', or the address "
        "after it",
        *name, peer.name, peer.key.fingerprint()));
  if (const PublicKey* key = expected.key(); key != nullptr && *key != peer.key)
    return unauthenticated(fmt::format(
        "the key {} was expected and {} with the key {} answered; correct the fingerprint before "
        "the '@', or the address after it",
        key->fingerprint(), peer.name, peer.key.fingerprint()));
  return {};
}

}  // namespace

bool PeerIdentity::has_role(std::string_view role) const {
  return std::ranges::find(roles, role) != roles.end();
}

Result<ExpectedPeer> ExpectedPeer::parse(std::string_view text) {
  if (text.contains(':')) {
    auto key = PublicKey::parse(text);
    if (!key) return std::move(key).error();
    return with_key(*key);
  }
  if (auto checked = check_name(text); !checked)
    return Error(Code::invalid_argument, "expected peer",
                 fmt::format("{}; write the peer as NAME@HOST:PORT or FINGERPRINT@HOST:PORT",
                             checked.error().detail()));
  return named(text);
}

std::string ExpectedPeer::text() const {
  if (name() != nullptr) return *name();
  if (key() != nullptr) return key()->fingerprint();
  return "anyone";
}

Pin Pin::of(const Certificate& certificate) {
  const Claims& claims = certificate.claims;
  return {.key = claims.subject, .name = claims.name, .roles = claims.roles, .usage = claims.usage};
}

Trust Trust::ca_only(std::vector<PublicKey> authorities, Revocations revoked) {
  Trust trust(Mode::ca_only, std::move(revoked));
  trust.authorities_ = std::move(authorities);
  return trust;
}

Trust Trust::pinned(std::vector<Pin> pins, Revocations revoked) {
  Trust trust(Mode::pinned, std::move(revoked));
  trust.pins_ = std::move(pins);
  return trust;
}

Trust Trust::tofu(KnownPeers& known, Revocations revoked) {
  Trust trust(Mode::tofu, std::move(revoked));
  trust.known_ = &known;
  return trust;
}

Trust Trust::with_revoked(Revocations revoked) const {
  Trust trust = *this;
  trust.revoked_ = std::move(revoked);
  return trust;
}

Result<PeerIdentity> Trust::verify_peer(const Certificate& certificate, Usage required,
                                        const ExpectedPeer& expected, WallTime now) const {
  if (auto checked = check_claims(certificate.claims); !checked) return std::move(checked).error();
  auto peer = believe(certificate, required, expected);
  if (!peer) return peer;
  if (auto checked = check_revoked(*peer); !checked) return std::move(checked).error();
  if (auto checked = check_validity(certificate, now); !checked) return std::move(checked).error();
  if (auto checked = check_expected(*peer, expected); !checked) return std::move(checked).error();
  if (auto checked = check_usage(certificate, peer->usage, required); !checked)
    return std::move(checked).error();
  if (auto learned = learn(*peer, required); !learned) return std::move(learned).error();
  return peer;
}

Result<> Trust::recheck(const PeerIdentity& peer, WallTime now) const {
  if (auto checked = check_revoked(peer); !checked) return checked;
  if (mode_ == Mode::pinned) {
    if (auto checked = recheck_pin(peer); !checked) return checked;
  } else if (mode_ == Mode::tofu) {
    const bool by_key = peer.name == peer.key.fingerprint();
    if (!by_key && !known_->knows({peer.key, peer.name, peer.roles}))
      return unauthenticated(fmt::format(
          "{} is not known here any more, or with other roles; connect again", who(peer)));
  } else if (std::ranges::find(authorities_, peer.issuer) == authorities_.end()) {
    return unauthenticated(
        fmt::format("the authority that vouched for {}, {}, is trusted no more; trusted here: {}",
                    who(peer), peer.issuer.fingerprint(), listed(authorities_)));
  }
  if (now.seconds() > peer.not_after.seconds() + kExpiryGrace / std::chrono::seconds(1))
    return unauthenticated(fmt::format(
        "the certificate of {} expired on {} and it is {} here; issue a new one with `tube key "
        "renew {}`",
        who(peer), date_text(peer.not_after), date_text(now), peer.name));
  return {};
}

Result<> Trust::recheck_pin(const PeerIdentity& peer) const {
  const auto pin = std::ranges::find(pins_, peer.key, &Pin::key);
  if (pin == pins_.end())
    return unauthenticated(fmt::format("the key of {} is pinned here no more", who(peer)));
  if (pin->name != peer.name || pin->roles != peer.roles || pin->usage != peer.usage)
    return unauthenticated(fmt::format(
        "the pin of {} says now another name, other roles or another usage; connect again",
        who(peer)));
  return {};
}

Result<PeerIdentity> Trust::believe(const Certificate& certificate, Usage required,
                                    const ExpectedPeer& expected) const {
  const Claims& claims = certificate.claims;
  PeerIdentity peer{.name = claims.name,
                    .email = claims.email,
                    .key = claims.subject,
                    .roles = claims.roles,
                    .usage = claims.usage,
                    .serial = certificate.serial,
                    .issuer = certificate.issuer,
                    .not_after = claims.not_after};
  Result<> believed;
  switch (mode_) {
    case Mode::ca_only: believed = vouch(certificate); break;
    case Mode::pinned: believed = apply_pin(peer); break;
    case Mode::tofu: believed = apply_known(peer, required, expected); break;
  }
  if (!believed) return std::move(believed).error();
  if (!signed_by_its_issuer(certificate))
    return unauthenticated(fmt::format(
        "the signature on the certificate of {} was not made by its issuer, {}; the certificate "
        "was forged or damaged",
        who(certificate), certificate.issuer.fingerprint()));
  return peer;
}

Result<> Trust::vouch(const Certificate& certificate) const {
  if (std::ranges::find(authorities_, certificate.issuer) != authorities_.end()) return {};
  return unauthenticated(fmt::format(
      "the certificate of {} was issued by a foreign authority, {}; trusted here: {}. Have it "
      "issued by a trusted authority, or trust the foreign one by its ca.pub",
      who(certificate), certificate.issuer.fingerprint(), listed(authorities_)));
}

Result<> Trust::apply_pin(PeerIdentity& peer) const {
  const auto pin = std::ranges::find(pins_, peer.key, &Pin::key);
  if (pin == pins_.end())
    return unauthenticated(
        fmt::format("the key of {} is not pinned here; pin its certificate if "
                    "you know it by another way",
                    who(peer)));
  if (pin->name != peer.name)
    return unauthenticated(fmt::format("the key {} is pinned here as {} and calls itself {}",
                                       peer.key.fingerprint(), pin->name, peer.name));
  peer.email.clear();
  peer.roles = pin->roles;
  peer.usage = pin->usage;
  return {};
}

// Nobody vouches for the claims of a known peer either: its list does, and its part is its usage.
Result<> Trust::apply_known(PeerIdentity& peer, Usage required,
                            const ExpectedPeer& expected) const {
  Result<KnownPeer> known;
  if (required == Usage::client)
    known = known_->find_client(peer.name, peer.key);
  else if (expected.key() != nullptr)
    known = known_->find_server(peer.key);
  else if (auto met = check_expected(peer, expected); !met)
    return met;
  else
    known = known_->find_server(peer.name, peer.key);
  if (!known) return std::move(known).error();
  peer.name = known->name;
  peer.email.clear();
  peer.roles = known->roles;
  peer.usage = required;
  return {};
}

// What was dialled by its key is known by that: there is nothing to learn.
Result<> Trust::learn(const PeerIdentity& peer, Usage required) const {
  if (mode_ != Mode::tofu || peer.name == peer.key.fingerprint()) return {};
  const auto part =
      required == Usage::client ? KnownPeers::Part::clients : KnownPeers::Part::servers;
  return known_->learn(part, {peer.key, peer.name});
}

Result<> Trust::check_revoked(const PeerIdentity& peer) const {
  if (revoked_.has_key(peer.key))
    return unauthenticated(fmt::format(
        "the key of {} was revoked here; make its owner a new one with `tube key new`", who(peer)));
  if (revoked_.has_certificate(peer.issuer, peer.serial))
    return unauthenticated(fmt::format(
        "the certificate {} of {} was revoked here; issue a new one with `tube key renew {}`",
        serial_text(peer.serial), who(peer), peer.name));
  if (mode_ == Mode::ca_only && revoked_.has_key(peer.issuer))
    return unauthenticated(fmt::format(
        "the authority that vouched for {}, {}, was revoked here; have its certificate issued by "
        "another one, with `tube key renew {}`",
        who(peer), peer.issuer.fingerprint(), peer.name));
  return {};
}

}  // namespace tubing::crypto
