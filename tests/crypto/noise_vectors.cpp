#include "tests/crypto/noise_vectors.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "tests/crypto/fixed_entropy.h"
#include "tubing/crypto/noise_handshake.h"

namespace tubing::crypto {

namespace {

using nlohmann::json;

Error malformed(const std::string& detail) {
  return Error(Code::invalid_argument, "vectors", detail);
}

std::optional<Bytes> from_hex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const auto high = kDigits.find(static_cast<char>(std::tolower(text[i])));
    const auto low = kDigits.find(static_cast<char>(std::tolower(text[i + 1])));
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    bytes.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return bytes;
}

/// The value of a key, or an empty optional where the key is missing.
Result<std::optional<Bytes>> read_hex(const json& object, const std::string& key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return std::optional<Bytes>();
  if (!found->is_string()) return malformed(key + " is not a string");
  auto bytes = from_hex(found->get<std::string>());
  if (!bytes) return malformed(key + " is not hexadecimal");
  return bytes;
}

/// A key of 32 bytes, or an empty optional where it is missing.
Result<std::optional<Bytes>> read_key(const json& object, const std::string& key) {
  auto bytes = read_hex(object, key);
  if (bytes && *bytes && (*bytes)->size() != kX25519Bytes) {
    return malformed(key + " has not 32 bytes");
  }
  return bytes;
}

struct Message {
  Bytes payload;
  Bytes ciphertext;
};

/// What a vector gives to one side.
struct Side {
  Bytes prologue;
  std::optional<Bytes> ephemeral;
  std::optional<X25519KeyPair> local_static;
  std::optional<X25519Public> remote_static;
  std::vector<Secret<kPskBytes>> psks;
};

struct Vector {
  std::string name;
  Side initiator;
  Side responder;
  std::optional<Bytes> hash;
  std::vector<Message> messages;
};

Result<std::vector<Secret<kPskBytes>>> read_psks(const json& object, const std::string& key) {
  std::vector<Secret<kPskBytes>> psks;
  const auto found = object.find(key);
  if (found == object.end()) return psks;
  if (!found->is_array()) return malformed(key + " is not a list");
  for (const json& psk : *found) {
    const auto bytes = psk.is_string() ? from_hex(psk.get<std::string>()) : std::nullopt;
    if (!bytes || bytes->size() != kPskBytes) return malformed(key + " has a key of not 32 bytes");
    psks.emplace_back(ByteView(*bytes));
  }
  return psks;
}

Result<Side> read_side(const json& object, const std::string& who) {
  Side side;
  auto prologue = read_hex(object, who + "_prologue");
  auto ephemeral = read_key(object, who + "_ephemeral");
  auto local = read_key(object, who + "_static");
  auto remote = read_key(object, who + "_remote_static");
  auto psks = read_psks(object, who + "_psks");
  for (const auto* read : {&prologue, &ephemeral, &local, &remote}) {
    if (!*read) return read->error();
  }
  if (!psks) return psks.error();
  side.prologue = prologue->value_or(Bytes());
  side.ephemeral = *ephemeral;
  if (*local) side.local_static.emplace(Secret<kX25519Bytes>(ByteView(**local)));
  if (*remote) std::ranges::copy(**remote, side.remote_static.emplace().begin());
  side.psks = *std::move(psks);
  return side;
}

Result<std::vector<Message>> read_messages(const json& object) {
  const auto found = object.find("messages");
  if (found == object.end() || !found->is_array()) return malformed("there is no list messages");
  std::vector<Message> messages;
  for (const json& entry : *found) {
    if (!entry.is_object()) return malformed("a message is not an object");
    auto payload = read_hex(entry, "payload");
    auto ciphertext = read_hex(entry, "ciphertext");
    if (!payload) return payload.error();
    if (!ciphertext) return ciphertext.error();
    if (!*payload || !*ciphertext) return malformed("a message lacks payload or ciphertext");
    messages.push_back({**payload, **ciphertext});
  }
  return messages;
}

Result<Vector> read_vector(const json& object) {
  auto initiator = read_side(object, "init");
  auto responder = read_side(object, "resp");
  auto hash = read_hex(object, "handshake_hash");
  auto messages = read_messages(object);
  if (!initiator) return initiator.error();
  if (!responder) return responder.error();
  if (!hash) return hash.error();
  if (!messages) return messages.error();
  return Vector{{}, *std::move(initiator), *std::move(responder), *hash, *std::move(messages)};
}

/// Both sides of one vector.
class Run {
 public:
  Run(const NoiseProtocol& protocol, Vector& vector)
      : protocol_(protocol),
        vector_(vector),
        initiator_entropy_(vector.initiator.ephemeral.value_or(Bytes())),
        responder_entropy_(vector.responder.ephemeral.value_or(Bytes())) {}

  /// Errors: what disagreed with the vector.
  Result<> run() {
    if (auto checked = check_ephemerals(); !checked) return checked;
    auto initiator = start(Role::initiator, initiator_entropy_);
    if (!initiator) return initiator.error();
    auto responder = start(Role::responder, responder_entropy_);
    if (!responder) return responder.error();
    const std::size_t handshake_messages = protocol_.pattern.message_count();
    if (vector_.messages.size() < handshake_messages) return malformed("too few messages");
    for (std::size_t i = 0; i < handshake_messages; ++i) {
      auto& sender = i % 2 == 0 ? *initiator : *responder;
      auto& receiver = i % 2 == 0 ? *responder : *initiator;
      if (auto passed = pass_handshake(i, sender, receiver); !passed) return passed;
    }
    if (auto same = check_result(*initiator, *responder); !same) return same;
    return run_transport(initiator->split(), responder->split());
  }

