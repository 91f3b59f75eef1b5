// JSON: each kind of type that the codec knows.
#pragma once

#include "tubing/channel/detail/json_writer.h"
#include "tubing/channel/json.h"

namespace tubing {
namespace detail {

template <class T>
void JsonWriter::write_number(T value) {
  if constexpr (std::is_same_v<T, bool>) {
    text_ += value ? "true" : "false";
  } else if constexpr (FloatType<T>) {
    write_float(value);
  } else if constexpr (std::is_signed_v<T>) {
    write_signed(value);
  } else {
    write_unsigned(value);
  }
}

template <class T>
void JsonWriter::write_record(const T& record) {
  bool is_first = true;
  text_ += '{';
  for_each_field(record, [&](std::string_view name, const auto& value) {
    separate(is_first);
    write_string(name);
    text_ += ':';
    write(value);
  });
  text_ += '}';
}

template <class T>
void JsonWriter::write_list(const T& list) {
  bool is_first = true;
  text_ += '[';
  for (const auto& element : list) {
    separate(is_first);
    write<typename T::value_type>(element);
  }
  text_ += ']';
}

template <class T>
void JsonWriter::write_map(const T& map) {
  constexpr bool kIsObject = std::is_same_v<typename T::key_type, std::string>;
  bool is_first = true;
  text_ += kIsObject ? '{' : '[';
  for (const auto& [key, value] : map) {
    separate(is_first);
    if constexpr (kIsObject) {
      write_string(key);
      text_ += ':';
      write(value);
    } else {
      write_array(key, value);
    }
  }
  text_ += kIsObject ? '}' : ']';
}

template <class... Values>
void JsonWriter::write_array(const Values&... values) {
  bool is_first = true;
  text_ += '[';
  ((separate(is_first), write(values)), ...);
  text_ += ']';
}

}  // namespace detail

template <class T>
std::string to_json(const T& value) {
  detail::JsonWriter writer;
  writer.write(value);
  return writer.take();
}

}  // namespace tubing
