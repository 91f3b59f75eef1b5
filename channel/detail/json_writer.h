// JsonWriter: the tokens of JSON, appended to a text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tubing/channel/base/bytes.h"

namespace tubing::detail {

class JsonWriter {
 public:
  template <class T>
  void write(const T& value);

  std::string take() { return std::move(text_); }

 private:
  void write_string(std::string_view text);
  void write_hex(ByteView bytes);
  void write_float(double value);
  void write_float(float value);
  void write_signed(std::int64_t value);
  void write_unsigned(std::uint64_t value);
  template <class T>
  void write_number(T value);
  template <class T>
  void write_record(const T& record);
  template <class T>
  void write_list(const T& list);
  template <class T>
  void write_map(const T& map);
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
