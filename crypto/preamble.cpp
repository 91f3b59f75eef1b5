#include "tubing/crypto/preamble.h"

#include <fmt/format.h>

#include <algorithm>

namespace tubing::crypto {

namespace {

Error disagreement(const std::string& detail) {
  return Error(Code::failed_precondition, "handshake", detail);
}

}  // namespace

Cipher cipher_of(Suite suite) {
  TUBING_ASSERT(suite == Suite::chacha_poly || suite == Suite::aes_gcm);
  return suite == Suite::chacha_poly ? Cipher::chacha_poly : Cipher::aes_gcm;
}

std::string suite_text(Suite suite) {
  std::string_view name = "unknown";
  if (suite == Suite::none) name = "none";
  if (suite == Suite::chacha_poly || suite == Suite::aes_gcm) name = cipher_name(cipher_of(suite));
  return fmt::format("suite {} ({})", static_cast<unsigned>(suite), name);
}

std::string mode_text(Mode mode) {
  const std::string_view name = mode == Mode::xx        ? "XX, without a pre-shared key"
                                : mode == Mode::xx_psk3 ? "XXpsk3, with a pre-shared key"
                                                        : "unknown";
  return fmt::format("mode {} ({})", static_cast<unsigned>(mode), name);
}

std::string protocol_name(Suite suite, Mode mode) {
  return fmt::format("Noise_{}_25519_{}_SHA256", mode == Mode::xx ? "XX" : "XXpsk3",
                     cipher_name(cipher_of(suite)));
}

Result<> check_magic(ByteView begin) {
  const std::size_t size = std::min(begin.size(), kMagic.size());
  if (std::ranges::equal(begin.first(size), ByteView(kMagic).first(size))) return {};
  const ByteView shown = begin.first(std::min(begin.size(), kPreambleBytes));
  return disagreement(fmt::format(
      "the peer does not speak Tubing: it began with {} (\"{}\"); check the address and the port",
      to_hex(shown), printable(as_text(shown))));
}

Preamble decode_preamble(ByteView bytes) {
  TUBING_ASSERT(bytes.size() == kPreambleBytes, bytes.size());
  return {.version = load_be16(bytes.data() + 4),
          .suite = static_cast<Suite>(bytes[6]),
          .mode = static_cast<Mode>(bytes[7])};
}

Preamble answer_preamble(const Preamble& dialler, std::span<const Suite> allowed, Mode mode) {
  const bool known = std::ranges::count(allowed, dialler.suite) > 0;
  const bool takes = dialler.version == kHandshakeVersion && known && dialler.mode == mode;
  return takes ? dialler : Preamble{.suite = Suite::none, .mode = mode};
}

Result<> check_agreement(const Preamble& dialler, const Preamble& listener,
                         std::span<const Suite> allowed) {
  if (listener == dialler && dialler.suite != Suite::none) return {};
  if (listener.version != dialler.version) {
    return disagreement(fmt::format(
        "the dialler speaks version {} of the handshake and the listener version {}: upgrade the "
        "older one",
        dialler.version, listener.version));
  }
  if (listener == kBusyPreamble)
    return Error(
        Code::unavailable, "handshake",
        "the peer is busy: it has as many connections as its limits allow; try again later");
  if (listener.mode != dialler.mode) {
    return disagreement(fmt::format(
        "the dialler asks for {} and the listener for {}: give both sides the same pre-shared key, "
        "or neither",
        mode_text(dialler.mode), mode_text(listener.mode)));
  }
  std::string takes = allowed.empty() ? "not that" : "";
  for (const Suite suite : allowed) takes += (takes.empty() ? "" : " or ") + suite_text(suite);
  return disagreement(
      fmt::format("the dialler asks for {} and the listener takes {}: name the same suite on both "
                  "sides (`tube pipe --suite`, or `suites` in a program)",
                  suite_text(dialler.suite), takes));
}

}  // namespace tubing::crypto
