// Types that the codec's tests encode.
#pragma once

#include <string>

#include "tubing/channel/codec.h"

namespace tubing::test {

struct Add {
  std::int64_t a = 0, b = 0;
  static constexpr std::string_view type_name = "calc.add.v1";
  static constexpr auto fields = tubing::fields("a", &Add::a, "b", &Add::b);
  bool operator==(const Add&) const = default;
};

struct Eight {
  std::int64_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
  static constexpr std::string_view type_name = "test.eight.v1";
  static constexpr auto fields =
      tubing::fields("a", &Eight::a, "b", &Eight::b, "c", &Eight::c, "d", &Eight::d,  //
                     "e", &Eight::e, "f", &Eight::f, "g", &Eight::g, "h", &Eight::h);
  bool operator==(const Eight&) const = default;
};

enum class Color : std::uint8_t { red, green };

/// A type that holds itself.
struct Tree {
  int value = 0;
  std::vector<Tree> children;
  static constexpr std::string_view type_name = "test.tree.v1";
  static constexpr auto fields = tubing::fields("value", &Tree::value, "children", &Tree::children);
  bool operator==(const Tree&) const = default;
};

/// Has no name: it only lies in others.
struct Inner {
  std::optional<Color> color;
  std::variant<std::monostate, int, std::string> choice;
  static constexpr auto fields = tubing::fields("color", &Inner::color, "choice", &Inner::choice);
  bool operator==(const Inner&) const = default;
};

struct Everything {
  bool flag = true;
  double ratio = 0.5;
  std::string text = "none";
  Bytes blob;
  std::array<std::byte, 4> key{};
  std::vector<Inner> inners;
  std::map<std::string, Add> sums;
  std::pair<std::int16_t, std::uint64_t> pair;
  std::chrono::microseconds span{7};
  static constexpr std::string_view type_name = "test.everything.v1";
  static constexpr auto fields = tubing::fields(
      "flag", &Everything::flag, "ratio", &Everything::ratio, "text", &Everything::text,  //
      "blob", &Everything::blob, "key", &Everything::key, "inners", &Everything::inners,  //
      "sums", &Everything::sums, "pair", &Everything::pair, "span", &Everything::span);
  bool operator==(const Everything&) const = default;
};

inline Everything sample_everything() {
  return {.flag = false,
          .ratio = -2.25,
          .text = "a text of more than thirty-one bytes in all",
          .blob = Bytes(5, std::byte{0xee}),
          .key = {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}},
          .inners = {Inner{Color::green, 300}, Inner{std::nullopt, "x"}, Inner{}},
          .sums = {{"one", {1, 0}}, {"two", {1, 1}}},
          .pair = {-300, std::uint64_t{1} << 40},
          .span = std::chrono::microseconds(123456789)};
}

template <class T>
std::string hex_of(const T& value, Form form = Form::array) {
  ByteBuffer buffer;
  encode(value, buffer, form);
  return to_hex(buffer.view());
}

/// The bytes that hexadecimal digits stand for.
inline Bytes from_hex(std::string_view digits) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(
        static_cast<std::byte>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

/// The text of the error with which `decode` refuses the bytes; empty where it takes them.
template <class T>
std::string refusal(ByteView bytes, const DecodeLimits& limits = {}) {
  T out{};
  const Result<> result = decode(bytes, out, limits);
  return result ? "" : result.error().text();
}
template <class T>
std::string refusal(std::string_view digits, const DecodeLimits& limits = {}) {
  return refusal<T>(ByteView(from_hex(digits)), limits);
}

}  // namespace tubing::test
