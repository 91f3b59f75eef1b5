// Texts of users and of small files: what is read is written again, and read as the same.
#include <algorithm>

#include "tests/fuzz/input.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/target.h"
#include "tubing/channel/base/assert.h"
#include "tubing/crypto/certificate_file.h"
#include "tubing/crypto/trust.h"
#include "tubing/rpc/transport.h"

namespace tubing::fuzz {
namespace {

void read_address(std::string_view text) {
  const auto address = rpc::Address::parse(text);
  if (!address) {
    TUBING_ASSERT(address.code() == Code::invalid_argument);
    return;
  }
  TUBING_ASSERT(!address->host.empty() && address->host.size() <= text.size());
  const auto again = rpc::Address::parse(address->text());
  TUBING_ASSERT(again.has_value() && *again == *address, address->text());
}

void read_expected_peer(std::string_view text) {
  const auto peer = crypto::ExpectedPeer::parse(text);
  if (!peer) {
    TUBING_ASSERT(peer.code() == Code::invalid_argument);
    return;
  }
  TUBING_ASSERT(!peer->is_anyone() && (peer->name() == nullptr) != (peer->key() == nullptr));
  TUBING_ASSERT(peer->text() == text, text);
  if (peer->name() != nullptr) TUBING_ASSERT(crypto::check_name(*peer->name()).has_value());
}

void read_fingerprint(std::string_view text) {
  const auto key = crypto::PublicKey::parse(text);
  TUBING_ASSERT(!key || key->fingerprint() == text, text);
}

void read_authorities(ByteView bytes) {
  const MemoryFile file(bytes, 0644);
  const auto keys = crypto::read_authority_file(file.path());
  if (!keys) {
    TUBING_ASSERT(keys.code() == Code::invalid_argument, keys.error().text());
    return;
  }
  TUBING_ASSERT(!keys->empty() && keys->size() <= crypto::kAuthoritiesMax);
  for (const crypto::PublicKey& key : *keys) {
    TUBING_ASSERT(as_text(bytes).contains(key.fingerprint()));
  }
}

void run(ByteView input) {
  Input in(input);
  const std::uint8_t kind = in.byte();
  const ByteView rest = in.rest();
  switch (kind % 4) {
    case 0: return read_address(as_text(rest));
    case 1: return read_expected_peer(as_text(rest));
    case 2: return read_fingerprint(as_text(rest));
    default: return read_authorities(rest);
  }
}

std::vector<Bytes> seeds() {
  const std::string key =
      crypto::Identity::from_seed(Bytes(crypto::kIdentitySeedBytes, std::byte{7}))
          .public_key()
          .fingerprint();
  return {Script().byte(0).text("127.0.0.1:7000"),
          Script().byte(0).text("[::1]:7000"),
          Script().byte(0).text("[fe80::1%eth0]:1"),
          Script().byte(0).text("db.example-1.org:65535"),
          Script().byte(1).text("db-1"),
          Script().byte(1).text(key),
          Script().byte(2).text(key),
          Script().byte(3).text("# ours\n" + key + "\n\n" + key + " # the other\n")};
}

}  // namespace

Target texts_target() { return {"texts", run, seeds}; }

}  // namespace tubing::fuzz
