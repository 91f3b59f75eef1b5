// Reading: each kind of type straight out of a BoundedReader, without an object in between.
#pragma once

#include <algorithm>
#include <bitset>

#include "tubing/channel/codec.h"
#include "tubing/channel/detail/codec_type_name.inl.h"

namespace tubing {
namespace detail {

/// Vectors reserve no more than this on the word of a count; beyond it they grow as values come.
inline constexpr std::size_t kReserveBytesMax = 64 << 10;

template <class T>
bool read(BoundedReader& in, T& out);

/// Defined in passed_ends.inl.h. Requires: `in` is an EndReader.
template <EndType End>
bool read_end(BoundedReader& in, End& end);

/// A vector<bool> holds no bool to read into, so that its elements take a detour.
template <class T>
bool read_list(BoundedReader& in, std::vector<T>& out) {
  std::uint32_t count = 0;
  out.clear();
  if (!in.enter_array(count) || !in.charge(count * std::uint64_t{sizeof(T)})) return false;
  out.reserve(std::min<std::size_t>(count, kReserveBytesMax / sizeof(T)));
  for (std::uint32_t i = 0; i < count; ++i) {
    if constexpr (std::is_same_v<T, bool>) {
      bool element = false;
      if (!read(in, element)) return in.at_index(i);
      out.push_back(element);
    } else {
      if (!read(in, out.emplace_back())) return in.at_index(i);
    }
  }
  in.leave();
  return true;
}

template <class T>
bool read_fixed_list(BoundedReader& in, T& out) {
  std::uint32_t count = 0;
  if (!in.enter_array(count)) return false;
  if (count != out.size()) return in.fail_count(out.size(), count, "elements");
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!read(in, out[i])) return in.at_index(i);
  }
  in.leave();
  return true;
}

template <class T>
bool read_map(BoundedReader& in, T& out) {
  std::uint32_t count = 0;
  out.clear();
  if (!in.enter_map(count)) return false;
  if (!in.charge(count * std::uint64_t{sizeof(typename T::value_type)})) return false;
  for (std::uint32_t i = 0; i < count; ++i) {
    typename T::key_type key{};
    if (!read(in, key)) return in.at_index(i);
    const auto [place, is_new] = out.try_emplace(std::move(key));
    if (!is_new) return in.fail("a map has the same key twice") || in.at_index(i);
    if (!read(in, place->second)) return in.at_index(i);
  }
  in.leave();
  return true;
}

template <class T>
bool read_tuple(BoundedReader& in, T& out) {
  std::uint32_t count = 0;
  if (!in.enter_array(count)) return false;
  if (count != std::tuple_size_v<T>) {
    return in.fail_count(std::tuple_size_v<T>, count, "elements");
  }
  const bool ok = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return ((read(in, std::get<I>(out)) || in.at_index(I)) && ...);
  }(std::make_index_sequence<std::tuple_size_v<T>>());
  if (ok) in.leave();
  return ok;
}

template <class T>
bool read_variant(BoundedReader& in, T& out) {
  std::uint32_t count = 0;
  std::uint32_t index = 0;
  if (!in.enter_array(count)) return false;
  if (count != 2) return in.fail_count(2, count, "elements, an index and a value");
  if (!read(in, index)) return in.at_index(0);
  if (index >= std::variant_size_v<T>) return in.fail_alternative(std::variant_size_v<T>, index);
  bool ok = false;
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((I == index ? void(ok = read(in, out.template emplace<I>())) : void()), ...);
  }(std::make_index_sequence<std::variant_size_v<T>>());
  if (ok) in.leave();
  return ok || in.at_index(1);
}

template <class T>
bool read_optional(BoundedReader& in, T& out) {
  if (in.is_nil()) {
    out.reset();
    return in.read_nil();
  }
  return read(in, out ? *out : out.emplace());
}

/// Reads the field with the name's index into `record`. Returns false after a failure.
template <std::size_t I, HasFields T>
bool read_field(BoundedReader& in, T& record) {
  if (read(in, field<I>(record))) [[likely]]
    return true;
  return in.at_field(fields_of<T>.names[I]);
}

/// Gives the fields that the message lacks the value that they have in a fresh T.
template <HasFields T, std::size_t... I>
[[gnu::noinline]] void reset_missing(T& record, const std::bitset<sizeof...(I)>& is_present,
                                     std::index_sequence<I...>) {
  T fresh{};
  ((is_present[I] ? void() : void(field<I>(record) = std::move(field<I>(fresh)))), ...);
}

