#include "tubing/channel/fields.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace tubing::test {

struct Add {
  std::int64_t a, b;
  static constexpr std::string_view type_name = "calc.add.v1";
  static constexpr auto fields = tubing::fields("a", &Add::a, "b", &Add::b);
};

struct Plain {
  int term = 0;
  std::string command;
};

}  // namespace tubing::test

template <>
inline constexpr auto tubing::fields_of<tubing::test::Plain> =
    tubing::fields("term", &test::Plain::term, "command", &test::Plain::command);
template <>
inline constexpr std::string_view tubing::declared_name<tubing::test::Plain> = "tube.plain.v1";

namespace tubing::test {
namespace {

TEST_CASE("a type lists its fields inside itself and visitors get them by name in order") {
  Add add{1, 2};
  std::vector<std::string> names;
  for_each_field(add, [&](std::string_view name, std::int64_t& value) {
    names.emplace_back(name);
    value += 10;
  });
  CHECK(names == std::vector<std::string>{"a", "b"});
  CHECK(add.a == 11);
  CHECK(field<1>(add) == 12);
  static_assert(HasFields<Add> && kFieldCount<Add> == 2);
  static_assert(!HasFields<int> && !HasFields<std::string>);
}

TEST_CASE("a type that knows nothing of the codec gets its list of fields from outside") {
  const Plain plain{7, "put"};
  std::string text;
  for_each_field(plain, [&](std::string_view name, const auto& value) {
    text += name;
    if constexpr (std::is_same_v<decltype(value), const std::string&>) text += "=" + value;
  });
  CHECK(text == "termcommand=put");
  static_assert(declared_name<Plain> == "tube.plain.v1");
  static_assert(declared_name<int>.empty());
}

}  // namespace
}  // namespace tubing::test
