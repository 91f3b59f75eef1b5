#include "tubing/crypto/noise_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace tubing::crypto {

namespace {

// A pattern as the specification prints it: who is known before ("i", "r", "ir" or nobody), then
// the messages, parted by '|'.
struct Row {
  std::string_view name;
  std::string_view known_before;
  std::string_view messages;
};

constexpr Row kPatterns[] = {
    // One-way, §7.4.
    {"N", "r", "e es"},
    {"K", "ir", "e es ss"},
    {"X", "r", "e es s ss"},
    // Interactive, §7.5.
    {"NN", "", "e | e ee"},
    {"NK", "r", "e es | e ee"},
    {"NX", "", "e | e ee s es"},
    {"XN", "", "e | e ee | s se"},
    {"XK", "r", "e es | e ee | s se"},
    {"XX", "", "e | e ee s es | s se"},
    {"KN", "i", "e | e ee se"},
    {"KK", "ir", "e es ss | e ee se"},
    {"KX", "i", "e | e ee se s es"},
    {"IN", "", "e s | e ee se"},
    {"IK", "r", "e es s ss | e ee se"},
    {"IX", "", "e s | e ee se s es"},
    // Deferred, §7.6 and appendix 18.1.
    {"NK1", "r", "e | e ee es"},
    {"NX1", "", "e | e ee s | es"},
    {"X1N", "", "e | e ee | s | se"},
    {"X1K", "r", "e es | e ee | s | se"},
    {"XK1", "r", "e | e ee es | s se"},
    {"X1K1", "r", "e | e ee es | s | se"},
    {"X1X", "", "e | e ee s es | s | se"},
    {"XX1", "", "e | e ee s | es s se"},
    {"X1X1", "", "e | e ee s | es s | se"},
    {"K1N", "i", "e | e ee | se"},
    {"K1K", "ir", "e es | e ee | se"},
    {"KK1", "ir", "e | e ee se es"},
    {"K1K1", "ir", "e | e ee es | se"},
    {"K1X", "i", "e | e ee s es | se"},
    {"KX1", "i", "e | e ee se s | es"},
    {"K1X1", "i", "e | e ee s | se es"},
    {"I1N", "", "e s | e ee | se"},
    {"I1K", "r", "e es s | e ee | se"},
    {"IK1", "r", "e s | e ee se es"},
    {"I1K1", "r", "e s | e ee es | se"},
    {"I1X", "", "e s | e ee s es | se"},
    {"IX1", "", "e s | e ee se s | es"},
    {"I1X1", "", "e s | e ee s | se es"},
};

constexpr std::string_view kTokenNames[] = {"e", "s", "ee", "es", "se", "ss"};

Error no_such(std::string_view what, std::string_view name) {
  return Error(Code::invalid_argument, "noise", fmt::format("there is no {} \"{}\"", what, name));
}

// Cuts the text before `mark` off `rest`; all of it where there is no mark.
std::string_view cut(std::string_view& rest, char mark) {
  const std::size_t end = std::min(rest.find(mark), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

}  // namespace

void NoisePattern::Message::append(Token token) {
  TUBING_ASSERT(count < kTokensMax);
  tokens[count++] = token;
}

void NoisePattern::Message::prepend(Token token) {
  append(token);
  std::rotate(tokens.begin(), tokens.begin() + count - 1, tokens.begin() + count);
}

std::span<const Token> NoisePattern::message(std::size_t index) const {
  TUBING_ASSERT(index < message_count_, index);
  return std::span(messages_[index].tokens).first(messages_[index].count);
}

bool NoisePattern::needs_static(Role role) const {
  if (known_before(role)) return true;
  for (std::size_t i = role == Role::initiator ? 0 : 1; i < message_count_; i += 2) {
    if (std::ranges::count(message(i), Token::s) > 0) return true;
  }
  return false;
}

void NoisePattern::add_messages(std::string_view text) {
  message_count_ = 1;
  while (!text.empty()) {
    const std::string_view word = cut(text, ' ');
    if (word == "|") {
      ++message_count_;
      continue;
    }
    const auto* found = std::ranges::find(kTokenNames, word);
    TUBING_ASSERT(found != std::end(kTokenNames), word);
    messages_[message_count_ - 1].append(static_cast<Token>(found - kTokenNames));
  }
}

Result<> NoisePattern::apply_modifiers(std::string_view modifiers) {
  std::array<bool, kMessagesMax + 1> seen{};
  while (!modifiers.empty()) {
    const std::string_view modifier = cut(modifiers, '+');
    if (modifier.size() != 4 || !modifier.starts_with("psk") || modifier[3] < '0') {
      return no_such("modifier", modifier);
    }
    const auto place = static_cast<std::size_t>(modifier[3] - '0');
    if (place > message_count_ || seen[place]) return no_such("place for the modifier", modifier);
    seen[place] = true;
    if (place == 0) {
      messages_[0].prepend(Token::psk);
    } else {
      messages_[place - 1].append(Token::psk);
    }
    ++psk_count_;
  }
  return {};
}

Result<NoisePattern> NoisePattern::parse(std::string_view name) {
  const auto is_of_base = [](char c) { return (c >= 'A' && c <= 'Z') || c == '1'; };
  const auto end =
      static_cast<std::size_t>(std::ranges::find_if_not(name, is_of_base) - name.begin());
  const std::string_view base = name.substr(0, end);
  const auto* row = std::ranges::find(kPatterns, base, &Row::name);
  if (row == std::end(kPatterns)) return no_such("handshake pattern", base);
  NoisePattern pattern;
  pattern.known_before_ = {row->known_before.contains('i'), row->known_before.contains('r')};
  pattern.add_messages(row->messages);
  if (auto applied = pattern.apply_modifiers(name.substr(end)); !applied) return applied.error();
  return pattern;
}

Result<NoiseProtocol> NoiseProtocol::parse(std::string_view name) {
  std::string_view rest = name;
  if (cut(rest, '_') != "Noise") return no_such("Noise protocol", name);
  const std::string_view pattern_name = cut(rest, '_');
  const std::string_view curve = cut(rest, '_');
  const std::string_view cipher_word = cut(rest, '_');
  const auto cipher = cipher_from_name(cipher_word);
  if (curve.empty() || cipher_word.empty() || rest.empty()) return no_such("Noise protocol", name);
  if (curve != "25519" || !cipher || rest != "SHA256") {
    return Error(Code::unimplemented, "noise",
                 fmt::format("{}: supported are 25519, ChaChaPoly or AESGCM, and SHA256", name));
  }
  auto pattern = NoisePattern::parse(pattern_name);
  if (!pattern) return pattern.error();
  return NoiseProtocol{std::string(name), *pattern, *cipher};
}

}  // namespace tubing::crypto
