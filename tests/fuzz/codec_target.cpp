// The codec: bytes of a stranger as values of many types, within the limits of memory.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/channel/codec_samples.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/target.h"
#include "tubing/channel/base/assert.h"
#include "tubing/channel/codec.h"
#include "tubing/channel/json.h"

namespace tubing::fuzz {
namespace {

constexpr DecodeLimits kLimits{.depth_max = 8, .items_max = 400, .memory_bytes_max = 4096};

using Nested = std::vector<std::vector<std::vector<std::uint64_t>>>;
using Tables = std::map<std::uint16_t, std::vector<std::string>>;
using Choice = std::variant<std::monostate, std::int8_t, std::string, Bytes, std::optional<bool>>;
using Choices = std::vector<std::pair<Choice, float>>;

/// What the elements and strings of a value take: the sum that DecodeLimits bounds.
template <class T>
std::size_t held_bytes(const T& value) {
  std::size_t held = 0;
  if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, Bytes>) {
    held = value.size();
  } else if constexpr (detail::ListType<T> || detail::MapType<T>) {
    held = value.size() * sizeof(typename T::value_type);
    for (const auto& element : value) held += held_bytes(element);
  } else if constexpr (detail::TupleType<T>) {
    std::apply([&](const auto&... parts) { ((held += held_bytes(parts)), ...); }, value);
  } else if constexpr (detail::VariantType<T>) {
    held = std::visit([](const auto& held_value) { return held_bytes(held_value); }, value);
  } else if constexpr (detail::OptionalType<T>) {
    held = value ? held_bytes(*value) : 0;
  } else if constexpr (HasFields<T>) {
    std::apply([&](auto... members) { ((held += held_bytes(value.*members)), ...); },
               T::fields.members);
  }
  return held;
}

/// The encoding of `value`, which must decode to a value of the same encoding.
template <class T>
ByteBuffer encoded(const T& value, Form form) {
  ByteBuffer bytes;
  encode(value, bytes, form);
  T again{};
  TUBING_ASSERT(decode(bytes.view(), again).has_value());
  ByteBuffer twice;
  encode(again, twice, form);
  TUBING_ASSERT(std::ranges::equal(bytes.view(), twice.view()));
  return bytes;
}

template <class T>
void check(ByteView bytes) {
  T value{};
  const Result<> decoded = decode(bytes, value, kLimits);
  TUBING_ASSERT(held_bytes(value) <= kLimits.memory_bytes_max, held_bytes(value));
  if (!decoded) {
    TUBING_ASSERT(decoded.code() == Code::invalid_argument ||
                  decoded.code() == Code::resource_exhausted);
    return;
  }
  const ByteBuffer as_array = encoded(value, Form::array);
  const ByteBuffer as_map = encoded(value, Form::map);
  T other{};
  TUBING_ASSERT(decode(as_map.view(), other).has_value());
  ByteBuffer from_map;
  encode(other, from_map, Form::array);
  TUBING_ASSERT(std::ranges::equal(as_array.view(), from_map.view()));
  const std::string json = to_json(value);
  const bool is_ascii = printable(json) == json;
  TUBING_ASSERT(!json.empty() && (!is_ascii || nlohmann::json::accept(json)), json);
}

void run(ByteView input) {
  Input in(input);
  const unsigned type = in.byte() % 9;
  const ByteView bytes = in.rest();
  switch (type) {
    case 0: return check<test::Everything>(bytes);
    case 1: return check<test::Tree>(bytes);
    case 2: return check<Nested>(bytes);
    case 3: return check<Tables>(bytes);
    case 4: return check<Choices>(bytes);
    case 5: return check<test::Eight>(bytes);
    case 6: return check<std::vector<bool>>(bytes);
    case 7: return check<std::tuple<std::int16_t, double, test::Inner>>(bytes);
    default: return check<std::map<std::string, std::array<std::optional<std::string>, 2>>>(bytes);
  }
}

template <class T>
Bytes seed(std::size_t type, const T& value, Form form = Form::array) {
  ByteBuffer bytes;
  encode(value, bytes, form);
  return Script().byte(type).bytes(bytes.view());
}

std::vector<Bytes> seeds() {
  const test::Tree tree{1, {{2, {}}, {3, {{4, {}}}}}};
  return {seed(0, test::sample_everything()),
          seed(0, test::sample_everything(), Form::map),
          seed(1, tree),
          seed(1, tree, Form::map),
          seed(2, Nested{{{1, 2}, {300}}, {}}),
          seed(3, Tables{{1, {"one", "eins"}}, {900, {}}}),
          seed(4, Choices{{Choice(), 0.5F}, {Choice(std::string("x")), 2}, {Choice(Bytes(3)), -1}}),
          seed(5, test::Eight{1, -1, 127, 128, -129, 70'000, -5'000'000'000, 9}, Form::map),
          seed(6, std::vector<bool>{true, false, true}),
          seed(7, std::tuple<std::int16_t, double, test::Inner>{-9, 0.1, {}}),
          seed(8,
               std::map<std::string, std::array<std::optional<std::string>, 2>>{
                   {"key", {"value", std::nullopt}}}),
          Script().byte(5).bytes(test::from_hex("81a17ac70501aabbccddee")),
          Script().byte(0).bytes(test::from_hex("de0001d90466c7ff"))};
}

}  // namespace

Target codec_target() { return {"codec", run, seeds}; }

}  // namespace tubing::fuzz
