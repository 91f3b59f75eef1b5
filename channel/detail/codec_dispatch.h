// Dispatch: from the type of a value to the function of a writer that knows its kind.
#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "tubing/channel/detail/codec_kinds.h"

namespace tubing::detail {

/// Writes `value` through the one function of `writer` for its kind. Every kind that the codec
/// knows stands here once, for each form that values are written in.
template <class AnyWriter, class T>
void write_by_kind(AnyWriter& writer, const T& value) {
  check_encodable<T>();
  if constexpr (EndType<T>) {
    writer.write_end(value);
  } else if constexpr (HasFields<T>) {
    writer.write_record(value);
  } else if constexpr (std::is_arithmetic_v<T>) {
    writer.write_number(value);
  } else if constexpr (EnumType<T>) {
    writer.write_number(std::to_underlying(value));
  } else if constexpr (DurationType<T>) {
    writer.write_number(value.count());
  } else if constexpr (std::is_same_v<T, std::string>) {
    writer.write_string(value);
  } else if constexpr (BytesType<T> || ByteArrayType<T>) {
    writer.write_bytes(value);
  } else if constexpr (ListType<T> || FixedListType<T>) {
    writer.write_list(value);
  } else if constexpr (MapType<T>) {
    writer.write_map(value);
  } else if constexpr (TupleType<T>) {
    writer.write_tuple(value);
  } else if constexpr (VariantType<T>) {
    writer.write_variant(value);
  } else if constexpr (OptionalType<T>) {
    value ? write_by_kind(writer, *value) : writer.write_nil();
  } else if constexpr (std::is_same_v<T, std::monostate>) {
    writer.write_nil();
  }
}

}  // namespace tubing::detail
