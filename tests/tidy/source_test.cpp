#include "tests/tidy/source.h"

#include <doctest/doctest.h>

namespace tidy = tubing::tidy;

TEST_CASE("the views of a source keep every offset") {
  const auto source = tidy::parse_source("a.h", "int a = 'x'; // one\n/* two\n */ f(\"}\");\n");
  CHECK(source.code == "int a = ' ';       \n      \n    f(\" \");\n");
  CHECK(source.comments == "             // one\n/* two\n */        \n");
  CHECK(source.code.size() == source.text.size());
}

TEST_CASE("a quote inside a number or a literal ends no literal") {
  CHECK(tidy::parse_source("a.h", "f(1'000, 'a', \"\\\"{\");").code == "f(1'000, ' ', \"   \");");
}

TEST_CASE("a raw literal hides the quotes and comments inside it") {
  const auto source = tidy::parse_source("a.h", "f(R\"x(\" // )\" )x\"); g();");
  CHECK(tidy::has_word(source.code, "g"));
  CHECK(source.comments.find('/') == std::string::npos);
}

TEST_CASE("a word is found whole") {
  CHECK(tidy::find_word("restart start", "start") == 8);
  CHECK_FALSE(tidy::has_word("restart_ start_", "start"));
}

TEST_CASE("brackets match across the kinds") {
  CHECK(tidy::matching_bracket("f(a[1], {2})", 1) == 11);
  CHECK(tidy::matching_bracket("f(a", 1) == 3);
}
