// Keys, claims and moments that the tests of identity and trust share.
#pragma once

#include <cstdint>
#include <string>

#include "tubing/crypto/authority.h"
#include "tubing/crypto/certificate.h"
#include "tubing/crypto/entropy.h"
#include "tubing/crypto/identity.h"

namespace tubing::crypto {

/// Hands out 1, 2, 3... so that every draw of a test is known and differs from the one before.
class CountingEntropy : public Entropy {
 public:
  explicit CountingEntropy(std::uint8_t first = 1) : next_(first) {}
  void fill(MutableBytes out) override {
    for (std::byte& b : out) b = static_cast<std::byte>(next_++);
  }

 private:
  std::uint8_t next_;
};

/// The identity whose seed is 32 times this byte.
inline Identity identity_of(std::uint8_t byte) {
  return Identity::from_seed(Bytes(kIdentitySeedBytes, static_cast<std::byte>(byte)));
}

inline constexpr std::int64_t kBeginSeconds = 1'700'000'000;  // 2023-11-14 22:13:20 UTC
inline constexpr std::int64_t kEndSeconds = 1'800'000'000;    // 2027-01-15 08:00:00 UTC
inline constexpr WallTime kDuring = WallTime::from_seconds(1'750'000'000);

/// What the authority of the tests says of the server "db-1".
inline Claims db_claims(const PublicKey& subject) {
  return {.subject = subject,
          .name = "db-1",
          .email = "ann@example.org",
          .roles = {"admin", "storage"},
          .usage = Usage::server,
          .not_before = WallTime::from_seconds(kBeginSeconds),
          .not_after = WallTime::from_seconds(kEndSeconds)};
}

/// The certificate that `authority` issues for `claims`, which must be good.
inline Certificate issued(const Authority& authority, Claims claims) {
  CountingEntropy entropy;
  return *authority.issue(std::move(claims), entropy);
}

}  // namespace tubing::crypto
