#include "tubing/channel/codec.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <list>
#include <memory>
#include <unordered_map>

#include "tests/allocation_count.h"
#include "tests/channel/codec_samples.h"
#include "tubing/channel/base/prng.h"

namespace tubing::test {
namespace {

using namespace std::chrono_literals;

TEST_CASE("values are encoded as the golden bytes") {
  CHECK(hex_of(Add{1, 300}) == "9201cd012c");
  CHECK(hex_of(Add{1, 300}, Form::map) == "82a16101a162cd012c");
  CHECK(hex_of(Add{-1, -200}) == "92ffd1ff38");
  CHECK(hex_of(true) == "c3");
  CHECK(hex_of(std::uint64_t{1} << 63) == "cf8000000000000000");
  CHECK(hex_of(std::int64_t{std::numeric_limits<std::int64_t>::min()}) == "d38000000000000000");
  CHECK(hex_of(1.5f) == "ca3fc00000");
  CHECK(hex_of(1.5) == "cb3ff8000000000000");
  CHECK(hex_of(-200.0) == "cbc069000000000000");
  CHECK(hex_of(-0.0) == "cb8000000000000000");
  CHECK(hex_of(0x1p64f) == "ca5f800000");
  CHECK(hex_of(std::string("hi")) == "a26869");
  CHECK(hex_of(std::vector<int>{1, 2, 3}) == "93010203");
  CHECK(hex_of(std::vector<bool>{true, false}) == "92c3c2");
  CHECK(hex_of(std::map<std::string, int>{{"a", 1}}) == "81a16101");
  CHECK(hex_of(std::pair<int, bool>{5, false}) == "9205c2");
  CHECK(hex_of(std::optional<int>{}) == "c0");
  CHECK(hex_of(std::optional<int>{7}) == "07");
  CHECK(hex_of(std::variant<int, std::string>{"x"}) == "9201a178");
  CHECK(hex_of(std::variant<std::monostate, int>{}) == "9200c0");
  CHECK(hex_of(Color::green) == "01");
  CHECK(hex_of(std::chrono::milliseconds(1500)) == "cd05dc");
  CHECK(hex_of(std::array<std::byte, 2>{std::byte{1}, std::byte{0xff}}) == "c40201ff");
  CHECK(hex_of(std::tuple<Bytes>{Bytes(3)}) == "91c403000000");
}

TEST_CASE("raw bytes at the top cross unencoded") {
  const Bytes raw{std::byte{0xc1}, std::byte{0}, std::byte{7}};
  CHECK(hex_of(raw) == "c10007");
  Bytes out(9);
  REQUIRE(decode(raw, out));
  CHECK(out == raw);
}

template <class T>
void check_round_trip(const T& value) {
  for (const Form form : {Form::array, Form::map}) {
    ByteBuffer buffer;
    encode(value, buffer, form);
    T out{};
    const Result<> decoded = decode(buffer.view(), out);
    CAPTURE(to_hex(buffer.view()));
    CHECK_MESSAGE(decoded.has_value(), (decoded ? "" : decoded.error().text()));
    CHECK(out == value);
  }
}

template <class T>
void check_limits_of() {
  using Limits = std::numeric_limits<T>;
  for (const T value : {Limits::min(), Limits::max(), T{0}, T{1}, T{31}, T{32}, T{127},
                        static_cast<T>(-32), static_cast<T>(-33), static_cast<T>(-128),
                        static_cast<T>(1 << 15), static_cast<T>(1LL << 31)}) {
    check_round_trip(value);
    check_round_trip(std::vector<T>{value, value, value, value, value, value, value, value});
  }
}

TEST_CASE("every supported type comes back as it was") {
  check_limits_of<std::int8_t>();
  check_limits_of<std::uint8_t>();
  check_limits_of<std::int16_t>();
  check_limits_of<std::uint16_t>();
  check_limits_of<std::int32_t>();
  check_limits_of<std::uint32_t>();
  check_limits_of<std::int64_t>();
  check_limits_of<std::uint64_t>();
  check_round_trip(false);
  for (const double value : {0.0, -1.25, 1e300, std::numeric_limits<double>::infinity()}) {
    check_round_trip(value);
    check_round_trip(static_cast<float>(value));
  }
  for (const std::size_t size : {0u, 31u, 32u, 255u, 256u, 65535u, 65536u}) {
    check_round_trip(std::string(size, 'x'));
    check_round_trip(std::vector<std::uint8_t>(size, 200));
    check_round_trip(std::tuple<Bytes, int>{Bytes(size), 3});
  }
  check_round_trip(std::vector<bool>{true, false, true});
  check_round_trip(std::array<std::string, 2>{"a", "b"});
  check_round_trip(std::array<std::byte, 32>{std::byte{9}});
  check_round_trip(std::map<int, std::map<std::string, double>>{{1, {{"x", 2.5}}}, {-1, {}}});
  check_round_trip(std::tuple<>{});
  check_round_trip(std::variant<std::monostate, Add, std::vector<int>>{Add{3, 4}});
  check_round_trip(std::optional<std::vector<std::optional<int>>>{{1, std::nullopt}});
  check_round_trip(-5ns);
  check_round_trip(std::chrono::duration<double>(0.25));
  check_round_trip(Color::green);
  check_round_trip(sample_everything());
  check_round_trip(Tree{1, {Tree{2, {}}, Tree{3, {Tree{4, {}}}}}});
}

TEST_CASE("a float that is no number stays none") {
  ByteBuffer buffer;
  encode(std::numeric_limits<float>::quiet_NaN(), buffer);
  float narrow = 0;
  double wide = 0;
  REQUIRE(decode(buffer.view(), narrow));
  REQUIRE(decode(buffer.view(), wide));
  CHECK(std::isnan(narrow));
  CHECK(std::isnan(wide));
}

TEST_CASE("small structs are encoded and decoded without an allocation") {
  ByteBuffer buffer(256);
  const Eight value{1, -5, 300, 70000, -70000, std::int64_t{1} << 40, -9, 127};
  Eight out;
  const std::size_t begin = allocations();
  ::operator delete(::operator new(100));
  const std::size_t before = allocations();
  encode(value, buffer);
  const bool decoded = decode(buffer.view(), out).has_value();
  const std::size_t after = allocations();
  CHECK(before == begin + 1);
  CHECK(after == before);
  CHECK(decoded);
  CHECK(out == value);
}

TEST_CASE("type names are the declared ones or put together from them") {
  static_assert(type_name_of<Add>() == "calc.add.v1");
  static_assert(type_name_of<Bytes>() == "bytes");
  static_assert(type_name_of<std::string>() == "string");
  static_assert(type_name_of<bool>() == "bool");
  static_assert(type_name_of<std::int64_t>() == "int64");
  static_assert(type_name_of<long long>() == "int64");
  static_assert(type_name_of<std::uint8_t>() == "uint8");
  static_assert(type_name_of<double>() == "float64");
  static_assert(type_name_of<Color>() == "uint8");
  static_assert(type_name_of<std::chrono::nanoseconds>() == "duration<int64,1/1000000000>");
  static_assert(type_name_of<std::monostate>() == "nothing");
  static_assert(type_name_of<std::tuple<>>() == "tuple<>");
  CHECK(type_name_of<std::map<std::string, std::vector<Add>>>() == "map<string,list<calc.add.v1>>");
  CHECK(type_name_of<std::variant<int, std::optional<std::pair<Bytes, float>>>>() ==
        "variant<int32,optional<tuple<bytes,float32>>>");
  CHECK(type_name_of<std::array<std::array<std::byte, 32>, 2>>() == "list<bytes<32>,2>");
}

TEST_CASE("types that cannot cross a network are not encodable") {
  static_assert(Encodable<Add> && Encodable<Everything> && Encodable<Tree> && Encodable<Bytes>);
  static_assert(!Encodable<int*> && !Encodable<int&> && !Encodable<char> && !Encodable<char[4]>);
  static_assert(!Encodable<std::string_view> && !Encodable<ByteView> && !Encodable<const char*>);
  static_assert(!Encodable<std::list<int>> && !Encodable<std::unique_ptr<int>>);
  static_assert(!Encodable<std::unordered_map<int, int>> && !Encodable<long double>);
  static_assert(!Encodable<std::optional<std::optional<int>>>);
  static_assert(!Encodable<std::vector<int*>> && !Encodable<std::variant<int, void*>>);
  struct Bare {};
  static_assert(!Encodable<Bare>);
  CHECK(Encodable<std::vector<Add>>);
}

}  // namespace
}  // namespace tubing::test