 private:
  static Error differs(const std::string& what) {
    return Error(Code::data_loss, "vectors", what + " differs");
  }

  Result<> check_ephemerals() const {
    const bool answers = protocol_.pattern.message_count() > 1;
    if (!vector_.initiator.ephemeral || (answers && !vector_.responder.ephemeral)) {
      return malformed("an ephemeral key is missing");
    }
    return {};
  }

  // A vector may carry more keys than its pattern asks for, or leave out what the other side has.
  Result<NoiseHandshake> start(Role role, Entropy& entropy) {
    const bool initiates = role == Role::initiator;
    const Side& own = initiates ? vector_.initiator : vector_.responder;
    const Side& other = initiates ? vector_.responder : vector_.initiator;
    NoiseKeys keys{.psks = own.psks};
    if (protocol_.pattern.needs_static(role) && own.local_static) {
      keys.local_static = &*own.local_static;
    }
    if (protocol_.pattern.known_before(initiates ? Role::responder : Role::initiator)) {
      keys.remote_static = own.remote_static;
      if (!own.remote_static && other.local_static) {
        keys.remote_static = other.local_static->public_key();
      }
    }
    return NoiseHandshake::start(protocol_, role, own.prologue, keys, entropy);
  }

  Result<> pass_handshake(std::size_t index, NoiseHandshake& sender, NoiseHandshake& receiver) {
    const Message& message = vector_.messages[index];
    Bytes wire(message.ciphertext.size() + 64);
    auto written = sender.write_message(message.payload, wire);
    if (!written) return written.error();
    wire.resize(*written);
    if (wire != message.ciphertext) return differs(fmt::format("handshake message {}", index));
    auto read = receiver.read_message(wire);
    if (!read) return read.error();
    if (!std::ranges::equal(*read, message.payload)) {
      return differs(fmt::format("payload {}", index));
    }
    return {};
  }

  Result<> check_result(const NoiseHandshake& initiator, const NoiseHandshake& responder) const {
    if (initiator.hash() != responder.hash()) return differs("the two sides' hash");
    if (vector_.hash && !std::ranges::equal(initiator.hash(), *vector_.hash)) {
      return differs("handshake_hash");
    }
    if (protocol_.pattern.needs_static(Role::responder) &&
        initiator.remote_static() != vector_.responder.local_static->public_key()) {
      return differs("the static key that the initiator learnt");
    }
    if (protocol_.pattern.needs_static(Role::initiator) &&
        responder.remote_static() != vector_.initiator.local_static->public_key()) {
      return differs("the static key that the responder learnt");
    }
    return {};
  }

  Result<> run_transport(CipherPair initiator, CipherPair responder) const {
    for (std::size_t i = protocol_.pattern.message_count(); i < vector_.messages.size(); ++i) {
      const bool forth = i % 2 == 0 || protocol_.pattern.one_way();
      auto& sender = forth ? initiator.initiator_to_responder : responder.responder_to_initiator;
      auto& receiver = forth ? responder.initiator_to_responder : initiator.responder_to_initiator;
      const Message& message = vector_.messages[i];
      Bytes wire = message.payload;
      wire.resize(wire.size() + kTagBytes);
      if (auto sealed = sender.encrypt({}, wire); !sealed) return sealed;
      if (wire != message.ciphertext) return differs(fmt::format("transport message {}", i));
      auto opened = receiver.decrypt({}, wire);
      if (!opened) return opened.error();
      if (!std::ranges::equal(*opened, message.payload)) {
        return differs(fmt::format("transport payload {}", i));
      }
    }
    return {};
  }

  const NoiseProtocol& protocol_;
  Vector& vector_;
  FixedEntropy initiator_entropy_;
  FixedEntropy responder_entropy_;
};

bool outside_revision_34(const json& object, const std::string& name) {
  return name.contains("fallback") || name.contains("hfs") || object.contains("fallback");
}

/// Errors: only for a vector that is not of the form; all else goes into the report.
Result<> run_one(const json& object, const std::string& name, VectorReport& report) {
  auto protocol = NoiseProtocol::parse(name);
  const bool foreign = !protocol && protocol.code() == Code::unimplemented;
  if (foreign || outside_revision_34(object, name)) {
    report.skipped.push_back(name);
    return {};
  }
  if (!protocol) {
    report.failed.push_back(name + ": " + protocol.error().text());
    return {};
  }
  if (!cipher_available(protocol->cipher)) {
    report.skipped.push_back(name + " (not on this processor)");
    return {};
  }
  auto vector = read_vector(object);
  if (!vector) return vector.error();
  ++report.ran;
  if (auto agreed = Run(*protocol, *vector).run(); !agreed) {
    report.failed.push_back(name + ": " + agreed.error().text());
  }
  return {};
}

}  // namespace

Result<VectorReport> run_noise_vectors(const std::string& text) {
  const json file = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (file.is_discarded()) return malformed("the text is not JSON");
  if (!file.is_object() || !file.contains("vectors") || !file["vectors"].is_array()) {
    return malformed("the top level is not an object with a list named vectors");
  }
  VectorReport report;
  std::size_t index = 0;
  for (const json& object : file["vectors"]) {
    const char* key = object.contains("protocol_name") ? "protocol_name" : "name";
    if (!object.is_object() || !object.contains(key) || !object[key].is_string()) {
      return malformed(fmt::format("vector {} has no protocol_name", index));
    }
    const std::string name = object[key];
    if (auto run = run_one(object, name, report); !run) {
      return malformed(
          fmt::format("vector {} ({}): {}", index, name, std::string(run.error().detail())));
    }
    ++index;
  }
  return report;
}

Result<VectorReport> run_noise_vector_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(Code::not_found, "vectors", "cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return run_noise_vectors(text.str());
}

}  // namespace tubing::crypto
