#include "tubing/crypto/noise_handshake.h"

#include <algorithm>

namespace tubing::crypto {

namespace {

constexpr const char* kOperation = "handshake";

Error wrong_keys(std::string_view what) { return Error(Code::invalid_argument, kOperation, what); }

Error too_large() {
  return Error(Code::resource_exhausted, kOperation, "the message does not fit its buffer");
}

// Cuts the first `count` bytes off `rest`. Requires: they are there.
MutableBytes take(MutableBytes& rest, std::size_t count) {
  const MutableBytes taken = rest.first(count);
  rest = rest.subspan(count);
  return taken;
}

Result<> check_keys(const NoisePattern& pattern, Role role, const NoiseKeys& keys) {
  const Role other = role == Role::initiator ? Role::responder : Role::initiator;
  if (pattern.needs_static(role) != (keys.local_static != nullptr)) {
    return wrong_keys(keys.local_static ? "the pattern has no place for a static key of this side"
                                        : "the pattern asks for a static key of this side");
  }
  if (pattern.known_before(other) != keys.remote_static.has_value()) {
    return wrong_keys(keys.remote_static ? "the pattern sends the peer's static key; name none"
                                         : "the pattern asks for the peer's static key");
  }
  if (pattern.psk_count() != keys.psks.size()) {
    return wrong_keys("the pattern asks for another number of pre-shared keys");
  }
  return {};
}

}  // namespace

NoiseHandshake::NoiseHandshake(const NoiseProtocol& protocol, Role role, const NoiseKeys& keys,
                               Entropy& entropy)
    : pattern_(protocol.pattern),
      symmetric_(protocol.name, protocol.cipher),
      entropy_(&entropy),
      local_static_(keys.local_static),
      psks_(keys.psks),
      remote_static_(keys.remote_static),
      role_(role) {}

Result<NoiseHandshake> NoiseHandshake::start(const NoiseProtocol& protocol, Role role,
                                             ByteView prologue, const NoiseKeys& keys,
                                             Entropy& entropy) {
  if (auto checked = check_keys(protocol.pattern, role, keys); !checked) return checked.error();
  NoiseHandshake handshake(protocol, role, keys, entropy);
  handshake.mix_prologue(prologue);
  return handshake;
}

void NoiseHandshake::mix_prologue(ByteView prologue) {
  symmetric_.mix_hash(prologue);
  for (const Role side : {Role::initiator, Role::responder}) {
    if (!pattern_.known_before(side)) continue;
    symmetric_.mix_hash(side == role_ ? local_static_->public_key() : *remote_static_);
  }
}

const HashBytes& NoiseHandshake::hash() const {
  TUBING_ASSERT(finished() && !failed_);
  return symmetric_.hash();
}

CipherPair NoiseHandshake::split() const {
  TUBING_ASSERT(finished() && !failed_);
  return symmetric_.split();
}

// In "es" and "se" the first letter is the initiator's key, the second the responder's.
const X25519KeyPair& NoiseHandshake::own_key(Token token) const {
  const bool uses_static = token == Token::ss || token == (is_initiator() ? Token::se : Token::es);
  return uses_static ? *local_static_ : *local_ephemeral_;
}

const X25519Public& NoiseHandshake::peer_key(Token token) const {
  const bool uses_static = token == Token::ss || token == (is_initiator() ? Token::es : Token::se);
  const auto& key = uses_static ? remote_static_ : remote_ephemeral_;
  TUBING_ASSERT(key.has_value());
  return *key;
}

Result<> NoiseHandshake::mix_agreement(Token token) {
  Scratch<kX25519Bytes> shared;
  auto agreed = own_key(token).agree(peer_key(token), shared.bytes());
  if (agreed) symmetric_.mix_key(shared.view());
  return agreed;
}

void NoiseHandshake::mix_psk() {
  TUBING_ASSERT(next_psk_ < psks_.size());
  symmetric_.mix_key_and_hash(psks_[next_psk_++].view());
}

Result<> NoiseHandshake::write_public_key(Token token, MutableBytes& rest) {
  if (token == Token::e) local_ephemeral_ = X25519KeyPair::generate(*entropy_);
  const X25519Public& key = (token == Token::e ? *local_ephemeral_ : *local_static_).public_key();
  const std::size_t size = kX25519Bytes + (token == Token::s ? symmetric_.overhead() : 0);
  if (rest.size() < size) return too_large();
  const MutableBytes place = take(rest, size);
  std::memcpy(place.data(), key.data(), kX25519Bytes);
  if (token == Token::s) return symmetric_.encrypt_and_hash(place);
  symmetric_.mix_hash(place);
  if (pattern_.psk_count() > 0) symmetric_.mix_key(place);
  return {};
}

Result<> NoiseHandshake::read_public_key(Token token, MutableBytes& rest) {
  const std::size_t size = kX25519Bytes + (token == Token::s ? symmetric_.overhead() : 0);
  if (rest.size() < size) {
    return Error(Code::unauthenticated, kOperation, "the message ends before its keys do");
  }
  const MutableBytes place = take(rest, size);
  auto& key = (token == Token::e ? remote_ephemeral_ : remote_static_).emplace();
  if (token == Token::s) {
    auto opened = symmetric_.decrypt_and_hash(place);
    if (!opened) return opened.error();
    std::memcpy(key.data(), opened->data(), kX25519Bytes);
    return {};
  }
  std::memcpy(key.data(), place.data(), kX25519Bytes);
  symmetric_.mix_hash(place);
  if (pattern_.psk_count() > 0) symmetric_.mix_key(place);
  return {};
}

Result<> NoiseHandshake::write_token(Token token, MutableBytes& rest) {
  if (token == Token::e || token == Token::s) return write_public_key(token, rest);
  if (token != Token::psk) return mix_agreement(token);
  mix_psk();
  return {};
}

Result<> NoiseHandshake::read_token(Token token, MutableBytes& rest) {
  if (token == Token::e || token == Token::s) return read_public_key(token, rest);
  if (token != Token::psk) return mix_agreement(token);
  mix_psk();
  return {};
}

Result<std::size_t> NoiseHandshake::write_tokens(ByteView payload, MutableBytes out) {
  MutableBytes rest = out.first(std::min(out.size(), kNoiseMessageBytesMax));
  for (const Token token : pattern_.message(next_message_)) {
    if (auto written = write_token(token, rest); !written) return written.error();
  }
  if (rest.size() < payload.size() + symmetric_.overhead()) return too_large();
  const MutableBytes place = rest.first(payload.size() + symmetric_.overhead());
  std::ranges::copy(payload, place.begin());
  if (auto sealed = symmetric_.encrypt_and_hash(place); !sealed) return sealed.error();
  return static_cast<std::size_t>(place.data() + place.size() - out.data());
}

Result<MutableBytes> NoiseHandshake::read_tokens(MutableBytes message) {
  if (message.size() > kNoiseMessageBytesMax) {
    return Error(Code::data_loss, kOperation, "a Noise message has at most 65,535 bytes");
  }
  MutableBytes rest = message;
  for (const Token token : pattern_.message(next_message_)) {
    if (auto read = read_token(token, rest); !read) return read.error();
  }
  return symmetric_.decrypt_and_hash(rest);
}

Result<std::size_t> NoiseHandshake::write_message(ByteView payload, MutableBytes out) {
  TUBING_ASSERT(my_turn() && !failed_);
  auto written = write_tokens(payload, out);
  written ? void(++next_message_) : wipe();
  return written;
}

Result<MutableBytes> NoiseHandshake::read_message(MutableBytes message) {
  TUBING_ASSERT(!my_turn() && !finished() && !failed_);
  auto payload = read_tokens(message);
  payload ? void(++next_message_) : wipe();
  return payload;
}

void NoiseHandshake::wipe() {
  failed_ = true;
  symmetric_.wipe();
  local_ephemeral_.reset();
}

}  // namespace tubing::crypto
