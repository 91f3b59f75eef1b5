#include "tubing/crypto/handshake.h"

#include <fmt/format.h>

#include <algorithm>

namespace tubing::crypto {

namespace {

constexpr const char* kOperation = "handshake";
constexpr std::size_t kLengthBytes = 2;

// A listener's longest intake; a dialler's has one message less.
static_assert(kPreambleBytes + 2 * kLengthBytes + kFirstMessageBytesMax +
                  kHandshakeMessageBytesMax <=
              kHandshakeBytesMax);
// XX's message 2 or 3 with the longest payload: two keys, two tags.
static_assert(2 * kX25519Bytes + 2 * kTagBytes + kCredentialsBytesMax <= kHandshakeMessageBytesMax);

}  // namespace

Handshake::Handshake(Role role, const HandshakeConfig& config, Entropy& entropy)
    : config_(config), entropy_(&entropy), role_(role) {
  TUBING_ASSERT(!config_.suites.empty());
}

Result<Handshake> Handshake::dial(const HandshakeConfig& config, Entropy& entropy) {
  if (config.expected.is_anyone()) {
    return Error(Code::invalid_argument, kOperation,
                 "dialling names whom it expects: NAME@HOST:PORT or FINGERPRINT@HOST:PORT");
  }
  Handshake handshake(Role::initiator, config, entropy);
  handshake.offered_ = {.suite = config.suites.front(), .mode = handshake.mode()};
  if (!handshake.can_run(handshake.offered_.suite)) {
    return Error(Code::failed_precondition, kOperation,
                 fmt::format("this processor cannot run {}: dial with another",
                             suite_text(handshake.offered_.suite)));
  }
  handshake.put(encode_preamble(handshake.offered_));
  if (auto begun = handshake.begin_noise(handshake.offered_); !begun) return begun.error();
  if (auto written = handshake.put_message({}); !written) return written.error();
  return handshake;
}

Handshake Handshake::listen(const HandshakeConfig& config, Entropy& entropy) {
  return Handshake(Role::responder, config, entropy);
}

Result<std::size_t> Handshake::feed(ByteView received, WallTime now) {
  TUBING_ASSERT(state_ == State::running);
  std::size_t consumed = 0;
  while (state_ == State::running) {
    const auto unit = unit_bytes();
    if (!unit) return fail(unit.error());
    if (in_size_ == *unit) {
      if (auto handled = on_unit(now); !handled) return fail(std::move(handled).error());
      in_size_ = 0;
      continue;
    }
    const std::size_t count = std::min(*unit - in_size_, received.size() - consumed);
    if (count == 0) break;
    std::memcpy(in_.data() + in_size_, received.data() + consumed, count);
    in_size_ += count;
    consumed += count;
  }
  return consumed;
}

bool Handshake::can_run(Suite suite) const { return suite != Suite::aes_gcm || config_.has_aes; }

std::size_t Handshake::message_bytes_max() const {
  return awaited_ == 1 ? kFirstMessageBytesMax : kHandshakeMessageBytesMax;
}

// How many bytes the unit in in_ has, as far as they tell it: at first those of its length alone.
Result<std::size_t> Handshake::unit_bytes() const {
  if (awaited_ == 0) {
    if (auto checked = check_magic(ByteView(in_).first(in_size_)); !checked) {
      return std::move(checked).error();
    }
    return kPreambleBytes;
  }
  if (in_size_ < kLengthBytes) return kLengthBytes;
  const std::size_t length = load_be16(in_.data());
  if (length == 0 || length > message_bytes_max()) {
    return Error(Code::data_loss, kOperation,
                 fmt::format("message {} states {} bytes, but has 1 to {}: the bytes were damaged, "
                             "or the peer is not Tubing",
                             awaited_, length, message_bytes_max()));
  }
  return kLengthBytes + length;
}

Result<> Handshake::on_unit(WallTime now) {
  return awaited_ == 0 ? on_preamble() : on_message(now);
}

Result<> Handshake::on_preamble() {
  const Preamble theirs = decode_preamble(ByteView(in_).first(kPreambleBytes));
  if (dials()) {
    awaited_ = 2;
    return check_agreement(offered_, theirs);
  }
  offered_ = theirs;
  const bool runs = can_run(theirs.suite);
  const Preamble answer =
      answer_preamble(theirs, runs ? config_.suites : std::span<const Suite>(), mode());
  put(encode_preamble(answer));
  if (!runs && theirs.version == kHandshakeVersion) {
    return Error(Code::failed_precondition, kOperation,
                 fmt::format("the dialler asks for {}, which this processor cannot run: dial with "
                             "another",
                             suite_text(theirs.suite)));
  }
  if (auto agreed = check_agreement(theirs, answer, config_.suites); !agreed) return agreed;
  awaited_ = 1;
  return begin_noise(theirs);
}

Result<> Handshake::on_message(WallTime now) {
  auto payload =
      noise_->read_message(MutableBytes(in_).subspan(kLengthBytes, in_size_ - kLengthBytes));
  if (!payload) {
    return Error(
        payload.code(), kOperation,
        fmt::format("message {} does not open: {}{}", awaited_, payload.error().detail(),
                    config_.psk ? "; check that both sides have the same pre-shared key" : ""));
  }
  if (awaited_ != 1) return on_payload(*payload, now);
  if (!payload->empty()) {
    return Error(Code::data_loss, kOperation, "message 1 carries bytes where version 1 has none");
  }
  awaited_ = 3;
  return put_message(config_.credentials.payload());
}

Result<> Handshake::on_payload(ByteView payload, WallTime now) {
  if (auto refusal = decode_refusal(payload); refusal && !dials()) return *std::move(refusal);
  auto peer = check_peer(payload, now);
  if (!peer) return refuse(peer.error());
  if (dials()) {
    if (auto written = put_message(config_.credentials.payload()); !written) return written;
  }
  peer_ = *std::move(peer);
  state_ = State::done;
  return {};
}

Result<PeerIdentity> Handshake::check_peer(ByteView payload, WallTime now) const {
  const X25519Public& key = *noise_->remote_static();
  if (key == config_.credentials.static_key().public_key()) {
    return Error(Code::failed_precondition, kOperation,
                 "the peer is this very process: a process does not dial itself");
  }
  const PeerCheck check{.trust = &config_.trust,
                        .required = dials() ? Usage::server : Usage::client,
                        .expected = config_.expected};
  return verify_credentials(payload, key, check, now);
}

// A dialler's refusal is message 3; a listener's is its first record, which the caller seals.
Result<> Handshake::refuse(const Error& error) {
  if (!dials()) {
    state_ = State::refusing;
  } else if (auto written = put_message(encode_refusal(error)); !written) {
    return written;
  }
  return error;
}

Error Handshake::fail(Error error) {
  if (state_ == State::refusing) return error;
  state_ = State::failed;
  noise_.reset();
  return error;
}

Result<> Handshake::begin_noise(const Preamble& agreed) {
  const auto preamble = encode_preamble(agreed);
  std::array<std::byte, 2 * kPreambleBytes> prologue;
  std::ranges::copy(preamble, prologue.begin());
  std::ranges::copy(preamble, prologue.begin() + kPreambleBytes);
  auto protocol = NoiseProtocol::parse(protocol_name(agreed.suite, agreed.mode));
  if (!protocol) return protocol.error();
  NoiseKeys keys{.local_static = &config_.credentials.static_key()};
  if (config_.psk != nullptr) keys.psks = {config_.psk, 1};
  auto noise = NoiseHandshake::start(*protocol, role_, prologue, keys, *entropy_);
  if (!noise) return noise.error();
  noise_.emplace(*std::move(noise));
  return {};
}

void Handshake::put(ByteView bytes) {
  TUBING_ASSERT(bytes.size() <= out_.size() - out_size_);
  std::memcpy(out_.data() + out_size_, bytes.data(), bytes.size());
  out_size_ += bytes.size();
}

Result<> Handshake::put_message(ByteView payload) {
  const MutableBytes room = MutableBytes(out_).subspan(out_size_);
  auto size = noise_->write_message(payload, room.subspan(kLengthBytes));
  if (!size) return size.error();
  TUBING_ASSERT(*size <= kHandshakeMessageBytesMax, *size);
  store_be16(room.data(), static_cast<std::uint16_t>(*size));
  out_size_ += kLengthBytes + *size;
  return {};
}

void Handshake::on_sent(std::size_t count) {
  TUBING_ASSERT(count <= out_size_ - out_sent_, count);
  out_sent_ += count;
}

Error Handshake::end_of_stream() const {
  TUBING_ASSERT(state_ == State::running);
  if (awaits_first_word())
    return Error(
        Code::unavailable, kOperation,
        "the peer closed the connection without a word: it may be busy, or no Tubing node; "
        "check the address and the port, and try again later");
  const std::string missing = awaited_ == 0 ? "preamble" : fmt::format("message {}", awaited_);
  return Error(Code::unavailable, kOperation,
               fmt::format("the peer closed the connection before its {} was complete", missing));
}

HandshakeResult Handshake::take_result() {
  TUBING_ASSERT(state_ == State::done && noise_.has_value());
  CipherPair keys = noise_->split();
  auto& sealing = dials() ? keys.initiator_to_responder : keys.responder_to_initiator;
  auto& opening = dials() ? keys.responder_to_initiator : keys.initiator_to_responder;
  HandshakeResult result{.sealer = RecordSealer(std::move(sealing), config_.rekey),
                         .opener = RecordOpener(std::move(opening), config_.rekey),
                         .peer = *std::move(peer_),
                         .peer_static = *noise_->remote_static(),
                         .session_hash = noise_->hash()};
  noise_.reset();
  return result;
}

RecordSealer Handshake::take_refusal_sealer() {
  TUBING_ASSERT(state_ == State::refusing && noise_.has_value());
  CipherPair keys = noise_->split();
  noise_.reset();
  return RecordSealer(std::move(keys.responder_to_initiator), config_.rekey);
}

}  // namespace tubing::crypto
