// Type names: put together at compile time, as both ends of a channel compare them.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "tubing/channel/codec.h"

namespace tubing {
namespace detail {

/// A text that is put together while compiling. (In libstdc++ 12 std::string cannot be, with
/// Clang.)
struct NameText {
  static constexpr std::size_t kLettersMax = 512;

  consteval NameText(const char* text) : NameText(std::string_view(text)) {}  // NOLINT
  consteval NameText(std::string_view text) { append(text); }                 // NOLINT
  consteval NameText(std::uint64_t number) {                                  // NOLINT
    if (number >= 10) append(NameText(number / 10).view());
    const char digit = static_cast<char>('0' + number % 10);
    append({&digit, 1});
  }

  consteval void append(std::string_view text) {
    for (char letter : text) letters.at(size++) = letter;
  }
  constexpr std::string_view view() const { return {letters.data(), size}; }

  std::array<char, kLettersMax> letters{};
  std::size_t size = 0;
};

template <class... Parts>
consteval NameText join(const Parts&... parts) {
  NameText text("");
  (text.append(NameText(parts).view()), ...);
  return text;
}

template <class T>
consteval NameText spell_name();

/// The names of a template's arguments with commas between them.
template <class T>
struct ArgumentNames;
template <template <class...> class Template, class First, class... Rest>
struct ArgumentNames<Template<First, Rest...>> {
  static consteval NameText text() {
    return join(spell_name<First>(), join(",", spell_name<Rest>())...);
  }
};
template <template <class...> class Template>
struct ArgumentNames<Template<>> {
  static consteval NameText text() { return ""; }
};

template <class T>
inline constexpr std::string_view end_kind = "duplex";
template <class T>
inline constexpr std::string_view end_kind<Sender<T>> = "sender";
template <class T>
inline constexpr std::string_view end_kind<Receiver<T>> = "receiver";

template <class T>
consteval NameText spell_scalar_name() {
  if constexpr (std::is_same_v<T, bool>) {
    return "bool";
  } else if constexpr (std::is_integral_v<T>) {
    return join(std::is_signed_v<T> ? "int" : "uint", 8 * sizeof(T));
  } else if constexpr (FloatType<T>) {
    return join("float", 8 * sizeof(T));
  } else if constexpr (EnumType<T>) {
    return spell_scalar_name<std::underlying_type_t<T>>();
  } else if constexpr (DurationType<T>) {
    return join("duration<", spell_scalar_name<typename T::rep>(), ",",
                static_cast<std::uint64_t>(T::period::num), "/",
                static_cast<std::uint64_t>(T::period::den), ">");
  } else if constexpr (std::is_same_v<T, std::string>) {
    return "string";
  } else if constexpr (BytesType<T>) {
    return "bytes";
  } else if constexpr (ByteArrayType<T>) {
    return join("bytes<", std::tuple_size_v<T>, ">");
  } else {
    return "nothing";
  }
}

/// A type that nobody has named is "?".
template <class T>
consteval NameText spell_name() {
  check_encodable<T>();
  if constexpr (!declared_name<T>.empty()) {
    return declared_name<T>;
  } else if constexpr (HasFields<T>) {
    return "?";
  } else if constexpr (EndType<T>) {
    return join(end_kind<T>, "<", ArgumentNames<T>::text(), ">");
  } else if constexpr (ListType<T>) {
    return join("list<", spell_name<typename T::value_type>(), ">");
  } else if constexpr (FixedListType<T>) {
    return join("list<", spell_name<typename T::value_type>(), ",", std::tuple_size_v<T>, ">");
  } else if constexpr (MapType<T>) {
    return join("map<", spell_name<typename T::key_type>(), ",",
                spell_name<typename T::mapped_type>(), ">");
  } else if constexpr (TupleType<T>) {
    return join("tuple<", ArgumentNames<T>::text(), ">");
  } else if constexpr (VariantType<T>) {
    return join("variant<", ArgumentNames<T>::text(), ">");
  } else if constexpr (OptionalType<T>) {
    return join("optional<", spell_name<typename T::value_type>(), ">");
  } else {
    return spell_scalar_name<T>();
  }
}

template <class T>
inline constexpr auto kNameLetters = [] {
  constexpr NameText text = spell_name<T>();
  std::array<char, text.size> letters{};
  std::ranges::copy(text.view(), letters.begin());
  return letters;
}();
template <class T>
inline constexpr std::string_view kSpelledName{kNameLetters<T>.data(), kNameLetters<T>.size()};

}  // namespace detail

template <class T>
constexpr std::string_view type_name_of() {
  static_assert(!detail::kSpelledName<T>.contains('?'),
                "codec: a type that crosses a channel needs a name; give it, and each type with "
                "fields among a container's elements, `static constexpr std::string_view "
                "type_name = \"area.what.v1\"`");
  return detail::kSpelledName<T>;
}

}  // namespace tubing
