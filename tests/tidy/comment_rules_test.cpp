#include <doctest/doctest.h>

#include "tests/tidy/snippet.h"

namespace tidy = tubing::tidy;

TEST_CASE("switched-off code is found in comments") {
  for (const std::string line :
       {"// f(1);", "//  x = y + 1;", "// return 0;", "/* g(); */ // g();", "// if (x) {", "// }",
        "// #include <vector>", "int n;  // m = f(2);"}) {
    CAPTURE(line);
    CHECK(tidy::count_found(tidy::check_commented_out_code, "a.h", line) == 1);
  }
}

TEST_CASE("sentences and indented examples are no code") {
  for (const std::string line :
       {"// Calls f(x); the caller waits.", "///   auto x = co_await f(1);", "// namespace a",
        "// One word, and then another;", "f(\"// g();\");", "// Returns: what f() returned."}) {
    CAPTURE(line);
    CHECK(tidy::count_found(tidy::check_commented_out_code, "a.h", line) == 0);
  }
}

TEST_CASE("unfinished work is found in comments alone") {
  const std::string text =
      "// TO"
      "DO: more\nf(\"FIX"
      "ME\");\n/* a place"
      "holder */\n";
  CHECK(tidy::lines_found(tidy::check_unfinished_words, "a.h", text) == tidy::Lines{1, 3});
}

TEST_CASE("a contract out of order is found") {
  CHECK(tidy::lines_found(tidy::check_contract_order, "a.h",
                          "/// Does.\n/// Returns: x.\n/// Requires: y.\nint f();\n") ==
        tidy::Lines{3});
  CHECK(tidy::count_found(tidy::check_contract_order, "a.h",
                          "/// Requires: y.\n/// Returns: x.\n/// Source: z.\nint f();\n"
                          "/// Returns: x.\nint g();\n") == 0);
}
