#include "tubing/channel/detail/json_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

namespace tubing::detail {

void JsonWriter::write_string(std::string_view text) {
  text_ += '"';
  for (const char letter : text) {
    switch (letter) {
      case '"': text_ += "\\\""; break;
      case '\\': text_ += "\\\\"; break;
      case '\n': text_ += "\\n"; break;
      case '\r': text_ += "\\r"; break;
      case '\t': text_ += "\\t"; break;
      default:
        if (static_cast<unsigned char>(letter) < 0x20) {
          fmt::format_to(std::back_inserter(text_), "\\u{:04x}", letter);
        } else {
          text_ += letter;
        }
    }
  }
  text_ += '"';
}

void JsonWriter::write_bytes(ByteView bytes) { text_ += '"' + to_hex(bytes) + '"'; }

void JsonWriter::write_float(double value) {
  text_ += std::isfinite(value) ? fmt::to_string(value) : "null";
}
void JsonWriter::write_float(float value) {
  text_ += std::isfinite(value) ? fmt::to_string(value) : "null";
}
void JsonWriter::write_signed(std::int64_t value) { text_ += fmt::to_string(value); }
void JsonWriter::write_unsigned(std::uint64_t value) { text_ += fmt::to_string(value); }

}  // namespace tubing::detail
