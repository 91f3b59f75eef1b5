// Trust: decides whether the peer behind a certificate is the one that is expected here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tubing/channel/base/result.h"
#include "tubing/channel/base/time.h"
#include "tubing/crypto/certificate.h"
#include "tubing/crypto/identity.h"
#include "tubing/crypto/known_peers.h"
#include "tubing/crypto/revocations.h"

namespace tubing::crypto {

/// A peer that a Trust accepted: what handlers and policies may know of it.
struct PeerIdentity {
  std::string name;
  std::string email;
  PublicKey key;
  std::vector<std::string> roles;
  Usage usage = Usage::both;
  /// Issuer and serial name the certificate, as Trust::recheck() needs them.
  std::uint64_t serial = 0;
  PublicKey issuer;
  WallTime not_after;

  bool has_role(std::string_view role) const;
  friend bool operator==(const PeerIdentity&, const PeerIdentity&) = default;
};

/// Whom a dialler wants to reach: a name or a key. A listener expects anyone.
class ExpectedPeer {
 public:
  static ExpectedPeer anyone() { return ExpectedPeer(std::monostate{}); }
  static ExpectedPeer named(std::string_view name) { return ExpectedPeer(std::string(name)); }
  static ExpectedPeer with_key(const PublicKey& key) { return ExpectedPeer(key); }
  /// Reads what stands before the '@' in NAME@HOST:PORT or FINGERPRINT@HOST:PORT.
  /// Errors: invalid_argument, with what a good name or fingerprint looks like.
  static Result<ExpectedPeer> parse(std::string_view text);

  bool is_anyone() const { return std::holds_alternative<std::monostate>(who_); }
  /// The expected name or key; null where the other, or nobody in particular, is expected.
  const std::string* name() const { return std::get_if<std::string>(&who_); }
  const PublicKey* key() const { return std::get_if<PublicKey>(&who_); }
  /// What `parse` reads; "anyone" where nobody in particular is expected.
  std::string text() const;

  friend bool operator==(const ExpectedPeer&, const ExpectedPeer&) = default;

 private:
  using Who = std::variant<std::monostate, std::string, PublicKey>;
  explicit ExpectedPeer(Who who) : who_(std::move(who)) {}

  Who who_;
};

/// A key that is known in person, with all that is believed of it. No authority vouches for the
/// claims of a pinned peer, so they are taken from the pin and never from its certificate; the
/// certificate must carry the pin's name.
struct Pin {
  PublicKey key;
  std::string name;
  std::vector<std::string> roles;
  Usage usage = Usage::both;

  /// The pin that believes what `certificate` claims; for one that came by a trusted way.
  static Pin of(const Certificate& certificate);
};

/// How long a session may go on when its peer's certificate has expired: time for a renewal that is
/// under way. New handshakes get none.
inline constexpr Duration kExpiryGrace = std::chrono::seconds(60);

/// Whom a process believes, and whom no more.
///
/// Owns: its lists; with tofu() it borrows the KnownPeers, which outlive it.
/// Threads: any; it never changes. To read the files again, make another one and assign it where
/// its handshakes run.
class Trust {
 public:
  enum class Mode : std::uint8_t { ca_only, pinned, tofu };

  /// Believes what any of these authorities signed; with none of them, believes nobody.
  static Trust ca_only(std::vector<PublicKey> authorities, Revocations revoked = {});
  /// Believes these keys themselves, as leaves: what a pinned key has signed is not believed.
  static Trust pinned(std::vector<Pin> pins, Revocations revoked = {});
  /// Trust on first use: believes the keys that `known` has, as leaves, and has it learn others in
  /// memory as its files allow; known.save() writes them. A peer has the name under which it is
  /// known, or its fingerprint where it was dialled by that; its roles are those in known_clients.
  static Trust tofu(KnownPeers& known, Revocations revoked = {});

  Mode mode() const { return mode_; }

  const Revocations& revoked() const { return revoked_; }
  /// The same, but for what is revoked.
  Trust with_revoked(Revocations revoked) const;

  /// Decides about one peer. It proves no possession of the key: that is the handshake's work.
  /// Under tofu() a peer that is met for the first time is learned once all else is proven.
  ///
  /// `required` is the part that the peer plays: `server` for a dialler, `client` for a listener.
  ///
  /// Errors: unauthenticated for a signature that is not its issuer's, an issuer or a key that is
  /// not trusted or was revoked, a date outside the validity, a name or key other than the expected
  /// one;
  /// permission_denied for a usage that the key was not given. Each names what was found, what was
  /// wanted, and what to do.
  Result<PeerIdentity> verify_peer(const Certificate& certificate, Usage required,
                                   const ExpectedPeer& expected, WallTime now) const;

  /// Whether a peer that was accepted, by this Trust or by one that this one replaces, is still to
  /// be believed; for sessions, from time to time and after the trust files were read again.
  ///
  /// Errors: unauthenticated where its key, certificate or authority was revoked, where its
  /// authority, its pin or its line is gone, where that now says something else of it, and
  /// kExpiryGrace after the end of its certificate; with what to do.
  Result<> recheck(const PeerIdentity& peer, WallTime now) const;

 private:
  Trust(Mode mode, Revocations revoked) : mode_(mode), revoked_(std::move(revoked)) {}

  Result<PeerIdentity> believe(const Certificate& certificate, Usage required,
                               const ExpectedPeer& expected) const;
  Result<> vouch(const Certificate& certificate) const;
  Result<> apply_pin(PeerIdentity& peer) const;
  Result<> apply_known(PeerIdentity& peer, Usage required, const ExpectedPeer& expected) const;
  Result<> check_revoked(const PeerIdentity& peer) const;
  Result<> recheck_pin(const PeerIdentity& peer) const;
  Result<> learn(const PeerIdentity& peer, Usage required) const;

  Mode mode_;
  std::vector<PublicKey> authorities_;
  std::vector<Pin> pins_;
  KnownPeers* known_ = nullptr;
  Revocations revoked_;
};

}  // namespace tubing::crypto
