// What the codec refuses, and what it forgives: bytes from peers that are hostile, wrong or older.
#include <doctest/doctest.h>

#include "tests/channel/codec_samples.h"
#include "tubing/channel/base/prng.h"

namespace tubing::test {
namespace {

TEST_CASE("a value of the wrong kind is refused by field with expected and found kind") {
  const std::string head = "decode: invalid_argument: ";
  CHECK(refusal<Add>("9201a178") == head + "calc.add.v1.b: expected an integer, found a string");
  CHECK(refusal<Add>("c0") == head + "calc.add.v1: expected an array, found nil");
  CHECK(refusal<Add>("9201c3") == head + "calc.add.v1.b: expected an integer, found a boolean");
  CHECK(refusal<Add>("9201ca3fc00000") ==
        head + "calc.add.v1.b: expected an integer, found a float");
  CHECK(refusal<bool>("01") == head + "bool: expected a boolean, found an integer");
  CHECK(refusal<double>("01") == head + "float64: expected a float, found an integer");
  CHECK(refusal<std::string>("c400") == head + "string: expected a string, found binary data");
  CHECK(refusal<std::tuple<Bytes>>("91a0") ==
        head + "tuple<bytes>[0]: expected binary data, found a string");
  CHECK(refusal<std::vector<int>>("80") == head + "list<int32>: expected an array, found a map");
  CHECK(refusal<std::map<int, int>>("90") ==
        head + "map<int32,int32>: expected a map, found an array");
  CHECK(refusal<std::monostate>("d40000") == head + "nothing: expected nil, found an extension");
  CHECK(refusal<int>("c1") ==
        head + "int32: expected an integer, found the byte 0xc1, which msgpack reserves");
  CHECK(refusal<Tree>("9201919202919201c3") ==
        head + "test.tree.v1.children[0].children[0].children: expected an array, found a boolean");
}

TEST_CASE("an integer of any encoded width is taken where its value fits") {
  for (const std::string_view digits : {"05", "cc05", "cd0005", "ce00000005", "cf0000000000000005",
                                        "d005", "d10005", "d200000005", "d30000000000000005"}) {
    CAPTURE(digits);
    std::int8_t small = 0;
    std::uint64_t large = 0;
    CHECK(decode(from_hex(digits), small).has_value());
    CHECK(decode(from_hex(digits), large).has_value());
    CHECK(small == 5);
    CHECK(large == 5);
    Eight last;
    CHECK(decode(from_hex(std::string("9801020304050607") + std::string(digits)), last));
    CHECK(last.h == 5);
    Eight first;
    CHECK(decode(from_hex("98" + std::string(digits) + "02030405060708"), first));
    CHECK(first.a == 5);
    CHECK(first.h == 8);
  }
}

TEST_CASE("an integer that does not fit its field is refused with the range") {
  CHECK(refusal<std::int8_t>("cc80") ==
        "decode: invalid_argument: int8: the integer 128 is out of range; -128 to 127 fit");
  CHECK(refusal<std::uint8_t>("ff").find("the integer -1 is out of range; 0 to 255 fit") !=
        std::string::npos);
  CHECK(refusal<std::int64_t>("cf8000000000000000") != "");
  CHECK(refusal<std::uint64_t>("d3ffffffffffffffff") != "");
  CHECK(refusal<Eight>("98cfffffffffffffffff02030405060708") != "");
  CHECK(refusal<Color>("cd0100") != "");
  CHECK(refusal<float>("cb3ff0000000000001").find("does not fit 32 bits") != std::string::npos);
  CHECK(refusal<float>("cb7fe0000000000000").find("does not fit 32 bits") != std::string::npos);
  CHECK(refusal<float>("cb3ff8000000000000") == "");
}

TEST_CASE("every truncation of a message is refused") {
  for (const Form form : {Form::array, Form::map}) {
    ByteBuffer buffer;
    encode(sample_everything(), buffer, form);
    for (std::size_t size = 0; size < buffer.size(); ++size) {
      CAPTURE(size);
      const Bytes exact(buffer.view().begin(), buffer.view().begin() + size);
      CHECK(refusal<Everything>(ByteView(exact)) != "");
    }
  }
  CHECK(refusal<std::string>("a268").find("a string says it has 2 bytes, but 1 are left") !=
        std::string::npos);
  CHECK(refusal<Add>("9201").find("elements are announced") != std::string::npos);
  CHECK(refusal<int>("").find("expected an integer, but the message ends there") !=
        std::string::npos);
}

TEST_CASE("bytes after the value are refused") {
  CHECK(refusal<Add>("92010203") ==
        "decode: invalid_argument: calc.add.v1: 1 bytes follow the value; "
        "a message holds one value");
  CHECK(refusal<int>("05c0") != "");
}

TEST_CASE("a count that the bytes left cannot hold is refused before memory is taken") {
  CHECK(refusal<std::vector<int>>("ddffffffff01") ==
        "decode: invalid_argument: list<int32>: 4294967295 elements are announced, "
        "but 1 bytes are left");
  CHECK(refusal<std::map<int, int>>("dfffffffff01").find("8589934590 elements are announced") !=
        std::string::npos);
  CHECK(refusal<std::map<int, int>>("81").find("elements are announced") != std::string::npos);
  CHECK(refusal<Add>("dc100001").find("4096 elements are announced") != std::string::npos);
  CHECK(refusal<std::string>("dbffffffff61").find("says it has 4294967295 bytes, but 1 are left") !=
        std::string::npos);
  CHECK(refusal<std::tuple<Bytes>>("91c6ffffffff61").find("but 1 are left") != std::string::npos);
}

TEST_CASE("values nested deeper than the limit are refused where known and where skipped") {
  std::string bomb;
  for (int i = 0; i < 100'000; ++i) bomb += "91";
  bomb += "00";
  CHECK(refusal<Add>("9301" + std::string("02") + bomb) ==
        "decode: resource_exhausted: calc.add.v1: nested deeper than 32 levels");
  std::string trees;
  for (int i = 0; i < 1000; ++i) trees += "920191";
  CHECK(refusal<Tree>(trees + "920190").find("nested deeper than 32 levels") != std::string::npos);

  DecodeLimits limits;
  limits.depth_max = 3;
  CHECK(refusal<Tree>("920191920190", limits).find("nested deeper than 3") != std::string::npos);
  limits.depth_max = 4;
  CHECK(refusal<Tree>("920191920190", limits) == "");
}

TEST_CASE("elements and memory beyond the limits are refused") {
  DecodeLimits limits;
  limits.items_max = 5;
  CHECK(refusal<std::vector<int>>("950102030405", limits) == "");
  CHECK(refusal<std::vector<int>>("96010203040506", limits) ==
        "decode: resource_exhausted: list<int32>: the message has more than 5 elements");
  CHECK(refusal<std::vector<std::vector<int>>>("92920102920102", limits) != "");
  limits = {};
  limits.memory_bytes_max = 16;
  CHECK(refusal<std::vector<int>>("9401020304", limits) == "");
  CHECK(refusal<std::vector<int>>("950102030405", limits).find("more than 16 bytes of memory") !=
        std::string::npos);
  CHECK(refusal<std::tuple<std::string, Bytes>>("92a83132333435363738c4083132333435363738",
                                                limits) == "");
  CHECK(refusal<std::tuple<std::string, Bytes>>("92a83132333435363738c409313233343536373839",
                                                limits) != "");
  CHECK(refusal<std::string>("b13132333435363738393031323334353637", limits) != "");
}

TEST_CASE("an older sender's missing fields get their defaults even in a value used before") {
  Everything out = sample_everything();
  REQUIRE(decode(from_hex("92c2cb0000000000000000"), out));
  CHECK(out.flag == false);
  CHECK(out.ratio == 0);
  CHECK(out.text == "none");
  CHECK(out.sums.empty());
  CHECK(out.span == std::chrono::microseconds(7));

  out = sample_everything();
  REQUIRE(decode(from_hex("81a474657874a26869"), out));
  CHECK(out.text == "hi");
  CHECK(out.flag == true);
  CHECK(out.blob.empty());
}

TEST_CASE("a newer sender's additional fields are skipped whatever they hold") {
  const std::string everything =
      "dc0014c0c2c3ccffcdffffceffffffffcfffffffffffffffff"
      "d0ffd1ffffd2ffffffffd3ffffffffffffffffca00000000cb0000000000000000"
      "a161d90161c40161d400ffc7010061dc0000de0000";
  Add out;
  REQUIRE(decode(from_hex("930102" + everything), out));
  CHECK(out == Add{1, 2});
  REQUIRE(decode(from_hex("83a16203a17a" + everything + "a16104"), out));
  CHECK(out == Add{4, 3});
  CHECK(refusal<Add>("93010295c0c0c0c0c1").find("0xc1") != std::string::npos);
}

TEST_CASE("a key that comes twice is refused") {
  CHECK(refusal<Add>("83a16101a16202a16103") ==
        "decode: invalid_argument: calc.add.v1.a: this field comes twice");
  CHECK(refusal<std::map<int, int>>("8201020103").find("the same key twice") != std::string::npos);
  CHECK(refusal<Add>("81010a").find("expected a string, found an integer") != std::string::npos);
}

TEST_CASE("fixed counts and alternatives are held to exactly") {
  CHECK(refusal<std::array<int, 3>>("920102").find("expected 3 elements, found 2") !=
        std::string::npos);
  CHECK(refusal<std::array<std::byte, 4>>("c40101").find("expected 4 bytes, found 1") !=
        std::string::npos);
  CHECK(refusal<std::pair<int, int>>("93010203").find("expected 2 elements, found 3") !=
        std::string::npos);
  using Choice = std::variant<int, std::string>;
  CHECK(refusal<Choice>("9202a0").find("has 2 alternatives here, found index 2") !=
        std::string::npos);
  CHECK(refusal<Choice>("9100").find("expected 2 elements, an index") != std::string::npos);
  CHECK(refusal<Choice>("9200a0") ==
        "decode: invalid_argument: variant<int32,string>[1]: expected an integer, found a string");
}

/// Decodes bytes that may be anything: it must come back, and take what it took once more.
template <class T>
void check_any_bytes(ByteView bytes) {
  T first{};
  if (!decode(bytes, first)) return;
  ByteBuffer again;
  encode(first, again);
  T second{};
  CHECK(decode(again.view(), second).has_value());
  ByteBuffer third;
  encode(second, third);
  CHECK(as_text(again.view()) == as_text(third.view()));
}

TEST_CASE("random and damaged bytes are refused or taken but never read past") {
  ByteBuffer whole;
  encode(sample_everything(), whole);
  for (std::uint64_t seed = 0; seed < 6000; ++seed) {
    CAPTURE(seed);
    Prng prng(seed);
    Bytes bytes(prng.below(64));
    for (std::byte& b : bytes) b = static_cast<std::byte>(prng.next());
    if (seed % 2 == 0) bytes.assign(whole.view().begin(), whole.view().end());
    for (int flips = 0; flips < 3 && !bytes.empty(); ++flips) {
      bytes[prng.below(bytes.size())] = static_cast<std::byte>(prng.next());
    }
    const Bytes exact(bytes.begin(), bytes.end());
    check_any_bytes<Everything>(exact);
    check_any_bytes<Tree>(exact);
    check_any_bytes<std::vector<std::variant<int, std::string, Inner>>>(exact);
  }
}

}  // namespace
}  // namespace tubing::test
