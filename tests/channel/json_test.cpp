#include "tubing/channel/json.h"

#include <doctest/doctest.h>

#include <limits>

#include "tests/channel/codec_samples.h"

namespace tubing::test {
namespace {

TEST_CASE("a value is written as JSON by the list of fields that the codec reads") {
  CHECK(to_json(Add{1, -2}) == R"({"a":1,"b":-2})");
  CHECK(to_json(Tree{1, {Tree{2, {}}}}) == R"({"value":1,"children":[{"value":2,"children":[]}]})");
  CHECK(to_json(sample_everything()) ==
        R"({"flag":false,"ratio":-2.25,"text":"a text of more than thirty-one bytes in all",)"
        R"("blob":"eeeeeeeeee","key":"01020304","inners":[{"color":1,"choice":[1,300]},)"
        R"({"color":null,"choice":[2,"x"]},{"color":null,"choice":[0,null]}],)"
        R"("sums":{"one":{"a":1,"b":0},"two":{"a":1,"b":1}},"pair":[-300,1099511627776],)"
        R"("span":123456789})");
}

TEST_CASE("JSON escapes what its strings must not hold and has null for what is no number") {
  CHECK(to_json(std::string("a\"b\\c\n\t\x01\xc3\xa9")) == "\"a\\\"b\\\\c\\n\\t\\u0001\xc3\xa9\"");
  CHECK(to_json(std::numeric_limits<double>::infinity()) == "null");
  CHECK(to_json(0.1f) == "0.1");
  CHECK(to_json(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(to_json(std::vector<bool>{true, false}) == "[true,false]");
  CHECK(to_json(std::map<int, std::string>{{1, "x"}, {2, ""}}) == R"([[1,"x"],[2,""]])");
  CHECK(to_json(std::tuple<>{}) == "[]");
}

}  // namespace
}  // namespace tubing::test
