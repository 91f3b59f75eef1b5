// Kinds: which of the codec's encodings a C++ type takes, and which types have none.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "tubing/channel/base/bytes.h"
#include "tubing/channel/fields.h"

namespace tubing {
template <class T>
class Sender;
template <class T>
class Receiver;
template <class Out, class In>
struct Duplex;
}  // namespace tubing

namespace tubing::detail {

/// The end of a channel, which may travel inside a message of another channel, and nowhere else.
template <class T>
inline constexpr bool is_end = false;
template <class T>
inline constexpr bool is_end<Sender<T>> = true;
template <class T>
inline constexpr bool is_end<Receiver<T>> = true;
template <class Out, class In>
inline constexpr bool is_end<Duplex<Out, In>> = true;
template <class T>
concept EndType = is_end<T>;

template <class T>
concept CharacterType =
    std::is_same_v<T, char> || std::is_same_v<T, wchar_t> || std::is_same_v<T, char8_t> ||
    std::is_same_v<T, char16_t> || std::is_same_v<T, char32_t>;
template <class T>
concept IntegerType =
    std::is_integral_v<T> && !std::is_same_v<T, bool> && !CharacterType<T> && sizeof(T) <= 8;
template <class T>
concept FloatType = std::is_same_v<T, float> || std::is_same_v<T, double>;
template <class T>
concept EnumType = std::is_enum_v<T>;
/// msgpack's bin: owned bytes, or a fixed number of them.
template <class T>
inline constexpr bool is_byte_array = false;
template <std::size_t N>
inline constexpr bool is_byte_array<std::array<std::byte, N>> = true;
template <class T>
concept ByteArrayType = is_byte_array<T>;
template <class T>
concept BytesType = std::is_same_v<T, Bytes>;

template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = !std::is_same_v<T, std::byte>;
template <class T>
inline constexpr bool is_fixed_list = false;
template <class T, std::size_t N>
inline constexpr bool is_fixed_list<std::array<T, N>> = !std::is_same_v<T, std::byte>;
template <class T>
inline constexpr bool is_map = false;
template <class K, class V>
inline constexpr bool is_map<std::map<K, V>> = true;
template <class T>
inline constexpr bool is_tuple = false;
template <class... T>
inline constexpr bool is_tuple<std::tuple<T...>> = true;
template <class A, class B>
inline constexpr bool is_tuple<std::pair<A, B>> = true;
template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;
template <class T>
inline constexpr bool is_duration = false;
template <class Rep, class Period>
inline constexpr bool is_duration<std::chrono::duration<Rep, Period>> =
    IntegerType<Rep> || FloatType<Rep>;

template <class T>
concept ListType = is_list<T>;
template <class T>
concept FixedListType = is_fixed_list<T>;
template <class T>
concept MapType = is_map<T>;
template <class T>
concept TupleType = is_tuple<T>;
template <class T>
concept OptionalType = is_optional<T>;
template <class T>
concept VariantType = is_variant<T>;
template <class T>
concept DurationType = is_duration<T>;

/// Whether T itself may be encoded as nil, so that an optional of it could not tell the two apart.
template <class T>
concept NilType = OptionalType<T> || std::is_same_v<T, std::monostate>;

template <class T>
consteval bool is_encodable();

/// Whether every type of a template's arguments has an encoding.
template <class T>
inline constexpr bool are_arguments_encodable = false;
template <template <class...> class Template, class... Arguments>
inline constexpr bool are_arguments_encodable<Template<Arguments...>> =
    (is_encodable<Arguments>() && ...);

/// A type with fields answers for itself, so that it may hold containers of its own type; its
/// fields are checked where it is first encoded.
template <class T>
consteval bool is_encodable() {
  if constexpr (ListType<T> || FixedListType<T>) {
    return is_encodable<typename T::value_type>();
  } else if constexpr (MapType<T>) {
    return is_encodable<typename T::key_type>() && is_encodable<typename T::mapped_type>();
  } else if constexpr (EnumType<T>) {
    return is_encodable<std::underlying_type_t<T>>();
  } else if constexpr (TupleType<T> || VariantType<T>) {
    return are_arguments_encodable<T>;
  } else if constexpr (OptionalType<T>) {
    return is_encodable<typename T::value_type>() && !NilType<typename T::value_type>;
  } else {
    return std::is_same_v<T, bool> || std::is_same_v<T, std::string> ||
           std::is_same_v<T, std::monostate> || IntegerType<T> || FloatType<T> ||
           ByteArrayType<T> || BytesType<T> || DurationType<T> || HasFields<T> || EndType<T>;
  }
}

template <class T>
inline constexpr bool is_string_view_or_span =
    std::is_same_v<T, std::string_view> || std::is_same_v<T, ByteView>;

/// Fails to compile for a type without an encoding, and says what to do about it.
template <class T>
consteval void check_encodable() {
  static_assert(!std::is_pointer_v<T>,
                "codec: a pointer cannot be encoded; list the value, or std::optional of it");
  static_assert(!std::is_reference_v<T>, "codec: a reference cannot be encoded; use the value");
  static_assert(!CharacterType<T>,
                "codec: a character type has no encoding; use std::string or std::int8_t");
  static_assert(!std::is_array_v<T>, "codec: a built-in array has no encoding; use std::array");
  static_assert(!is_string_view_or_span<T>,
                "codec: a view owns nothing to decode into; use std::string or tubing::Bytes");
  if constexpr (OptionalType<T>) {
    static_assert(!NilType<typename T::value_type>,
                  "codec: an optional of a type that may itself be nil cannot be told from nil; "
                  "use std::variant");
  }
  static_assert(
      is_encodable<T>(),
      "codec: this type has no encoding; give it `static constexpr auto fields = "
      "tubing::fields(\"name\", &Type::member, ...)`, or use a standard type that the codec "
      "knows: bool, integers, float, double, std::string, tubing::Bytes, std::array, "
      "std::vector, std::map, std::pair, std::tuple, std::optional, std::variant, enums, "
      "std::chrono durations");
}

/// Whether a T may hold the end of a channel. `Seen` are the types with fields on the way to it,
/// which may hold containers of their own type.
template <class T, class... Seen>
consteval bool carries_ends();

template <class T, class... Seen>
inline constexpr bool do_arguments_carry_ends = false;
template <template <class...> class Template, class... Arguments, class... Seen>
inline constexpr bool do_arguments_carry_ends<Template<Arguments...>, Seen...> =
    (carries_ends<Arguments, Seen...>() || ...);

template <class List, class... Seen>
inline constexpr bool do_fields_carry_ends = false;
template <class Class, class... Members, class... Seen>
inline constexpr bool do_fields_carry_ends<FieldList<Class, Members...>, Seen...> =
    (carries_ends<Members, Seen...>() || ...);

template <class T, class... Seen>
consteval bool carries_ends() {
  if constexpr (EndType<T>) {
    return true;
  } else if constexpr ((std::is_same_v<T, Seen> || ...)) {
    return false;
  } else if constexpr (HasFields<T>) {
    return do_fields_carry_ends<std::remove_cvref_t<decltype(fields_of<T>)>, T, Seen...>;
  } else if constexpr (ListType<T> || FixedListType<T> || OptionalType<T>) {
    return carries_ends<typename T::value_type, Seen...>();
  } else if constexpr (MapType<T> || TupleType<T> || VariantType<T>) {
    return do_arguments_carry_ends<T, Seen...>;
  } else {
    return false;
  }
}
template <class T>
inline constexpr bool kCarriesEnds = carries_ends<T>();

/// Fails to compile for a value that only a channel can carry.
template <class T>
consteval void check_no_ends() {
  static_assert(!kCarriesEnds<T>,
                "codec: the end of a channel travels in a message of another channel alone; send "
                "this value on one, or take the end out of its list of fields");
}

}  // namespace tubing::detail