template <HasFields T>
[[gnu::noinline]] bool read_record_map(BoundedReader& in, T& out) {
  constexpr std::size_t kCount = kFieldCount<T>;
  constexpr auto kIndices = std::make_index_sequence<kCount>();
  std::bitset<kCount> is_present;
  std::uint32_t entries = 0;
  if (!in.enter_map(entries)) return false;
  for (; entries > 0; --entries) {
    std::string_view name;
    if (!in.read_string(name)) return false;
    const auto& names = fields_of<T>.names;
    const auto index = static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
    if (index == kCount) {
      if (!in.skip()) return false;
      continue;
    }
    if (is_present[index]) return in.fail("this field comes twice") || in.at_field(names[index]);
    is_present.set(index);
    const bool ok = [&]<std::size_t... I>(std::index_sequence<I...>) {
      return ((I != index || read_field<I>(in, out)) && ...);
    }(kIndices);
    if (!ok) return false;
  }
  if (!is_present.all()) reset_missing(out, is_present, kIndices);
  in.leave();
  return true;
}

template <HasFields T>
bool read_record(BoundedReader& in, T& out) {
  constexpr std::size_t kCount = kFieldCount<T>;
  constexpr auto kIndices = std::make_index_sequence<kCount>();
  if (in.is_map()) return read_record_map(in, out);
  std::uint32_t count = 0;
  if (!in.enter_array(count)) return false;
  const bool ok = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return ((I >= count || read_field<I>(in, out)) && ...);
  }(kIndices);
  if (!ok) return false;
  if (count < kCount) {
    std::bitset<kCount> is_present;
    for (std::size_t i = 0; i < count; ++i) is_present.set(i);
    reset_missing(out, is_present, kIndices);
  }
  for (; count > kCount; --count) {
    if (!in.skip()) return false;
  }
  in.leave();
  return true;
}

template <class T>
bool read_bytes(BoundedReader& in, T& out) {
  ByteView bytes;
  if (!in.read_binary(bytes)) return false;
  if constexpr (BytesType<T>) {
    if (!in.charge(bytes.size())) return false;
    out.assign(bytes.begin(), bytes.end());
  } else {
    if (bytes.size() != out.size()) return in.fail_count(out.size(), bytes.size(), "bytes");
    std::ranges::copy(bytes, out.begin());
  }
  return true;
}

/// Reads a number of type `Number` and converts it to the type that it stands for.
template <class Number, class T>
bool read_as(BoundedReader& in, T& out) {
  Number number{};
  if (!read(in, number)) return false;
  out = static_cast<T>(number);
  return true;
}

template <class T>
bool read(BoundedReader& in, T& out) {
  check_encodable<T>();
  if constexpr (EndType<T>) {
    return read_end(in, out);
  } else if constexpr (HasFields<T>) {
    return read_record(in, out);
  } else if constexpr (std::is_same_v<T, bool>) {
    return in.read_bool(out);
  } else if constexpr (IntegerType<T>) {
    return in.read_integer(out);
  } else if constexpr (FloatType<T>) {
    return in.read_float(out);
  } else if constexpr (EnumType<T>) {
    return read_as<std::underlying_type_t<T>>(in, out);
  } else if constexpr (DurationType<T>) {
    return read_as<typename T::rep>(in, out);
  } else if constexpr (std::is_same_v<T, std::string>) {
    std::string_view text;
    if (!in.read_string(text) || !in.charge(text.size())) return false;
    out.assign(text);
    return true;
  } else if constexpr (BytesType<T> || ByteArrayType<T>) {
    return read_bytes(in, out);
  } else if constexpr (ListType<T>) {
    return read_list(in, out);
  } else if constexpr (FixedListType<T>) {
    return read_fixed_list(in, out);
  } else if constexpr (MapType<T>) {
    return read_map(in, out);
  } else if constexpr (TupleType<T>) {
    return read_tuple(in, out);
  } else if constexpr (VariantType<T>) {
    return read_variant(in, out);
  } else if constexpr (OptionalType<T>) {
    return read_optional(in, out);
  } else {
    return in.read_nil();
  }
}

/// What a failure's place starts with.
template <class T>
constexpr std::string_view root_name() {
  return kSpelledName<T>.contains('?') ? "value" : kSpelledName<T>;
}

}  // namespace detail

template <class T>
Result<> decode(ByteView bytes, T& out, const DecodeLimits& limits) {
  detail::check_no_ends<T>();
  if constexpr (detail::BytesType<T>) {
    out.assign(bytes.begin(), bytes.end());
    return {};
  } else {
    detail::BoundedReader in(bytes, limits);
    if (detail::read(in, out) && in.finish()) [[likely]]
      return {};
    return in.error(detail::root_name<T>());
  }
}

}  // namespace tubing
