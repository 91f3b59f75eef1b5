// The handshake against a stranger: raw bytes, or a peer that speaks Noise and lies inside of it.
#include <algorithm>
#include <array>
#include <optional>

#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"
#include "tubing/channel/base/assert.h"
#include "tubing/crypto/authority.h"
#include "tubing/crypto/handshake.h"
#include "tubing/sim/seeded_entropy.h"

namespace tubing::fuzz {
namespace {

using crypto::Handshake;
using crypto::Usage;

constexpr WallTime kNow = WallTime::from_seconds(1'800'000'000);
constexpr std::int64_t kDaySeconds = 86'400;
constexpr std::string_view kName = "peer";

crypto::Identity identity_of(std::uint8_t seed) {
  return crypto::Identity::from_seed(Bytes(crypto::kIdentitySeedBytes, std::byte{seed}));
}
crypto::X25519KeyPair key_pair_of(std::uint8_t seed) {
  return crypto::X25519KeyPair(
      crypto::Secret<crypto::kX25519Bytes>(ByteView(Bytes(crypto::kX25519Bytes, std::byte{seed}))));
}

/// What the authority signs of the stranger, and until when his X25519 key holds.
struct Story {
  std::string name = std::string(kName);
  Usage usage = Usage::both;
  std::int64_t begins = kNow.seconds() - kDaySeconds;
  std::int64_t ends = kNow.seconds() + kDaySeconds;
  std::int64_t key_ends = kNow.seconds() + kDaySeconds;

  bool is_good(Usage required) const {
    return name == kName && crypto::allows(usage, required) && begins <= kNow.seconds() &&
           kNow.seconds() <= ends && kNow.seconds() <= key_ends;
  }
};

/// Keys that never change, so that a crash repeats.
struct World {
  crypto::Authority authority{identity_of(1)};
  crypto::Trust trust = crypto::Trust::ca_only({authority.public_key()});
  crypto::Identity stranger = identity_of(3);
  crypto::Credentials ours = make(identity_of(2), Story{.name = "us"}, 4);
  crypto::Credentials genuine = make(stranger, Story{}, 8);

  /// Requires: a story that obeys the rules of certificates.
  crypto::Credentials make(const crypto::Identity& identity, const Story& story,
                           std::uint8_t key_seed) const {
    sim::SeededEntropy entropy{Prng(std::uint64_t{5})};
    const auto certificate = authority.issue({.subject = identity.public_key(),
                                              .name = story.name,
                                              .email = "",
                                              .roles = {},
                                              .usage = story.usage,
                                              .not_before = WallTime::from_seconds(story.begins),
                                              .not_after = WallTime::from_seconds(story.ends)},
                                             entropy);
    TUBING_ASSERT(certificate.has_value());
    auto credentials = crypto::Credentials::make(identity, *certificate, key_pair_of(key_seed),
                                                 WallTime::from_seconds(story.key_ends));
    TUBING_ASSERT(credentials.has_value());
    return *std::move(credentials);
  }
};

const World& world() {
  static const World kWorld;
  return kWorld;
}

/// The side that is tested, and the promises about every step of it.
class Subject {
 public:
  explicit Subject(bool dials) : dials_(dials) {
    const crypto::HandshakeConfig config{
        .credentials = world().ours,
        .trust = world().trust,
        .expected = dials ? crypto::ExpectedPeer::named(kName) : crypto::ExpectedPeer::anyone()};
    if (!dials) {
      handshake_.emplace(Handshake::listen(config, entropy_));
      return;
    }
    auto dialled = Handshake::dial(config, entropy_);
    TUBING_ASSERT(dialled.has_value());
    handshake_.emplace(*std::move(dialled));
  }

  bool running() const { return handshake_->state() == Handshake::State::running; }
  bool done() const { return handshake_->state() == Handshake::State::done; }
  Usage required() const { return dials_ ? Usage::server : Usage::client; }

  /// Feeds `bytes` in pieces that the input chooses.
  void feed(ByteView bytes, Input& in) {
    while (running() && !bytes.empty()) {
      const std::size_t piece = in.empty() ? bytes.size() : 1 + in.byte();
      const ByteView part = bytes.first(std::min(piece, bytes.size()));
      const auto consumed = handshake_->feed(part, kNow);
      if (!consumed) {
        TUBING_ASSERT(!running() && !done());
        TUBING_ASSERT(consumed.error().detail().size() > 5);
        return;
      }
      TUBING_ASSERT(*consumed <= part.size());
      TUBING_ASSERT(!running() || *consumed == part.size(), *consumed, part.size());
      taken_ += *consumed;
      TUBING_ASSERT(taken_ <= crypto::kHandshakeBytesMax, taken_);
      bytes = bytes.subspan(*consumed);
    }
  }
  Bytes output() {
    const Bytes bytes(handshake_->output().begin(), handshake_->output().end());
    handshake_->on_sent(bytes.size());
    sent_ += bytes.size();
    TUBING_ASSERT(sent_ <= crypto::kOutputBytesMax, sent_);
    return bytes;
  }
  crypto::HandshakeResult take_result() { return handshake_->take_result(); }
  /// What a side does at the end, in any state.
  void finish() {
    output();
    if (running()) TUBING_ASSERT(handshake_->end_of_stream().code() == Code::unavailable);
    if (handshake_->state() == Handshake::State::refusing) {
      TUBING_ASSERT(!dials_ && !handshake_->take_refusal_sealer().closed());
    }
  }

 private:
  bool dials_;
  sim::SeededEntropy entropy_{Prng(std::uint64_t{6})};
  std::optional<Handshake> handshake_;
  std::size_t taken_ = 0;
  std::size_t sent_ = 0;
};

/// What the stranger puts into his message, and whether a side may believe it.
struct Payload {
  Bytes bytes;
  bool is_good = false;
};

Story draw_story(Input& in) {
  Story story;
  const unsigned which = in.byte();
  if ((which & 1) != 0) story.usage = static_cast<Usage>(1 + in.byte() % 3);
  if ((which & 2) != 0) story.begins += in.word() * 4;
  if ((which & 4) != 0) story.ends -= in.word() * 4;
  story.ends = std::max(story.begins, story.ends);
  if ((which & 8) != 0) story.key_ends -= in.word() * 4;
  if ((which & 16) != 0) {
    const std::string name(as_text(in.piece()));
    if (crypto::check_name(name)) story.name = name;
  }
  return story;
}

Payload draw_payload(Input& in, Usage required) {
  const unsigned kind = in.byte() % 5;
  if (kind == 0) return {Bytes(1, std::byte{2}), false};
  if (kind == 1) {
    const ByteView told = in.piece();
    return {Bytes(told.begin(), told.end()), false};
  }
  const Story story = kind == 2 ? draw_story(in) : Story{};
  const std::uint8_t key_seed = kind == 3 && in.flag() ? 9 : 8;
  const bool is_plain = kind != 2 && key_seed == 8;
  const ByteView plain = world().genuine.payload();
  Payload payload{Bytes(plain.begin(), plain.end()), false};
  if (!is_plain) {
    const crypto::Credentials told = world().make(world().stranger, story, key_seed);
    payload.bytes.assign(told.payload().begin(), told.payload().end());
  }
  const Bytes genuine = payload.bytes;
  for (std::size_t left = kind == 4 ? 1 + in.byte() % 3 : 0; left > 0; --left) {
    const std::size_t at = in.word() % genuine.size();
    payload.bytes[at] ^= static_cast<std::byte>(in.byte());
  }
  // A listener takes any name.
  Story judged = story;
  if (required == Usage::client) judged.name = kName;
  payload.is_good = payload.bytes == genuine && key_seed == 8 && judged.is_good(required);
  return payload;
}

/// A peer that speaks Noise by the book, with a key of its own.
class Stranger {
 public:
  explicit Stranger(crypto::Role role) {
    const auto preamble =
        crypto::encode_preamble({.suite = crypto::Suite::chacha_poly, .mode = crypto::Mode::xx});
    Bytes prologue(preamble.begin(), preamble.end());
    append(prologue, preamble);
    auto noise =
        crypto::NoiseHandshake::start(*crypto::NoiseProtocol::parse(crypto::protocol_name(
                                          crypto::Suite::chacha_poly, crypto::Mode::xx)),
                                      role, prologue, {.local_static = &static_key_}, entropy_);
    TUBING_ASSERT(noise.has_value());
    noise_.emplace(*std::move(noise));
    preamble_.assign(preamble.begin(), preamble.end());
  }

  const Bytes& preamble() const { return preamble_; }
  bool finished() const { return noise_->finished(); }
  /// A message with its length in front.
  Bytes write(ByteView payload) {
    Bytes message(2 + crypto::kNoiseMessageBytesMax);
    const auto size = noise_->write_message(payload, MutableBytes(message).subspan(2));
    TUBING_ASSERT(size.has_value());
    store_be16(message.data(), static_cast<std::uint16_t>(*size));
    message.resize(2 + *size);
    return message;
  }
  /// Reads the one message in `bytes`, which the tested side wrote.
  Bytes read(Bytes bytes) {
    TUBING_ASSERT(bytes.size() > 2 && load_be16(bytes.data()) == bytes.size() - 2, bytes.size());
    const auto payload = noise_->read_message(MutableBytes(bytes).subspan(2));
    TUBING_ASSERT(payload.has_value());
    return {payload->begin(), payload->end()};
  }
  crypto::CipherPair split() const { return noise_->split(); }

 private:
  crypto::X25519KeyPair static_key_ = key_pair_of(8);
  sim::SeededEntropy entropy_{Prng(std::uint64_t{7})};
  std::optional<crypto::NoiseHandshake> noise_;
  Bytes preamble_;
};

/// Changes what goes over the wire. Returns: whether anything is different now.
bool disturb(Bytes& bytes, Input& in) {
  const Bytes before = bytes;
  for (std::size_t left = in.byte() % 3; left > 0; --left) {
    const auto change = static_cast<std::byte>(in.byte());
    bytes[in.word() % bytes.size()] ^= change;
  }
  return bytes != before;
}

/// Both sides are done: one record goes from the stranger to the subject.
void check_keys(crypto::HandshakeResult result, const Stranger& stranger, bool subject_dials) {
  TUBING_ASSERT(result.peer.key == world().stranger.public_key());
  TUBING_ASSERT(result.peer_static == key_pair_of(8).public_key());
  crypto::CipherPair pair = stranger.split();
  crypto::RecordSealer sealer(
      std::move(subject_dials ? pair.responder_to_initiator : pair.initiator_to_responder));
  Bytes record(1 + crypto::kRecordOverheadBytes, std::byte{7});
  TUBING_ASSERT(sealer.seal(record, 1).has_value());
  const auto opened = result.opener.open(record);
  TUBING_ASSERT(opened.has_value() && opened->has_value());
}

void judge(Subject& subject, const Stranger& stranger, bool should, bool dials) {
  TUBING_ASSERT(subject.done() == should, should);
  if (should) check_keys(subject.take_result(), stranger, dials);
}

void against_listener(Input& in) {
  Subject subject(false);
  Stranger stranger(crypto::Role::initiator);
  const ByteView early = in.flag() ? in.piece() : ByteView();
  Bytes first = stranger.preamble();
  append(first, stranger.write(early));
  const bool is_good = !disturb(first, in) && early.empty();
  const Payload payload = draw_payload(in, subject.required());
  subject.feed(first, in);
  const Bytes answer = subject.output();
  if (!is_good) {
    // Message 1 has no tag: another key in it is found out by message 3.
    TUBING_ASSERT(!subject.done());
    return subject.finish();
  }
  TUBING_ASSERT(subject.running() && answer.size() > crypto::kPreambleBytes);
  stranger.read(Bytes(answer.begin() + crypto::kPreambleBytes, answer.end()));
  Bytes third = stranger.write(payload.bytes);
  const bool is_changed = disturb(third, in);
  subject.feed(third, in);
  subject.feed(in.rest(), in);
  judge(subject, stranger, payload.is_good && !is_changed, false);
  if (!payload.is_good || is_changed) subject.finish();
}

void against_dialler(Input& in) {
  Subject subject(true);
  Stranger stranger(crypto::Role::responder);
  const Bytes first = subject.output();
  stranger.read(Bytes(first.begin() + crypto::kPreambleBytes, first.end()));
  const Payload payload = draw_payload(in, subject.required());
  Bytes answer = stranger.preamble();
  append(answer, stranger.write(payload.bytes));
  const bool is_changed = disturb(answer, in);
  subject.feed(answer, in);
  subject.feed(in.rest(), in);
  const Bytes third = subject.output();
  if (!is_changed) {
    const Bytes told = stranger.read(third);
    TUBING_ASSERT(crypto::decode_refusal(told).has_value() != payload.is_good);
  }
  judge(subject, stranger, payload.is_good && !is_changed, true);
  if (!payload.is_good || is_changed) subject.finish();
}

void raw(Input& in) {
  Subject subject(in.flag());
  Input splits(in.piece());
  subject.feed(in.rest(), splits);
  TUBING_ASSERT(!subject.done());
  subject.finish();
}

void run(ByteView input) {
  Input in(input);
  switch (in.byte() % 3) {
    case 0: return raw(in);
    case 1: return against_listener(in);
    default: return against_dialler(in);
  }
}

std::vector<Bytes> seeds() {
  const std::string preamble("Tubg\0\1\1\1", 8);
  const std::string key = "\0\x20" + std::string(32, 'k');
  return {Script().byte(0).byte(0).piece(as_bytes("\3\3\3")).text(preamble).text(key),
          Script().byte(0).byte(1).byte(0).text(preamble).byte(0).byte(96),
          Script().byte(0).byte(0).byte(0).text("GET / HTTP/1.1"),
          Script().byte(1).byte(0).byte(0).byte(2).byte(0),
          Script().byte(1).byte(0).byte(0).byte(3).byte(0).byte(0),
          Script().byte(1).byte(0).byte(0).byte(2).byte(31).byte(0).word(9).word(9).word(9).byte(0),
          Script().byte(1).byte(1).piece(as_bytes("early")).byte(0),
          Script().byte(1).byte(0).byte(1).byte(64).word(12).byte(2).byte(0),
          Script().byte(1).byte(0).byte(0).byte(4).byte(0).word(90).byte(1).byte(0),
          Script().byte(1).byte(0).byte(0).byte(1).piece(as_bytes("\2\16go away")).byte(0),
          Script().byte(2).byte(2).byte(0).byte(0),
          Script().byte(2).byte(2).byte(16).piece(as_bytes("other")).byte(0),
          Script().byte(2).byte(4).byte(1).word(70).byte(8).word(3).byte(1).byte(0),
          Script().byte(2).byte(0).byte(1).byte(1).word(40)};
}

}  // namespace

Target handshake_target() { return {"handshake", run, seeds}; }

}  // namespace tubing::fuzz
