// JsonWriter: the tokens of JSON, appended to a text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <variant>

#include "tubing/channel/base/bytes.h"
#include "tubing/channel/detail/codec_dispatch.h"

namespace tubing::detail {

class JsonWriter {
 public:
  template <class T>
  void write(const T& value) {
    write_by_kind(*this, value);
  }

  std::string take() { return std::move(text_); }

  // One function a kind, for write_by_kind.
  void write_string(std::string_view text);
  void write_bytes(ByteView bytes);
  template <class T>
  void write_number(T value);
  template <class T>
  void write_record(const T& record);
  template <class T>
  void write_list(const T& list);
  template <class T>
  void write_map(const T& map);
  template <class T>
  void write_tuple(const T& tuple) {
    std::apply([&](const auto&... elements) { write_array(elements...); }, tuple);
  }
  template <class T>
  void write_variant(const T& variant) {
    std::visit([&](const auto& held) { write_array(variant.index(), held); }, variant);
  }
  void write_nil() { text_ += "null"; }
  template <class End>
  void write_end(const End&) {
    check_no_ends<End>();
  }

 private:
  void write_float(double value);
  void write_float(float value);
  void write_signed(std::int64_t value);
  void write_unsigned(std::uint64_t value);
  template <class... Values>
  void write_array(const Values&... values);

  /// Writes a comma between elements; `is_first` is true for the first one alone.
  void separate(bool& is_first) {
    if (!is_first) text_ += ',';
    is_first = false;
  }

  std::string text_;
};

}  // namespace tubing::detail
